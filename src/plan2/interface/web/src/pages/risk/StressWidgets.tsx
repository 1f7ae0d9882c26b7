/** What the open positions would lose if the market moved, and how their symbols move together. */

import { useRead } from "../../api/admin";
import { percent } from "../../format/numbers";
import { r } from "../../strings/risk";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { CorrelationMatrix, type Stress } from "./CorrelationMatrix";
import { nameOf } from "./limitWords";

const EVERY_MS = 15_000;

type Scenario = Stress["scenarios"][number];

export function StressWidgets() {
  const query = useRead("/api/v1/risk/scenarios", {}, { every: EVERY_MS });
  const { data } = query;
  const state = widgetState(query, {
    isEmpty: data?.positions === 0,
    title: r("exposure.none"),
    hint: r("stress.none_hint"),
  });
  const csv = () => [
    ["kind", "subject", "move", "profit", "fraction", "reaches"],
    ...(data?.scenarios ?? []).map((one) => [
      one.kind,
      one.subject,
      one.move,
      one.profit,
      one.fraction,
      one.reaches.join(" "),
    ]),
  ];
  return (
    <>
      <Widget title={r("stress.title")} state={state} csv={csv} className="stress" isFlush>
        <DataTable
          label={r("stress.title")}
          items={data?.scenarios ?? []}
          keyOf={(row) => row.kind + row.subject}
          columns={columns()}
        />
        <p className="dim padded">{r("stress.help")}</p>
      </Widget>
      <Widget title={r("correlation.title")} state={state} isFlush>
        {data && <CorrelationMatrix stress={data} />}
      </Widget>
    </>
  );
}

/** The scenario as a sentence. */
function Words({ row }: { row: Scenario }) {
  const move = percent(Math.abs(row.move ?? 0), 1);
  switch (row.kind) {
    case "all_against":
      return <>{r("stress.all_against", { move })}</>;
    case "stops":
      return (
        <>
          {r("stress.stops")}
          {row.count > 0 && (
            <span className="warn"> {r("stress.unprotected", { count: row.count })}</span>
          )}
        </>
      );
    case "currency":
      return (
        <>
          {r((row.move ?? 0) < 0 ? "stress.currency_falls" : "stress.currency_rises", {
            currency: row.subject,
            move,
          })}
        </>
      );
    case "worst_hour":
      return (
        <>
          {r("stress.worst_hour", { count: row.count })} <Time us={row.at_us} form="short" />
        </>
      );
    default:
      return <>{r("stress.bad_hours", { count: row.count })}</>;
  }
}

const columns = (): Column<Scenario>[] => [
  { key: "what", title: r("stress.what"), role: "lead", cell: (row) => <Words row={row} /> },
  {
    key: "profit",
    title: r("stress.result"),
    align: "right",
    cell: (row) => <Gain value={row.profit} />,
    sortBy: (row) => row.profit ?? 0,
  },
  {
    key: "fraction",
    title: r("exposure.share"),
    align: "right",
    cell: (row) => <span className="num">{percent(row.fraction, 2, true)}</span>,
  },
  {
    key: "reaches",
    title: r("stress.reaches"),
    cell: (row) =>
      row.reaches.length === 0 ? (
        <span className="dim">{r("stress.no_limit")}</span>
      ) : (
        <span className="row wrap">
          {row.reaches.map((rule) => (
            <span key={rule} className="chip is-crit">
              {nameOf(rule)}
            </span>
          ))}
        </span>
      ),
  },
];
