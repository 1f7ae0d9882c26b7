/** Every order there was, and what became of it. */

import { useMemo } from "react";
import { useNameOf } from "../../api/people";
import { useLocation } from "wouter";
import { useDigits } from "../../api/live";
import { useOrders } from "../../api/queries";
import { price } from "../../format/numbers";
import type { OrderItem } from "../../gen/protocol";
import { t, words } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { SideTag, Time } from "../../widgets/Figures";
import { flat, LoadMore } from "../../widgets/parts";
import { useFiltered } from "../../widgets/useFiltered";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { expiryOf, filledOf } from "./OpenOrders";
import { deciderOf, isByPerson, kindOf, stateOf, toneOf } from "./orderWords";
import { said } from "../../strings/told";

const CSV_FIELDS = [
  "order_id",
  "decision_id",
  "ts_us",
  "symbol",
  "side",
  "kind",
  "trigger",
  "quantity",
  "filled_quantity",
  "state",
  "price",
  "limit_price",
  "stop_loss",
  "take_profit",
  "filled_price",
  "expires_us",
  "reason",
  "decided_by",
  "why",
  "ticket",
  "position_id",
] as const;

export function Orders() {
  const query = useOrders();
  const [, navigate] = useLocation();
  const digits = useDigits();
  const all = useMemo(() => flat(query.data), [query.data]);
  const { shown: items, field } = useFiltered(all, textOf);
  const priced = (
    key: "price" | "limit_price" | "stop_loss" | "take_profit" | "filled_price",
    title: string,
  ): Column<OrderItem> => ({
    key,
    title,
    align: "right",
    cell: (order) => <span className="num">{price(order[key] || null, digits(order.symbol))}</span>,
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
    {
      key: "time",
      title: t("field.time"),
      cell: (order) => <Time us={order.ts_us} form="short" />,
      sortBy: (order) => order.ts_us,
    },
    { key: "side", title: t("field.side"), cell: (order) => <SideTag side={order.side} /> },
    { key: "kind", title: t("field.kind"), cell: kindOf, sortBy: kindOf },
    {
      key: "quantity",
      title: t("field.lots"),
      align: "right",
      cell: filledOf,
      sortBy: (order) => order.quantity,
    },
    {
      key: "state",
      title: t("field.state"),
      cell: (order) => <span className={`chip ${toneOf(order.state)}`}>{stateOf(order)}</span>,
      sortBy: (order) => order.state,
    },
    priced("filled_price", t("field.filled")),
    priced("price", t("field.price")),
    ...(items.some((order) => order.limit_price)
      ? [priced("limit_price", t("orders.limit_price"))]
      : []),
    priced("stop_loss", t("field.stop")),
    ...(items.some((order) => order.take_profit) ? [priced("take_profit", t("field.target"))] : []),
    ...(items.some((order) => order.expires_us)
      ? [{ key: "expires", title: t("orders.expires"), align: "right" as const, cell: expiryOf }]
      : []),
    {
      key: "decider",
      title: t("orders.decided_by"),
      cell: (order) => <span title={said(order.why)}>{deciderOf(order, nameOf)}</span>,
      sortBy: (order) => deciderOf(order, nameOf),
    },
    { key: "reason", title: t("field.reason"), role: "wide", cell: (order) => reasonOf(order) },
  ];
  const state = widgetState(query, {
    isEmpty: all.length === 0,
    title: t("orders.none"),
    hint: t("orders.none_hint"),
  });
  const csv = () => [[...CSV_FIELDS], ...items.map((o) => CSV_FIELDS.map((name) => o[name]))];
  return (
    <Widget title={t("orders.history")} state={state} isFlush csv={csv} actions={field}>
      <DataTable
        label={t("orders.history")}
        columns={columns}
        items={items}
        keyOf={(order) => order.order_id}
        onOpen={(order) =>
          hasDecision(order) && navigate(`/decisions/${encodeURIComponent(order.decision_id)}`)
        }
      />
      <LoadMore query={query} />
    </Widget>
  );
}

/** What a filter of orders looks at. */
const textOf = (order: OrderItem): string =>
  [
    order.symbol,
    order.side,
    order.kind,
    stateOf(order),
    order.reason,
    order.why,
    order.order_id,
  ].join(" ");

/** People's orders come from no decision, though they carry an id in its place. */
const hasDecision = (order: OrderItem): boolean =>
  order.decision_id !== "" && order.kind === "open" && !isByPerson(order);

/** The broker's words where it gave any, else why the order was wanted. */
function reasonOf(order: OrderItem): string {
  const broker = order.reason ? words(order.reason) : "";
  return [broker, said(order.why)].filter(Boolean).join(" · ") || "–";
}
