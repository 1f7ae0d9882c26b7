/** Figures of a report as text, by their unit; the same everywhere on these pages. */

import type { Metric } from "../../api/backtests";
import { DASH, fixed, money, percent } from "../../format/numbers";
import { t } from "../../strings";

export function figureText(unit: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  switch (unit) {
    case "fraction":
      return percent(value);
    case "probability":
      return percent(value, 1);
    case "money":
      return money(value);
    case "count":
      return fixed(value, 0);
    case "days":
      return value >= 1
        ? `${fixed(value, 1)} ${t("unit.d")}`
        : `${fixed(value * 24, 1)} ${t("unit.h")}`;
    default:
      return fixed(value, 2);
  }
}

/** From low to high; "" without an interval. */
export const intervalText = ({ definition, figure }: Metric): string =>
  figure.low === null || figure.high === null
    ? ""
    : `${figureText(definition.unit, figure.low)} … ${figureText(definition.unit, figure.high)}`;

const TONES: Record<string, string> = { earns: "is-ok", loses: "is-crit" };

export const toneOf = (verdict: string): string => TONES[verdict] ?? "is-warn";

/** Seconds of a flow's bars: "5m" is 300; a bar of one tick is drawn by the minute. */
export function periodSeconds(period: string): number {
  const found = /^(\d+)([smhd])$/.exec(period);
  if (!found) return 60;
  const units: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };
  return Number(found[1]) * (units[found[2] ?? "m"] ?? 60);
}
