/** The bars of the chart as a table: the accessible equivalent of the canvas. */

import { price } from "../format/numbers";
import { Link } from "wouter";
import type { Bars, DecisionItem } from "../gen/protocol";
import { label, t } from "../strings";
import { type Column, DataTable } from "../widgets/DataTable";
import { Time } from "../widgets/Figures";
import { barOf, decisionPath } from "./marks";

const SHOWN = 200;
/** Links in one row; a bar of an hour may have many decisions. */
const LINKED = 3;

type Row = {
  us: number;
  open: number;
  high: number;
  low: number;
  close: number;
  ticks: number;
  decisions: readonly DecisionItem[];
};
type Props = { bars: Bars; digits: number; decisions: readonly DecisionItem[] };

export function BarsTable({ bars, digits, decisions }: Props) {
  const within = new Map<number, DecisionItem[]>();
  for (const one of decisions) {
    const bar = barOf(one.ts_us, bars.period_s);
    within.set(bar, [...(within.get(bar) ?? []), one]);
  }
  const rows: Row[] = bars.time_us.map((us, i) => ({
    us,
    open: bars.open[i] ?? NaN,
    high: bars.high[i] ?? NaN,
    low: bars.low[i] ?? NaN,
    close: bars.close[i] ?? NaN,
    ticks: bars.ticks[i] ?? 0,
    decisions: within.get(barOf(us, bars.period_s)) ?? [],
  }));
  const priced = (key: "open" | "high" | "low" | "close"): Column<Row> => ({
    key,
    title: t(`chart.${key}`),
    align: "right",
    cell: (row) => <span className="num">{price(row[key], digits)}</span>,
    sortBy: (row) => row[key],
  });
  const columns: Column<Row>[] = [
    {
      key: "time",
      title: t("field.time"),
      cell: (row) => <Time us={row.us} form="full" />,
      sortBy: (row) => row.us,
      role: "lead",
    },
    priced("open"),
    priced("high"),
    priced("low"),
    priced("close"),
    {
      key: "ticks",
      title: t("chart.ticks"),
      align: "right",
      cell: (row) => row.ticks,
      sortBy: (row) => row.ticks,
    },
    {
      key: "decisions",
      title: t("chart.decisions"),
      cell: (row) => <Decisions items={row.decisions} />,
      sortBy: (row) => row.decisions.length,
    },
  ];
  return (
    <DataTable
      label={t("chart.table")}
      columns={columns}
      items={rows.toReversed().slice(0, SHOWN)}
      keyOf={(row) => String(row.us)}
    />
  );
}

/** A link to each decision of a bar, the newest first. */
function Decisions({ items }: { items: readonly DecisionItem[] }) {
  if (items.length === 0) return <span className="faint">–</span>;
  return (
    <span className="row wrap">
      {items.slice(0, LINKED).map((one) => (
        <Link key={one.decision_id} className="widget-link" href={decisionPath(one.decision_id)}>
          {label("outcome", one.outcome)}
        </Link>
      ))}
      {items.length > LINKED && (
        <span className="faint">{t("chart.more", { count: items.length - LINKED })}</span>
      )}
    </span>
  );
}
