/** How results are spread, and how far trades ran for and against us. */

import type { Report } from "../../api/backtests";
import { b } from "../../strings/backtests";
import { Widget } from "../../widgets/Widget";
import { Points, ResultHistogram } from "./drawings";

export function DistributionTab({ report }: { report: Report }) {
  const { trade_results, daily_returns, excursions } = report.pictures;
  const won = excursions.filter(({ net }) => net > 0).length;
  const points = b("distribution.points", { count: excursions.length, won });
  const trades = b("distribution.trades", { currency: report.run.currency });
  const nothing = <p className="dim">{b("distribution.none")}</p>;
  return (
    <div className="backtest-pair">
      <Widget title={trades}>
        {trade_results.counts.length > 0 ? (
          <ResultHistogram data={trade_results} name={trades} />
        ) : (
          nothing
        )}
      </Widget>
      <Widget title={b("distribution.days")}>
        {daily_returns.counts.length > 0 ? (
          <ResultHistogram data={daily_returns} name={b("distribution.days")} scale={100} />
        ) : (
          nothing
        )}
      </Widget>
      {(["mae", "mfe"] as const).map((by) => (
        <Widget key={by} title={b(`distribution.${by}`)}>
          {excursions.length > 0 ? (
            <Points points={excursions} by={by} name={`${b(`distribution.${by}`)}: ${points}`} />
          ) : (
            nothing
          )}
        </Widget>
      ))}
    </div>
  );
}
