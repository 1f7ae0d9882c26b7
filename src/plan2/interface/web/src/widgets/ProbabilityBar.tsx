/** A probability of "up" around its middle: left of 50 % means down. */

import { percent } from "../format/numbers";
import { t } from "../strings";

type Props = { p: number; uncertainty?: number; isCompact?: boolean };

/** The scale shows 20 % … 80 %: market probabilities live close to one half. */
const HALF_RANGE = 0.3;

const place = (p: number): number =>
  50 + (Math.max(-HALF_RANGE, Math.min(HALF_RANGE, p - 0.5)) / HALF_RANGE) * 50;

export function ProbabilityBar({ p, uncertainty = 0, isCompact = false }: Props) {
  const at = place(p);
  const way = p > 0.5 ? "up" : p < 0.5 ? "down" : "dim";
  const name = t("forecast.p_up_is", { p: percent(p, 1) });
  return (
    <div
      className={`prob ${isCompact ? "is-compact" : ""}`}
      role="img"
      aria-label={name}
      title={name}
    >
      <div className="prob-track">
        {uncertainty > 0 && (
          <i
            className="prob-range"
            style={{
              left: `${place(p - uncertainty)}%`,
              right: `${100 - place(p + uncertainty)}%`,
            }}
          />
        )}
        <i
          className={`prob-fill is-${way}`}
          style={{ left: `${Math.min(50, at)}%`, right: `${100 - Math.max(50, at)}%` }}
        />
        <i className="prob-middle" />
        <i className={`prob-knob is-${way}`} style={{ left: `${at}%` }} />
      </div>
      {isCompact ? (
        <span className={`num prob-text ${way}`}>
          {p > 0.5 ? "▲" : p < 0.5 ? "▼" : ""} {percent(p, 1)}
        </span>
      ) : (
        <div className="prob-scale">
          <span>{percent(0.5 - HALF_RANGE, 0)}</span>
          <span>{percent(0.5, 0)}</span>
          <span>{percent(0.5 + HALF_RANGE, 0)}</span>
        </div>
      )}
    </div>
  );
}
