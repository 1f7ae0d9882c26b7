/** The same trades by chance: other orders, drawn again, some missed, random entries. */

import type { Chance } from "../../api/research";
import { fixed, money } from "../../format/numbers";
import { r } from "../../strings/research";
import { Pair } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { Lines } from "./Lines";
import { spanText } from "./spans";

export function ChanceView({ chance }: { chance: Chance }) {
  const { fan, entries } = chance;
  const [p05, p25, p50, p75, p95] = fan.bands;
  const label = r("research.fan_label", {
    end: money(fan.actual.at(-1) ?? 0, true),
    usual: money(fan.drawdown.p50),
    rare: money(fan.drawdown.p95),
  });
  return (
    <Widget title={r("research.chance")}>
      <div className="stack">
        <b>{r("research.fan")}</b>
        <Lines
          at={fan.at}
          bands={[
            [p05 ?? [], p95 ?? []],
            [p25 ?? [], p75 ?? []],
          ]}
          lines={[
            { values: p50 ?? [], className: "is-middle" },
            { values: fan.actual, className: "is-actual" },
          ]}
          label={label}
        />
        <dl className="pairs is-left">
          <Pair name={r("research.fall")}>
            <span className="num">
              {money(fan.drawdown.p50)} – {money(fan.drawdown.p95)}
            </span>
          </Pair>
          <Pair name={r("research.fall_was")}>
            <span className="num">{money(fan.actual_drawdown)}</span>
          </Pair>
          <Pair name={r("research.blocks")}>{spanText(chance.blocks)}</Pair>
          <Pair name={r("research.skips")}>{spanText(chance.skips)}</Pair>
          <Pair name={r("research.entries")}>
            {entries ? (
              <span className="num">p = {fixed(entries.p_value, 3)}</span>
            ) : (
              <span className="dim">{r("research.entries_few")}</span>
            )}
          </Pair>
        </dl>
      </div>
    </Widget>
  );
}
