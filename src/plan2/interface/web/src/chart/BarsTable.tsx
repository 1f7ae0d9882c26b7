/** The bars of the chart as a table: the accessible equivalent of the canvas. */

import { price } from "../format/numbers";
import type { Bars } from "../gen/protocol";
import { t } from "../strings";
import { type Column, DataTable } from "../widgets/DataTable";
import { Time } from "../widgets/Figures";

const SHOWN = 200;

type Row = { us: number; open: number; high: number; low: number; close: number; ticks: number };

export function BarsTable({ bars, digits }: { bars: Bars; digits: number }) {
  const rows: Row[] = bars.time_us.map((us, i) => ({
    us,
    open: bars.open[i] ?? NaN,
    high: bars.high[i] ?? NaN,
    low: bars.low[i] ?? NaN,
    close: bars.close[i] ?? NaN,
    ticks: bars.ticks[i] ?? 0,
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
