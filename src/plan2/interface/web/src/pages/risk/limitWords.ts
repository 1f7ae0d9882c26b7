/** A limit in words: what is used of it, what is left, when it counts anew. */

import type { Answer } from "../../api/typed";
import { DASH, duration, fixed, percent } from "../../format/numbers";
import { label } from "../../strings";
import { r, type risk } from "../../strings/risk";

export type Limit = Answer<"get", "/api/v1/risk">["limits"][number];
export type Standing = "calm" | "near" | "reached" | "unknown";

const SECOND_US = 1_000_000;
/** From this share on a limit without a warning of its own counts as near. */
const NEAR = 0.8;

/** Rules that this page names otherwise than a check of one order does. */
const OWN: Record<string, keyof typeof risk> = {
  currency: "rule.currency",
  margin: "rule.margin",
  volatility_target: "rule.volatility_target",
  expected_shortfall: "rule.expected_shortfall",
};

export function nameOf(rule: string): string {
  const own = OWN[rule];
  return own ? r(own) : label("rule", rule);
}

/** A value in the limit's unit: percent of equity, or a count. */
export function valueText(unit: string, value: number | null): string {
  if (value === null) return DASH;
  return unit === "fraction" ? percent(value) : fixed(value, 0);
}

export function standingOf({ used, limit, soft }: Limit): Standing {
  if (used === null) return "unknown";
  if (used >= limit) return "reached";
  return used >= (soft[0] ?? NEAR * limit) ? "near" : "calm";
}

/** Everything about a limit but its use, as short parts. */
export function partsOf(limit: Limit, market_us: number): string[] {
  const { unit, used, soft, effect, resets_us, window_s } = limit;
  return [
    used === null
      ? r("limits.unknown")
      : r("limits.left", { left: valueText(unit, Math.max(0, limit.limit - used)) }),
    ...(soft.length > 0
      ? [r("limits.soft", { values: soft.map((value) => valueText(unit, value)).join(", ") })]
      : []),
    r(effect === "halt" ? "limits.halt" : "limits.deny"),
    ...(resets_us !== null && resets_us > market_us
      ? [r("limits.resets", { time: duration(resets_us - market_us) })]
      : []),
    ...(window_s > 0 ? [r("limits.window", { time: duration(window_s * SECOND_US) })] : []),
  ];
}
