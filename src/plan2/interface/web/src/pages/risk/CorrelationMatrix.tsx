/** How the symbols that are held move together: a half matrix, every cell with its number. */

import type { Answer } from "../../api/typed";
import { DASH, fixed } from "../../format/numbers";
import { r } from "../../strings/risk";

export type Stress = Answer<"get", "/api/v1/risk/scenarios">;
type Pair = Stress["correlations"][number];

/** From here on two positions are nearly one. */
const STRONG = 0.7;

export function CorrelationMatrix({ stress }: { stress: Stress }) {
  const { symbols, correlations } = stress;
  if (symbols.length < 2) return <p className="dim padded">{r("correlation.one")}</p>;
  const pairs = new Map(correlations.map((one) => [`${one.first} ${one.second}`, one]));
  return (
    <>
      <div
        className="table-region"
        role="region"
        aria-label={r("correlation.title")}
        tabIndex={0}
        data-testid="correlations"
      >
        <table className="tbl correlations">
          <thead>
            <tr>
              <td />
              {symbols.slice(0, -1).map((symbol) => (
                <th key={symbol} scope="col">
                  {symbol}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {symbols.slice(1).map((row, index) => (
              <tr key={row}>
                <th scope="row">{row}</th>
                {symbols
                  .slice(0, -1)
                  .map((column, at) =>
                    at > index ? (
                      <td key={column} />
                    ) : (
                      <Cell key={column} pair={pairs.get(`${column} ${row}`)} />
                    ),
                  )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="dim padded">{r("correlation.help")}</p>
    </>
  );
}

function Cell({ pair }: { pair: Pair | undefined }) {
  if (!pair || pair.value === null)
    return (
      <td className="num faint" title={r("correlation.few", { count: pair?.hours ?? 0 })}>
        {DASH}
      </td>
    );
  const tone = pair.value > 0 ? "var(--accent)" : "var(--violet)";
  const share = Math.round(Math.abs(pair.value) * 36);
  return (
    <td
      className="num"
      style={{ background: `color-mix(in srgb, ${tone} ${share}%, transparent)` }}
      title={r("correlation.interval", {
        low: fixed(pair.low, 2, true),
        high: fixed(pair.high, 2, true),
        count: pair.hours,
      })}
    >
      {Math.abs(pair.value) >= STRONG ? (
        <b>{fixed(pair.value, 2, true)}</b>
      ) : (
        fixed(pair.value, 2, true)
      )}
    </td>
  );
}
