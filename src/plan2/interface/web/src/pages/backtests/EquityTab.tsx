/** Equity with its drawdown, open lots, the rolling Sharpe ratio, and the deepest falls. */

import { lazy, Suspense } from "react";
import { type Report, useRunEquity } from "../../api/backtests";
import { fixed, percent } from "../../format/numbers";
import type { Equity } from "../../gen/protocol";
import { b } from "../../strings/backtests";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Loading, Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { Lines } from "./drawings";

const EquityChart = lazy(() => import("../../chart/EquityChart"));

type Fall = Report["falls"][number];

export function EquityTab({ report }: { report: Report }) {
  const query = useRunEquity(report.run.run_id);
  const { rolling_sharpe: rolling } = report.pictures;
  const lots = query.data && { time_us: query.data.time_us, values: query.data.lots };
  const state = widgetState(query, {
    isEmpty: query.data?.time_us.length === 0,
    title: b("equity.none"),
    hint: b("equity.none_hint"),
  });
  return (
    <>
      <Widget title={b("equity.title")} state={state} isFlush className="backtest-chart">
        <Suspense fallback={<Loading />}>
          {query.data && <EquityChart data={equityOf(query.data)} />}
        </Suspense>
      </Widget>
      <Widget title={b("equity.falls")} isFlush>
        {report.falls.length === 0 ? (
          <p className="w-state">{b("equity.no_falls")}</p>
        ) : (
          <DataTable
            label={b("equity.falls")}
            columns={fallColumns()}
            items={report.falls}
            keyOf={({ start_us }) => String(start_us)}
          />
        )}
      </Widget>
      <div className="backtest-pair">
        <Widget title={b("equity.lots")} state={state}>
          {lots && (
            <Lines
              curves={[{ name: "lots", curve: lots, tone: 0 }]}
              name={b("equity.lots")}
              yText={(value) => fixed(value, 2)}
              zero
            />
          )}
        </Widget>
        <Widget title={b("equity.rolling")}>
          {rolling.values.length > 1 ? (
            <Lines
              curves={[{ name: "sharpe", curve: rolling, tone: 0 }]}
              name={b("equity.rolling")}
              yText={(value) => fixed(value, 1)}
              zero
            />
          ) : (
            <p className="dim">{b("equity.rolling_none")}</p>
          )}
        </Widget>
      </div>
    </>
  );
}

/** The chart takes amounts as the server's decimal strings. */
const equityOf = (line: { time_us: number[]; equity: number[]; balance: number[] }): Equity =>
  ({
    time_us: line.time_us,
    equity: line.equity.map(String),
    balance: line.balance.map(String),
  }) as Equity;

const fallColumns = (): Column<Fall>[] => [
  {
    key: "depth",
    title: b("equity.depth"),
    role: "lead",
    cell: ({ depth }) => <b className="num down">{percent(depth)}</b>,
    sortBy: ({ depth }) => depth,
  },
  {
    key: "from",
    title: b("equity.from"),
    cell: ({ start_us }) => <Time us={start_us} form="full" />,
    sortBy: ({ start_us }) => start_us,
  },
  {
    key: "bottom",
    title: b("equity.bottom"),
    cell: ({ bottom_us }) => <Time us={bottom_us} form="full" />,
  },
  {
    key: "end",
    title: b("equity.end"),
    cell: ({ end_us }) =>
      end_us ? (
        <Time us={end_us} form="full" />
      ) : (
        <span className="dim">{b("equity.not_yet")}</span>
      ),
  },
];
