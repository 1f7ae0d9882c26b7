/** Up to six runs side by side: overlaid equity, parameters, and figures with the better one marked. */

import { Link } from "wouter";
import { type Comparison, type Curve, useComparison } from "../../api/backtests";
import { Note } from "../../asking/Note";
import { percent, significant } from "../../format/numbers";
import { b, backtestLabel } from "../../strings/backtests";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { Lines } from "./drawings";
import { figureText, toneOf } from "./figures";
import { spoken } from "../../strings/told";

export function CompareRuns({ runs }: { runs: string }) {
  const query = useComparison(runs);
  const found = query.data;
  const back = (
    <Link href="/backtests" className="ghost-button">
      {b("run.back")}
    </Link>
  );
  return (
    <>
      {found?.notes.map((note) => (
        <Note key={note} tone="warn">
          <span {...spoken(note)} />
        </Note>
      ))}
      <Widget title={b("compare.curves")} state={widgetState(query)} actions={back}>
        {found && <Curves found={found} />}
      </Widget>
      {found && (
        <Widget title={b("compare.title")} isFlush>
          <Figures found={found} />
        </Widget>
      )}
      {found && <p className="dim">{b("compare.luck")}</p>}
    </>
  );
}

function Curves({ found }: { found: Comparison }) {
  const curves = found.runs.map((run, number) => ({
    name: run.run_id,
    tone: number,
    curve: relative(found.equity[number], run.start_balance),
  }));
  return (
    <>
      <Lines
        curves={curves}
        name={b("compare.curves")}
        yText={(value) => percent(value, 1)}
        height={280}
        zero
      />
      <ul className="backtest-key">
        {found.runs.map((run, number) => (
          <li key={run.run_id} className={`tone-${number}`}>
            <Link href={`/backtests/${run.run_id}`}>{run.name}</Link>{" "}
            <span className="mono faint">{run.run_id.slice(0, 6)}</span>{" "}
            <span className="num">{told(found, number)}</span>{" "}
            <span className={`chip ${toneOf(run.verdict)}`}>
              {backtestLabel("code", run.verdict)}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What tells a run from the others: its parameters that are not the same everywhere. */
export const told = ({ parameters }: Pick<Comparison, "parameters">, number: number): string =>
  Object.entries(parameters)
    .filter(([, values]) => new Set(values).size > 1)
    .map(([name, values]) => `${name} ${significant(values[number] ?? null, 8)}`)
    .join(", ");

/** Equity as change against the start, so that runs of different sizes fit one axis. */
export const relative = (curve: Curve | undefined, start: number): Curve => ({
  time_us: curve?.time_us ?? [],
  values: (curve?.values ?? []).map((value) => value / start - 1),
});

function Figures({ found }: { found: Comparison }) {
  return (
    <div className="table-region" role="region" aria-label={b("compare.figures")} tabIndex={0}>
      <table className="tbl backtest-compare">
        <thead>
          <tr>
            <th scope="col">{b("summary.figure")}</th>
            {found.runs.map((run, number) => (
              <th key={run.run_id} scope="col" className={`is-right tone-${number}`}>
                {run.name} <span className="mono">{run.run_id.slice(0, 6)}</span>{" "}
                <span className="num">{told(found, number)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Object.entries(found.parameters).map(([name, values]) => (
            <tr key={name}>
              <th scope="row">{b("compare.parameter", { name })}</th>
              {values.map((value, number) => (
                <td key={found.runs[number]?.run_id} className="is-right num">
                  {significant(value, 8)}
                </td>
              ))}
            </tr>
          ))}
          {found.figures.map(({ definition, values, best }) => (
            <tr key={definition.name} title={definition.formula}>
              <th scope="row" {...spoken(definition.label)} />
              {values.map((value, number) => (
                <td
                  key={found.runs[number]?.run_id}
                  className={`is-right num ${best.includes(number) ? "is-best" : ""}`}
                >
                  {best.includes(number) && (
                    <span role="img" aria-label={b("compare.better")}>
                      ★{" "}
                    </span>
                  )}
                  {figureText(definition.unit, value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
