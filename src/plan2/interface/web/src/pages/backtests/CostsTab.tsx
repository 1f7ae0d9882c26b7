/** From the result before costs down to the net result. */

import type { Report } from "../../api/backtests";
import { percent } from "../../format/numbers";
import { b } from "../../strings/backtests";
import { Gain } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";

const PARTS = ["before", "spread", "slippage", "commission", "swap", "net"] as const;

export function CostsTab({ report }: { report: Report }) {
  const { costs, run } = report;
  const largest = Math.max(...PARTS.map((part) => Math.abs(costs[part])), 0.01);
  return (
    <Widget title={b("costs.title", { currency: run.currency })} isFlush>
      <table className="tbl backtest-costs">
        <thead className="sr-only">
          <tr>
            <th scope="col">{b("costs.part")}</th>
            <th scope="col">{run.currency}</th>
          </tr>
        </thead>
        <tbody>
          {PARTS.map((part) => (
            <tr key={part} className={part === "before" || part === "net" ? "is-total" : ""}>
              <th scope="row">{b(`costs.${part}`)}</th>
              <td className="is-right">
                <Gain value={costs[part]} />
              </td>
              <td className="is-wide" aria-hidden="true">
                <i
                  className={costs[part] < 0 ? "lost" : "gained"}
                  style={{ width: percent(Math.abs(costs[part]) / largest, 1).replace(/\s/g, "") }}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Widget>
  );
}
