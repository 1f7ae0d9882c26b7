import { afterEach, describe, expect, it } from "vitest";
import type { SymbolInfo } from "../src/gen/protocol";
import { bodyOfClick } from "../src/pages/market/oneClickOrder";
import { IDLE_MS, useOneClick } from "../src/state/oneClick";

const INFO = {
  symbol: "EURUSD",
  digits: 5,
  point: 1e-5,
  volume_min: 0.01,
  volume_step: 0.01,
  volume_max: 100,
} as SymbolInfo;
const market = { info: INFO, bid: 1.1, ask: 1.1001, currency: "USD" };

const state = () => useOneClick.getState();

afterEach(() => useOneClick.getState().disarm());

describe("one-click trading", () => {
  it("is off by default, and ends a quarter of an hour after its last use", () => {
    expect(state().until_ms).toBe(0);
    expect(state().use(1_000)).toBe(false);
    expect(state().until_ms).toBe(0);
    state().arm(1_000);
    expect(state().until_ms).toBe(901_000);
    expect(state().use(600_000)).toBe(true);
    expect(state().until_ms).toBe(600_000 + IDLE_MS);
    expect(state().use(600_000 + IDLE_MS)).toBe(false);
    expect(state().until_ms).toBe(0);
  });

  it("buys at the ask with the stop below, sells at the bid with the stop above", () => {
    const click = { lots: "0.10", points: "200" };
    expect(bodyOfClick(click, "buy", market, "utc")).toMatchObject({
      side: "buy",
      quantity: 0.1,
      trigger: "market",
      stop_loss: 1.0981,
    });
    expect(bodyOfClick(click, "sell", market, "utc")?.stop_loss).toBe(1.102);
  });

  it("asks for nothing without a stop, without lots, off the grid or without a quote", () => {
    const body = (lots: string, points: string, quoted = market) =>
      bodyOfClick({ lots, points }, "buy", quoted, "utc");
    expect(body("0.10", "")).toBeNull();
    expect(body("0.10", "0")).toBeNull();
    expect(body("", "200")).toBeNull();
    expect(body("0.015", "200")).toBeNull();
    expect(body("0.10", "200", { ...market, ask: null as never })).toBeNull();
  });
});
