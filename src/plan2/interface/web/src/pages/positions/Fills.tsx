/** Fills are events: the tab reads the event log's `OrderExecuted`. */

import { useMemo } from "react";
import { useDigits } from "../../api/live";
import { useEvents } from "../../api/queries";
import { lots, money, price } from "../../format/numbers";
import { recordTimeUs } from "../../format/times";
import type { EventItem, FillItem } from "../../gen/protocol";
import { label, t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, SideTag, Time } from "../../widgets/Figures";
import { flat, LoadMore } from "../../widgets/parts";
import { useFiltered } from "../../widgets/useFiltered";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

type Fill = FillItem & { position: number; us: number };

/** The fill that an event tells of; its time is market time, else the time it was recorded. */
function fillOf(event: EventItem): Fill {
  const payload = event.payload as unknown as FillItem;
  return { ...payload, position: event.position, us: recordTimeUs(payload) || event.at_us };
}

/** What a filter of fills looks at. */
const textOf = (fill: Fill): string =>
  [fill.symbol, fill.side, label("reason", fill.reason), fill.fill_id].join(" ");

export function Fills() {
  const query = useEvents("OrderExecuted", 100);
  const digits = useDigits();
  const all = useMemo(() => flat(query.data).map(fillOf), [query.data]);
  const { shown: items, field } = useFiltered(all, textOf);
  const columns: Column<Fill>[] = [
    {
      key: "symbol",
      title: t("field.symbol"),
      cell: (fill) => <b>{fill.symbol}</b>,
      sortBy: (fill) => fill.symbol,
      role: "lead",
    },
    {
      key: "time",
      title: t("field.time"),
      cell: (fill) => <Time us={fill.us} form="short" />,
      sortBy: (fill) => fill.us,
    },
    { key: "side", title: t("field.side"), cell: (fill) => <SideTag side={fill.side} /> },
    {
      key: "exit",
      title: t("field.kind"),
      cell: (fill) => t(fill.is_exit ? "fills.exit" : "fills.entry"),
    },
    {
      key: "quantity",
      title: t("field.lots"),
      align: "right",
      cell: (fill) => lots(fill.executed_quantity),
      sortBy: (fill) => fill.executed_quantity,
    },
    {
      key: "price",
      title: t("field.price"),
      align: "right",
      cell: (fill) => price(fill.executed_price, digits(fill.symbol)),
    },
    {
      key: "commission",
      title: t("field.commission"),
      align: "right",
      cell: (fill) => money(fill.commission),
    },
    {
      key: "profit",
      title: t("field.profit"),
      align: "right",
      cell: (fill) => (fill.is_exit ? <Gain value={fill.profit} /> : "–"),
      sortBy: (fill) => Number(fill.profit),
    },
    {
      key: "reason",
      title: t("field.reason"),
      cell: (fill) => <span className="chip">{label("reason", fill.reason)}</span>,
      sortBy: (fill) => fill.reason,
    },
    {
      key: "id",
      title: t("fills.id"),
      cell: (fill) => <span className="mono faint">{fill.fill_id}</span>,
    },
  ];
  const csv = () => [
    [
      "fill_id",
      "order_id",
      "time_us",
      "symbol",
      "side",
      "quantity",
      "price",
      "commission",
      "swap",
      "profit",
      "reason",
    ],
    ...items.map((f) => [
      f.fill_id,
      f.order_id,
      f.us,
      f.symbol,
      f.side,
      f.executed_quantity,
      f.executed_price,
      f.commission,
      f.swap,
      f.profit,
      f.reason,
    ]),
  ];
  const state = widgetState(query, {
    isEmpty: all.length === 0,
    title: t("fills.none"),
    hint: t("fills.none_hint"),
  });
  return (
    <Widget title={t("positions.tab_fills")} state={state} isFlush csv={csv} actions={field}>
      <DataTable
        label={t("positions.tab_fills")}
        columns={columns}
        items={items}
        keyOf={(fill) => String(fill.position)}
      />
      <LoadMore query={query} />
    </Widget>
  );
}
