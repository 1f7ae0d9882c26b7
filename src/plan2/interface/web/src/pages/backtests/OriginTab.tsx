/** What decided the result: parameters, rules, hashes; what is simulated and what is not. */

import type { Report } from "../../api/backtests";
import { fixed, significant } from "../../format/numbers";
import { words } from "../../strings";
import { b } from "../../strings/backtests";
import { spoken } from "../../strings/told";
import { Pair, Time } from "../../widgets/Figures";
import { JsonTree } from "../../widgets/JsonTree";
import { Widget } from "../../widgets/Widget";

const HASHES = [
  ["origin.run", "run_id"],
  ["origin.flow", "flow_digest"],
  ["origin.data", "data_id"],
  ["origin.code", "code_hash"],
  ["origin.log", "log_digest"],
] as const;

export function OriginTab({ report }: { report: Report }) {
  const { run, flow } = report;
  return (
    <div className="backtest-pair">
      <Widget title={b("origin.parameters")}>
        <div className="stack">
          <dl className="pairs is-left">
            {Object.entries(run.parameters).map(([name, value]) => (
              <Pair key={name} name={name}>
                <span className="num">{significant(value, 10)}</span>
              </Pair>
            ))}
          </dl>
          <JsonTree value={flow} />
        </div>
      </Widget>
      <Widget title={b("origin.hashes")}>
        <dl className="pairs is-left">
          {HASHES.map(([title, name]) => (
            <Pair key={name} name={b(title)}>
              <span className="mono backtest-hash">{run[name]}</span>
            </Pair>
          ))}
          <Pair name={b("field.seed")}>{run.seed}</Pair>
          <Pair name={b("field.engine")}>{words(run.engine)}</Pair>
          <Pair name={b("origin.loop")}>
            {b("origin.seconds", { seconds: fixed(run.seconds, 2), ticks: fixed(run.ticks, 0) })}
          </Pair>
          <Pair name={b("origin.made")}>
            <Time us={run.made_us} form="full" />
          </Pair>
        </dl>
      </Widget>
      <Sentences title={b("origin.simulated")} lines={report.simulated} />
      <Sentences title={b("origin.not_simulated")} lines={report.not_simulated} />
    </div>
  );
}

function Sentences({ title, lines }: { title: string; lines: readonly string[] }) {
  return (
    <Widget title={title}>
      <ul className="backtest-sentences">
        {lines.map((line) => (
          <li key={line} {...spoken(line)} />
        ))}
      </ul>
    </Widget>
  );
}
