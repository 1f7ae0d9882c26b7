/** Every figure with its interval and formula, section by section. */

import type { Metric, Report } from "../../api/backtests";
import { fixed } from "../../format/numbers";
import { b } from "../../strings/backtests";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Widget } from "../../widgets/Widget";
import { figureText, intervalText } from "./figures";

const columns = (): Column<Metric>[] => [
  {
    key: "label",
    title: b("summary.figure"),
    role: "lead",
    cell: ({ definition }) => <span lang="en">{definition.label}</span>,
  },
  {
    key: "value",
    title: b("summary.value"),
    align: "right",
    role: "full",
    cell: ({ definition, figure }) =>
      figure.value === null ? (
        <span lang="en" className="dim">
          {figure.reason}
        </span>
      ) : (
        <b className="num">{figureText(definition.unit, figure.value)}</b>
      ),
  },
  {
    key: "interval",
    title: b("summary.interval"),
    align: "right",
    cell: (metric) => <span className="num dim">{intervalText(metric)}</span>,
  },
  {
    key: "formula",
    title: b("summary.formula"),
    role: "wide",
    cell: ({ definition }) => (
      <span lang="en" className="faint">
        {definition.formula}
      </span>
    ),
  },
];

export function SummaryTab({ report }: { report: Report }) {
  const sections = [...new Set(report.metrics.map(({ section }) => section))];
  const { days, trades, trials } = report.evidence;
  return (
    <>
      <p className="dim">
        {b("summary.evidence", {
          days: fixed(days, 0),
          trades: fixed(trades, 0),
          trials: fixed(trials, 0),
        })}
      </p>
      {sections.map((section) => (
        <Widget key={section} title={section} isFlush>
          <DataTable
            label={section}
            columns={columns()}
            items={report.metrics.filter((metric) => metric.section === section)}
            keyOf={({ definition }) => definition.name}
          />
        </Widget>
      ))}
    </>
  );
}
