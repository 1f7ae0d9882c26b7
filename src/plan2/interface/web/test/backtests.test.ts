import { describe, expect, it } from "vitest";
import type { Metric, Run, Trade } from "../src/api/backtests";
import { exportHref } from "../src/api/backtests";
import { decimalsOf, markersOf } from "../src/chart/TradeChart";
import { relative, told } from "../src/pages/backtests/CompareRuns";
import { figureText, intervalText, periodSeconds } from "../src/pages/backtests/figures";
import { bodyOf, EMPTY, isReady, numberOf } from "../src/pages/backtests/newRun";
import { fits } from "../src/pages/backtests/RunsWidget";
import { chartPeriod } from "../src/pages/backtests/TradesTab";

const HOUR_US = 3_600_000_000;

const trade = (members: Partial<Trade>): Trade =>
  ({ trade: 1, side: 1, open_us: 90_000_000, close_us: 200_000_000, net: 5, ...members }) as Trade;

const metric = (low: number | null, high: number | null) =>
  ({ definition: { unit: "ratio" }, figure: { value: 1, low, high, reason: "" } }) as Metric;

describe("figures of a report", () => {
  it("are written by their unit", () => {
    expect(figureText("fraction", -0.1234)).toBe("−12.34\u202f%");
    expect(figureText("money", 1234.5)).toBe("1,234.50");
    expect(figureText("days", 0.25)).toBe("6.0 h");
    expect(figureText("days", 3)).toBe("3.0 d");
    expect(figureText("ratio", null)).toBe("–");
  });

  it("show an interval only where there is one", () => {
    expect(intervalText(metric(0.5, 1.5))).toBe("0.50 … 1.50");
    expect(intervalText(metric(null, null))).toBe("");
  });

  it("know how long bars are", () => {
    expect([periodSeconds("5m"), periodSeconds("1h"), periodSeconds("tick")]).toEqual([
      300, 3_600, 60,
    ]);
  });
});

describe("the form of a new backtest", () => {
  it("takes numbers and nothing else", () => {
    expect(numberOf("1e-3")).toBe(0.001);
    expect(numberOf(" ")).toBeNull();
    expect(numberOf("12x")).toBeNull();
  });

  it("waits for every field to be right", () => {
    expect(isReady(EMPTY)).toBe(true);
    expect(isReady({ ...EMPTY, from: "2024-01-02", to: "2024-01-01" })).toBe(false);
    expect(isReady({ ...EMPTY, from: "2024-01-01", to: "2024-01-01" })).toBe(true);
    expect(isReady({ ...EMPTY, seed: "-1" })).toBe(false);
    expect(isReady({ ...EMPTY, parameters: { fast: "" } })).toBe(false);
    expect(isReady({ ...EMPTY, costs: { commission_per_lot: "3,5" } })).toBe(false);
  });

  it("sends what was changed, and no parameter that the flow lost meanwhile", () => {
    const form = {
      ...EMPTY,
      flow: "name = 'x'",
      from: "2024-01-01",
      parameters: { fast: "20", gone: "1" },
      costs: { latency_ms: "100", commission_per_lot: "3.5" },
      isSwapped: false,
    };
    expect(bodyOf(form, { fast: 12 })).toEqual({
      flow: "name = 'x'",
      symbol: "",
      parameters: { fast: 20 },
      costs: { latency_ms: 100, commission_per_lot: "3.5", swap: false },
      seed: null,
      from_us: 1_704_067_200_000_000,
      to_us: null,
    });
  });
});

describe("lists and charts", () => {
  it("filters by all words, in any order", () => {
    const run = { name: "ema-cross", symbol: "EURUSD", verdict: "loses", run_id: "ab12" } as Run;
    expect(fits(run, "")).toBe(true);
    expect(fits(run, "eurusd EMA")).toBe(true);
    expect(fits(run, "eurusd breakout")).toBe(false);
  });

  it("draws runs of different sizes on one axis", () => {
    expect(relative({ time_us: [1, 2], values: [100, 110] }, 100).values[1]).toBeCloseTo(0.1);
    expect(relative(undefined, 100)).toEqual({ time_us: [], values: [] });
  });

  it("tells runs apart by the parameters that differ", () => {
    const parameters = { fast: [5, 10], slow: [20, 20], stop: [null, 30] };
    expect(told({ parameters }, 0)).toBe("fast 5, stop –");
    expect(told({ parameters }, 1)).toBe("fast 10, stop 30");
    expect(told({ parameters: { slow: [20, 20] } }, 0)).toBe("");
  });

  it("takes longer bars for longer trades", () => {
    expect(chartPeriod(60, { open_us: 0, close_us: HOUR_US })).toBe(60);
    expect(chartPeriod(60, { open_us: 0, close_us: 100 * HOUR_US })).toBe(300);
    expect(chartPeriod(300, { open_us: 0, close_us: 60_000_000 })).toBe(300);
  });

  it("marks entries and exits at the bars that hold them", () => {
    const palette = { up: "green", down: "red", accent: "blue" };
    const marks = markersOf([trade({ trade: 2, side: -1, net: -3 }), trade({})], 60, 1, palette);
    expect(marks.map(({ time, shape, color }) => [time, shape, color])).toEqual([
      [60, "arrowDown", "red"],
      [60, "arrowUp", "blue"],
      [180, "circle", "red"],
      [180, "circle", "blue"],
    ]);
    expect(marks[3]?.text).toBe("+5.00");
  });

  it("shows as many decimals as the prices have", () => {
    const bars = { close: [1.1, 1.10025] } as Parameters<typeof decimalsOf>[0];
    expect(decimalsOf(bars)).toBe(5);
  });

  it("names files by run and table", () => {
    expect(exportHref("a/b", "csv", "orders")).toBe(
      "/api/v1/backtests/a%2Fb/export?format=csv&what=orders",
    );
  });
});
