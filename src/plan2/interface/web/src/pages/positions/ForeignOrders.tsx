/** Pending orders at the broker that Plan2 did not place: shown, never changed or withdrawn. */

import { useBroker, useDigits } from "../../api/live";
import { lots, price } from "../../format/numbers";
import type { ForeignOrder } from "../../gen/protocol";
import { label, t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { SideTag, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { Now } from "./OpenPositionsTable";

const CSV_FIELDS = [
  "ticket",
  "symbol",
  "side",
  "trigger",
  "quantity",
  "price",
  "limit_price",
  "stop_loss",
  "take_profit",
  "expires_us",
  "placed_us",
] as const;

/** Nothing where there are none: most accounts never have any. */
export function ForeignOrders() {
  const digits = useDigits();
  const orders = useBroker()?.foreign_orders ?? [];
  if (orders.length === 0) return null;
  const priced = (
    key: "price" | "limit_price" | "stop_loss" | "take_profit",
    title: string,
  ): Column<ForeignOrder> => ({
    key,
    title,
    align: "right",
    cell: (order) => <span className="num">{price(order[key], digits(order.symbol))}</span>,
  });
  const columns: Column<ForeignOrder>[] = [
    {
      key: "symbol",
      title: t("field.symbol"),
      cell: (order) => <b>{order.symbol}</b>,
      sortBy: (order) => order.symbol,
      role: "lead",
    },
    { key: "side", title: t("field.side"), cell: (order) => <SideTag side={order.side} /> },
    { key: "kind", title: t("field.kind"), cell: (order) => label("trigger", order.trigger) },
    { key: "lots", title: t("field.lots"), align: "right", cell: (order) => lots(order.quantity) },
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
    {
      key: "expires",
      title: t("orders.expires"),
      align: "right",
      cell: (order) => (order.expires_us > 0 ? <Time us={order.expires_us} form="short" /> : "–"),
    },
    {
      key: "care",
      title: t("field.care"),
      cell: () => (
        <span className="chip is-violet" title={t("foreign_orders.help")}>
          {t("care.foreign")}
        </span>
      ),
    },
    {
      key: "ticket",
      title: t("foreign_orders.ticket"),
      align: "right",
      cell: (order) => <span className="mono">{order.ticket}</span>,
    },
  ];
  const csv = () => [[...CSV_FIELDS], ...orders.map((one) => CSV_FIELDS.map((name) => one[name]))];
  return (
    <Widget title={t("foreign_orders.title")} isFlush csv={csv} className="is-short">
      <p className="dim widget-lead">{t("foreign_orders.help")}</p>
      <DataTable
        label={t("foreign_orders.title")}
        columns={columns}
        items={orders}
        keyOf={(order) => order.ticket}
      />
    </Widget>
  );
}
