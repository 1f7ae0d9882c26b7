/** Every figure with its interval and formula, and what the flow has earned since it trades. */

import { type Metric, type Report, type Traded, useTraded } from "../../api/backtests";
import { DASH, fixed } from "../../format/numbers";
import { b } from "../../strings/backtests";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { figureText, intervalText } from "./figures";
import { said, spoken } from "../../strings/told";

const stateName = ({ state }: Traded) => b(state === "live" ? "summary.live" : "summary.paper");

/** A column of one version's trading in one state, beside the backtest's. */
const tradedColumn = (traded: Traded, isAlone: boolean): Column<Metric> => ({
  key: `${traded.state}${traded.version}`,
  title: isAlone
    ? stateName(traded)
    : `${stateName(traded)}, ${b("summary.version", { version: traded.version })}`,
  align: "right",
  cell: (metric) => {
    const { name, unit } = metric.definition;
    const figure = traded.figures[name];
    if (!figure) return <Missing why={b("summary.not_live")} />;
    if (figure.value === null) return <Missing why={figure.reason} />;
    return (
      <>
        <b className="num">{figureText(unit, figure.value)}</b>{" "}
        <span className="num dim">{intervalText({ ...metric, figure })}</span>
      </>
    );
  },
});

function Missing({ why }: { why: string }) {
  return (
    <span className="faint" title={why}>
      <span aria-hidden="true">{DASH}</span>
      <span className="sr-only">{why}</span>
    </span>
  );
}

/** Whether a version's trading has any of these figures; else its column would be empty. */
const hasAny = (metrics: Metric[]) => (traded: Traded) =>
  metrics.some(({ definition }) => definition.name in traded.figures);

const columns = (metrics: Metric[], traded: Traded[]): Column<Metric>[] => [
  {
    key: "label",
    title: b("summary.figure"),
    role: "lead",
    cell: ({ definition }) => <span {...spoken(definition.label)} />,
  },
  {
    key: "value",
    title: b(traded.length ? "summary.backtest" : "summary.value"),
    align: "right",
    role: "full",
    cell: ({ definition, figure }) =>
      figure.value === null ? (
        <span className="dim" {...spoken(figure.reason)} />
      ) : (
        <b className="num">{figureText(definition.unit, figure.value)}</b>
      ),
  },
  ...(metrics.some((metric) => intervalText(metric))
    ? [
        {
          key: "interval",
          title: b("summary.interval"),
          align: "right" as const,
          cell: (metric: Metric) => <span className="num dim">{intervalText(metric)}</span>,
        },
      ]
    : []),
  ...traded.map((each) => tradedColumn(each, traded.length === 1)),
  {
    key: "formula",
    title: b("summary.formula"),
    role: "wide",
    cell: ({ definition }) => <span className="faint" {...spoken(definition.formula)} />,
  },
];

export function SummaryTab({ report }: { report: Report }) {
  const sections = [...new Set(report.metrics.map(({ section }) => section))];
  const { days, trades, trials } = report.evidence;
  const traded = useTraded(report.run.run_id).data ?? [];
  const of = (section: string) => report.metrics.filter((metric) => metric.section === section);
  return (
    <>
      <p className="dim">
        {b("summary.evidence", {
          days: fixed(days, 0),
          trades: fixed(trades, 0),
          trials: fixed(trials, 0),
        })}
      </p>
      {traded.map((each) => (
        <TradedLine key={`${each.state}${each.version}`} traded={each} />
      ))}
      {sections.map((section) => (
        <Widget key={section} title={said(section)} isFlush>
          <DataTable
            label={said(section)}
            columns={columns(of(section), traded.filter(hasAny(of(section))))}
            items={of(section)}
            keyOf={({ definition }) => definition.name}
          />
        </Widget>
      ))}
    </>
  );
}

function TradedLine({ traded }: { traded: Traded }) {
  const { version, open, first_us, last_us, figures } = traded;
  const known = { state: stateName(traded), version, open };
  const count = figures["trades"]?.value;
  return (
    <p className="dim" data-testid="backtest-traded">
      {count ? (
        <>
          {b("summary.traded", { ...known, count: fixed(count, 0) })}{" "}
          <Time us={first_us} form="full" /> – <Time us={last_us} form="full" />
        </>
      ) : (
        b("summary.traded_none", known)
      )}
    </p>
  );
}
