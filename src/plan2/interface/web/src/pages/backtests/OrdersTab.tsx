/** Every request with its answer, and what was denied or rejected. */

import { useState } from "react";
import { type Order, type Report, useOrders } from "../../api/backtests";
import { fixed, lots, significant } from "../../format/numbers";
import { words } from "../../strings";
import { b, backtestLabel } from "../../strings/backtests";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Pair, SideTag, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { PAGE, Pager } from "./Pager";

export function OrdersTab({ report }: { report: Report }) {
  const [offset, setOffset] = useState(0);
  const query = useOrders(report.run.run_id, offset, PAGE);
  const state = widgetState(query, {
    isEmpty: query.data?.total === 0,
    title: b("orders.none"),
    hint: b("orders.none_hint"),
  });
  return (
    <>
      <Refusals title={b("orders.denied")} counts={report.denials} />
      <Refusals title={b("orders.rejected")} counts={report.rejects} />
      <Widget title={b("orders.title")} state={state} isFlush>
        <DataTable
          label={b("orders.title")}
          columns={columns()}
          items={query.data?.items ?? []}
          keyOf={({ order }) => String(order)}
        />
        <Pager offset={offset} total={query.data?.total ?? 0} turn={setOffset} />
      </Widget>
    </>
  );
}

function Refusals({ title, counts }: { title: string; counts: Record<string, number> }) {
  const entries = Object.entries(counts);
  if (entries.length === 0) return null;
  return (
    <Widget title={title}>
      <dl className="pairs is-left">
        {entries.map(([reason, count]) => (
          <Pair key={reason} name={words(reason)}>
            {fixed(count, 0)}
          </Pair>
        ))}
      </dl>
    </Widget>
  );
}

const columns = (): Column<Order>[] => [
  {
    key: "time",
    title: b("orders.time"),
    role: "lead",
    cell: ({ ts_us }) => <Time us={ts_us} form="full" />,
  },
  { key: "kind", title: b("orders.kind"), cell: ({ kind }) => backtestLabel("code", kind) },
  { key: "side", title: b("trade.side"), cell: ({ side }) => <SideTag side={side} /> },
  {
    key: "lots",
    title: b("trade.lots"),
    align: "right",
    cell: (one) => <span className="num">{lots(one.lots)}</span>,
  },
  {
    key: "filled",
    title: b("orders.filled"),
    align: "right",
    cell: (one) => <span className="num">{lots(one.filled_lots)}</span>,
  },
  {
    key: "price",
    title: b("orders.price"),
    align: "right",
    cell: ({ price }) => <span className="num">{price ? significant(price, 8) : "–"}</span>,
  },
  {
    key: "code",
    title: b("orders.code"),
    align: "right",
    cell: ({ code }) => <span className="num">{code}</span>,
  },
  { key: "reason", title: b("trade.reason"), cell: ({ reason }) => words(reason) },
];
