/** Every limit as a bar: used, the values that warn, the limit itself, and the same in words. */

import { Link } from "wouter";
import { r } from "../../strings/risk";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { type Limit, nameOf, partsOf, standingOf, valueText } from "./limitWords";
import type { RiskQuery } from "./riskQuery";

const TONES = { calm: "", near: "is-warn", reached: "is-crit", unknown: "" } as const;

export function LimitsWidget({ query }: { query: RiskQuery }) {
  const { data } = query;
  const limits = data?.limits ?? [];
  const state = widgetState(query, {
    isEmpty: limits.length === 0,
    title: r("limits.none"),
    hint: r("limits.none_hint"),
  });
  const csv = () => [
    ["rule", "unit", "used", "limit", "effect"],
    ...limits.map((one) => [one.rule, one.unit, one.used, one.limit, one.effect]),
  ];
  const change = (
    <Link className="widget-link" href="/settings/limits">
      {r("limits.change")}
    </Link>
  );
  return (
    <Widget
      title={r("limits.title")}
      state={state}
      csv={csv}
      actions={change}
      className="area-limits"
    >
      <ul className="risk-limits">
        {limits.map((one) => (
          <LimitBar key={one.rule} limit={one} market_us={data?.market_us ?? 0} />
        ))}
      </ul>
    </Widget>
  );
}

function LimitBar({ limit, market_us }: { limit: Limit; market_us: number }) {
  const standing = standingOf(limit);
  const share = limit.used === null ? 0 : Math.min(1, limit.used / limit.limit);
  const name = nameOf(limit.rule);
  const text = r("limits.of", {
    used: valueText(limit.unit, limit.used),
    limit: valueText(limit.unit, limit.limit),
  });
  return (
    <li data-testid={`limit-${limit.rule}`} data-standing={standing}>
      <div className="limit-head">
        <span>
          {name}{" "}
          {(standing === "near" || standing === "reached") && (
            <span className={`chip ${TONES[standing]}`}>{r(`limits.${standing}`)}</span>
          )}
        </span>
        <span className="num">{text}</span>
      </div>
      <div
        className={`bar ${TONES[standing]}`}
        role="meter"
        aria-label={name}
        aria-valuetext={text}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
      >
        <i style={{ width: `${share * 100}%` }} />
        {limit.soft.map((value) => (
          <b key={value} className="soft" style={{ left: `${(value / limit.limit) * 100}%` }} />
        ))}
      </div>
      <p className="dim limit-parts">{partsOf(limit, market_us).join(" · ")}</p>
    </li>
  );
}
