/** Decisions and fills as marks on bars; a mark's id is the address of what it stands for. */

import type { DecisionItem, EventItem, FillItem } from "../gen/protocol";
import { recordTimeUs } from "../format/times";
import { sideSign } from "../widgets/Figures";
import type { DecisionMark } from "./decisionMarkers";

/** Where all fills are listed: a fill has no page of its own. */
const FILLS = "/positions/fills";

/** The start of the bar that an instant lies in, seconds. */
export const barOf = (us: number, periodS: number): number =>
  Math.floor(us / 1_000_000 / periodS) * periodS;

/** The address of a decision. */
export const decisionPath = (id: string): string => `/decisions/${encodeURIComponent(id)}`;

/** One mark per bar, outcome and direction: the newest decision of its kind. */
export function marksOf(decisions: readonly DecisionItem[], periodS: number): DecisionMark[] {
  const marks = new Map<string, DecisionMark>();
  for (const { decision_id, ts_us, side, outcome } of decisions) {
    const timeS = barOf(ts_us, periodS);
    const sign = sideSign(side);
    const key = `${timeS}|${outcome}|${sign}`;
    if (!marks.has(key))
      marks.set(key, {
        id: decisionPath(decision_id),
        timeS,
        sign,
        isFilled: outcome === "traded",
        isDenied: outcome === "denied",
      });
  }
  return [...marks.values()];
}

/** Every fill of a symbol at its price: entries filled, exits hollow. */
export function fillMarksOf(
  events: readonly EventItem[],
  symbol: string,
  periodS: number,
): DecisionMark[] {
  const marks: DecisionMark[] = [];
  for (const { payload, at_us } of events) {
    const fill = payload as unknown as FillItem;
    if (fill.symbol !== symbol) continue;
    marks.push({
      id: FILLS,
      timeS: barOf(recordTimeUs(fill) || at_us, periodS),
      price: fill.executed_price,
      sign: sideSign(fill.side),
      isFilled: !fill.is_exit,
      isDenied: false,
    });
  }
  return marks;
}
