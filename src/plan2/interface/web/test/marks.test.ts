import { describe, expect, it } from "vitest";
import { fillMarksOf, marksOf } from "../src/chart/marks";
import type { DecisionItem, EventItem } from "../src/gen/protocol";
import { leastOf, sizeOf, votersOf } from "../src/pages/market/CalibrationSize";

const NOON_S = 1_709_640_000;
const decision = (id: string, afterS: number, outcome: string, side = "buy"): DecisionItem =>
  ({ decision_id: id, ts_us: (NOON_S + afterS) * 1e6, side, outcome }) as unknown as DecisionItem;
const fill = (symbol: string, afterS: number, isExit: boolean): EventItem =>
  ({
    at_us: (NOON_S + afterS) * 1e6,
    payload: { symbol, executed_price: 1.1, side: "sell", is_exit: isExit },
  }) as unknown as EventItem;

describe("marks on the chart", () => {
  it("stand on the bar that the decision lies in, and lead to it", () => {
    const [mark] = marksOf([decision("d 1", 119, "traded")], 60);
    expect(mark).toMatchObject({ id: "/decisions/d%201", timeS: NOON_S + 60, isFilled: true });
  });

  it("show the newest of a bar's decisions of one outcome and direction", () => {
    const marks = marksOf(
      [decision("new", 30, "denied"), decision("old", 10, "denied"), decision("x", 5, "traded")],
      60,
    );
    expect(marks.map(({ id }) => id)).toEqual(["/decisions/new", "/decisions/x"]);
  });

  it("are one for each fill of the symbol, at its price; exits are hollow", () => {
    const events = [fill("EURUSD", 0, false), fill("EURUSD", 0, true), fill("USDJPY", 0, false)];
    const marks = fillMarksOf(events, "EURUSD", 60);
    expect(marks.map(({ isFilled, price }) => [isFilled, price])).toEqual([
      [true, 1.1],
      [false, 1.1],
    ]);
  });
});

describe("a calibration's sample", () => {
  it("is the smallest of the models that voted", () => {
    const vote = { model_id: "a", weight: 0.5, abstained: "" };
    const silent = { ...vote, model_id: "b", weight: 0 };
    expect(votersOf([vote, silent] as never)).toEqual(["a"]);
    expect(sizeOf({ calibration: { n_eff: 812.4 } })).toBe(812.4);
    expect(leastOf([812.4, 90])).toBe(90);
  });

  it("is not known when one of them is not, or none voted", () => {
    expect(sizeOf(undefined)).toBeNull();
    expect(leastOf([812, null])).toBeNull();
    expect(leastOf([])).toBeNull();
  });
});
