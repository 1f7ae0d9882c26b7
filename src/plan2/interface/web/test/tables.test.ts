import { describe, expect, it } from "vitest";
import { edgeNeeds } from "../src/pages/decisions/counterfactual";
import { filtered } from "../src/widgets/useFiltered";
import { windowOf } from "../src/widgets/useWindowed";

describe("the window of a long list", () => {
  it("always covers what is seen and never changes the whole height", () => {
    const count = 50_000;
    for (const row_px of [29, 34.5, 51])
      for (let top = 0; top < count * row_px; top += 98_765) {
        const seen = windowOf(count, row_px, top, 800);
        const { first, last, before_px, after_px } = seen;
        expect(first * row_px).toBeLessThanOrEqual(top);
        expect(last * row_px).toBeGreaterThanOrEqual(Math.min(top + 800, count * row_px));
        expect(before_px + (last - first) * row_px + after_px).toBeCloseTo(count * row_px, 3);
        expect(last - first).toBeLessThan(75);
      }
  });

  it("is the whole list when it is short", () => {
    expect(windowOf(3, 30, 0, 800)).toEqual({ first: 0, last: 3, before_px: 0, after_px: 0 });
  });
});

describe("a filter", () => {
  const items = ["EURUSD buy stop-loss", "USDJPY buy", "EURUSD sell"];

  it("keeps the rows with every word, in their order", () => {
    expect(filtered(items, String, "eurusd ")).toEqual([items[0], items[2]]);
    expect(filtered(items, String, "BUY eur")).toEqual([items[0]]);
    expect(filtered(items, String, "  ")).toEqual(items);
  });
});

describe("what a bet would have needed", () => {
  it("is the probability and the cost at which its pessimistic value is the margin", () => {
    const [p_lcb, barrier, cost, margin] = [0.52, 0.002, 0.00015, 0.00005];
    const needs = edgeNeeds(p_lcb, barrier, cost, margin);
    expect(needs.p).toBeCloseTo(0.55, 12);
    expect(needs.cost).toBeCloseTo(0.00003, 12);
  });

  it("is not told where no probability and no cost would do", () => {
    expect(edgeNeeds(0.45, 0.0002, 0.0003, 0)).toEqual({ p: null, cost: null });
  });
});
