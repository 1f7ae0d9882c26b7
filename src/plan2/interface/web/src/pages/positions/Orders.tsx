import { useLocation } from "wouter";
import { useDigits } from "../../api/live";
import { useOrders } from "../../api/queries";
import { lots, price } from "../../format/numbers";
import type { OrderItem } from "../../gen/protocol";
import { t, words } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { SideTag, Time } from "../../widgets/Figures";
import { flat, LoadMore } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

const TONES: Record<string, string> = {
  filled: "is-ok",
  accepted: "is-accent",
  sent: "is-accent",
  rejected: "is-crit",
  unknown: "is-warn",
};

export function Orders() {
  const query = useOrders();
  const [, navigate] = useLocation();
  const digits = useDigits();
  const items = flat(query.data);
  const priced = (
    key: "price" | "stop_loss" | "take_profit" | "filled_price",
    title: string,
  ): Column<OrderItem> => ({
    key,
    title,
    align: "right",
    cell: (order) => price(order[key] || null, digits(order.symbol)),
  });
  const columns: Column<OrderItem>[] = [
    {
      key: "symbol",
      title: t("field.symbol"),
      cell: (order) => <b>{order.symbol}</b>,
      sortBy: (order) => order.symbol,
      role: "lead",
    },
    {
      key: "time",
      title: t("field.time"),
      cell: (order) => <Time us={order.ts_us} form="short" />,
      sortBy: (order) => order.ts_us,
    },
    { key: "side", title: t("field.side"), cell: (order) => <SideTag side={order.side} /> },
    { key: "kind", title: t("field.kind"), cell: (order) => words(order.kind) },
    {
      key: "quantity",
      title: t("field.lots"),
      align: "right",
      cell: (order) => lots(order.quantity),
      sortBy: (order) => order.quantity,
    },
    priced("price", t("field.price")),
    priced("stop_loss", t("field.stop")),
    priced("take_profit", t("field.target")),
    priced("filled_price", t("field.filled")),
    {
      key: "state",
      title: t("field.state"),
      cell: (order) => (
        <span className={`chip ${TONES[order.state] ?? ""}`}>{words(order.state)}</span>
      ),
      sortBy: (order) => order.state,
    },
    {
      key: "reason",
      title: t("field.reason"),
      cell: (order) => (order.reason ? words(order.reason) : "–"),
    },
  ];
  const csv = () => [
    [
      "order_id",
      "decision_id",
      "ts_us",
      "symbol",
      "side",
      "kind",
      "quantity",
      "state",
      "price",
      "stop_loss",
      "take_profit",
      "filled_price",
      "reason",
    ],
    ...items.map((o) => [
      o.order_id,
      o.decision_id,
      o.ts_us,
      o.symbol,
      o.side,
      o.kind,
      o.quantity,
      o.state,
      o.price,
      o.stop_loss,
      o.take_profit,
      o.filled_price,
      o.reason,
    ]),
  ];
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: t("orders.none"),
    hint: t("orders.none_hint"),
  });
  return (
    <Widget title={t("positions.tab_orders")} state={state} isFlush csv={csv}>
      <DataTable
        label={t("positions.tab_orders")}
        columns={columns}
        items={items}
        keyOf={(order) => order.order_id}
        onOpen={(order) =>
          order.decision_id && navigate(`/decisions/${encodeURIComponent(order.decision_id)}`)
        }
      />
      <LoadMore query={query} />
    </Widget>
  );
}
