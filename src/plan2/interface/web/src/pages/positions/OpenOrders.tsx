/** Orders that are not over: working at the broker, under way, or of unknown outcome. */

import { useNameOf } from "../../api/people";
import { isWorking, useOpenOrders } from "../../api/orders";
import { useDigits } from "../../api/live";
import { fixed, price } from "../../format/numbers";
import type { OrderItem } from "../../gen/protocol";
import { useTrade } from "../../state/trade";
import { t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { SideTag, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { Now } from "./OpenPositionsTable";
import { deciderOf, kindOf, stateOf, toneOf } from "./orderWords";

export function OpenOrders() {
  const query = useOpenOrders();
  const digits = useDigits();
  const items = query.data?.items ?? [];
  const priced = (
    key: "price" | "limit_price" | "stop_loss" | "take_profit",
    title: string,
  ): Column<OrderItem> => ({
    key,
    title,
    align: "right",
    cell: (order) => <span className="num">{price(order[key], digits(order.symbol))}</span>,
  });
  const nameOf = useNameOf();
  const columns: Column<OrderItem>[] = [
    {
      key: "symbol",
      title: t("field.symbol"),
      cell: (order) => <b>{order.symbol}</b>,
      sortBy: (order) => order.symbol,
      role: "lead",
    },
    { key: "side", title: t("field.side"), cell: (order) => <SideTag side={order.side} /> },
    { key: "kind", title: t("field.kind"), cell: kindOf },
    { key: "lots", title: t("field.lots"), align: "right", cell: filledOf },
    priced("price", t("orders.waits_for")),
    priced("limit_price", t("orders.limit_price")),
    {
      key: "now",
      title: t("field.now"),
      align: "right",
      cell: (order) => (
        <Now symbol={order.symbol} side={order.side} digits={digits(order.symbol)} />
      ),
    },
    priced("stop_loss", t("field.stop")),
    priced("take_profit", t("field.target")),
    { key: "expires", title: t("orders.expires"), align: "right", cell: expiryOf },
    {
      key: "state",
      title: t("field.state"),
      cell: (order) => <span className={`chip ${toneOf(order.state)}`}>{stateOf(order)}</span>,
    },
    { key: "decider", title: t("orders.decided_by"), cell: (order) => deciderOf(order, nameOf) },
    {
      key: "actions",
      title: "",
      role: "wide",
      cell: (order) => (isWorking(order) ? <Actions order={order} /> : null),
    },
  ];
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: t("orders.none_open"),
    hint: t("orders.none_open_hint"),
  });
  return (
    <Widget title={t("orders.open")} state={state} isFlush className="is-short">
      <DataTable
        label={t("orders.open")}
        columns={columns}
        items={items}
        keyOf={(order) => order.order_id}
      />
    </Widget>
  );
}

/** Two decimals, or three where the step is that fine. */
const lots = (value: number): string =>
  fixed(value, Math.abs(value * 100 - Math.round(value * 100)) < 1e-6 ? 2 : 3);

/** 0.10, or 0.04 of 0.10 once a part was executed. */
export function filledOf(order: OrderItem): string {
  if (order.filled_quantity === 0 || order.filled_quantity === order.quantity)
    return lots(order.quantity);
  return t("orders.part", { filled: lots(order.filled_quantity), whole: lots(order.quantity) });
}

export const expiryOf = (order: OrderItem) =>
  order.expires_us > 0 ? <Time us={order.expires_us} form="short" /> : "–";

function Actions({ order }: { order: OrderItem }) {
  const open = useTrade((state) => state.open);
  const { order_id, symbol } = order;
  return (
    <span className="row-actions">
      <button
        type="button"
        className="ghost-button"
        aria-label={`${t("action.change")}: ${symbol}`}
        onClick={() => open({ kind: "change", order_id })}
      >
        {t("action.change")}
      </button>
      <button
        type="button"
        className="ghost-button"
        aria-label={`${t("action.withdraw")}: ${symbol}`}
        onClick={() => open({ kind: "cancel", order_id })}
      >
        {t("action.withdraw")}
      </button>
    </span>
  );
}
