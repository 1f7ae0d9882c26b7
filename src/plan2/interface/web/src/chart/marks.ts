/** Decisions as marks on bars: one per bar, outcome and direction, the newest of its kind. */

import type { DecisionItem } from "../gen/protocol";
import { sideSign } from "../widgets/Figures";
import type { DecisionMark } from "./decisionMarkers";

export function marksOf(decisions: readonly DecisionItem[], periodS: number): DecisionMark[] {
  const marks = new Map<string, DecisionMark>();
  for (const { decision_id, ts_us, side, outcome } of decisions) {
    const timeS = Math.floor(ts_us / 1_000_000 / periodS) * periodS;
    const sign = sideSign(side);
    const key = `${timeS}|${outcome}|${sign}`;
    if (!marks.has(key))
      marks.set(key, {
        id: decision_id,
        timeS,
        sign,
        isTraded: outcome === "traded",
        isDenied: outcome === "denied",
      });
  }
  return [...marks.values()];
}
