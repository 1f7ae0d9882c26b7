/** A sweep: how sure the best is, a map of two parameters, and the trials. */

import type { Sweep } from "../../api/research";
import { fixed, money, percent, significant } from "../../format/numbers";
import { r, researchLabel } from "../../strings/research";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, Pair } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { HeatMapView } from "./HeatMapView";
import { pointText } from "./points";

type Row = Sweep["rows"][number];

const share = (value: number | null) =>
  value === null ? <span className="dim">{r("research.too_few")}</span> : percent(value, 1);

export function SweepView({ sweep, isDone }: { sweep: Sweep; isDone: boolean }) {
  return (
    <>
      {isDone && (
        <Widget title={r("research.best")}>
          <dl className="pairs is-left">
            <Pair name={r("research.best")}>{pointText(sweep.best?.point) || "–"}</Pair>
            <Pair name={r("research.counted")}>
              <span className="num">{fixed(sweep.counted, 0)}</span>
            </Pair>
            <Pair name={r("research.deflated")}>{share(sweep.deflated)}</Pair>
            <Pair name={r("research.overfitting")}>{share(sweep.overfitting)}</Pair>
            <Pair name={r("research.cliff")}>
              {sweep.cliff === null ? "–" : percent(sweep.cliff, 0)}
            </Pair>
            <Pair name={r("research.days")}>
              <span className="num">{sweep.days}</span>
            </Pair>
          </dl>
        </Widget>
      )}
      {sweep.heat_maps.map((map) => (
        <HeatMapView
          key={`${map.x} ${map.y}`}
          map={map}
          metric={researchLabel("metric", sweep.metric)}
        />
      ))}
      <Widget
        title={r("research.trials_done", { count: sweep.trials, planned: sweep.planned })}
        isFlush
      >
        <DataTable
          label={r("research.trials")}
          items={sweep.rows}
          keyOf={(row) => JSON.stringify(row.point)}
          columns={columnsOf(sweep)}
          footer={
            sweep.rows_left_off > 0 && (
              <p className="dim">{r("research.more_rows", { count: sweep.rows_left_off })}</p>
            )
          }
        />
      </Widget>
    </>
  );
}

const columnsOf = (sweep: Sweep): Column<Row>[] => [
  {
    key: "point",
    title: r("research.ranges"),
    role: "lead",
    cell: (row) => (
      <>
        {pointText(row.point)}{" "}
        {!row.is_whole && <span className="chip">{r("research.stopped")}</span>}
      </>
    ),
  },
  {
    key: "value",
    title: researchLabel("metric", sweep.metric),
    align: "right",
    cell: (row) => <span className="num">{row.value === null ? "–" : fixed(row.value, 3)}</span>,
    sortBy: (row) => row.value ?? Number.NEGATIVE_INFINITY,
  },
  {
    key: "net",
    title: r("research.net"),
    align: "right",
    cell: (row) => <Gain value={row.net} />,
    sortBy: (row) => row.net,
  },
  {
    key: "trades",
    title: r("research.trades"),
    align: "right",
    cell: (row) => <span className="num">{significant(row.trades)}</span>,
    sortBy: (row) => row.trades,
  },
  {
    key: "drawdown",
    title: r("research.drawdown"),
    align: "right",
    cell: (row) => <span className="num">{money(row.max_drawdown)}</span>,
    sortBy: (row) => row.max_drawdown,
  },
];
