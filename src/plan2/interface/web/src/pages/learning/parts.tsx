/** Figures with their intervals, as every widget of the learning page shows them. */

import type { Answer } from "../../api/typed";
import { DASH, percent, significant } from "../../format/numbers";

export type Learning = Answer<"get", "/api/v1/learning">;
export type SymbolLearning = Learning["symbols"][number];
export type ContestItem = Learning["contests"][number];
export type Interval = { value: number; low: number; high: number };

type Show = (value: number) => string;

export const share: Show = (value) => percent(value, 1);
export const signedShare: Show = (value) => percent(value, 2, true);
export const figure: Show = (value) => significant(value, 3);

/** A figure and its 95 % interval. */
export function Range({ of, show }: { of: Interval | null | undefined; show: Show }) {
  if (!of) return <span className="faint">{DASH}</span>;
  return (
    <span className="num">
      {show(of.value)}{" "}
      <span className="faint">
        {show(of.low)} … {show(of.high)}
      </span>
    </span>
  );
}
