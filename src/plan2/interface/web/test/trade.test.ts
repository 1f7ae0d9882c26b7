import { describe, expect, it } from "vitest";
import { linkOf } from "../src/api/terminal";
import type { Component, SymbolInfo } from "../src/gen/protocol";
import type { Market } from "../src/pages/positions/dialogs/context";
import {
  decimalsOf,
  isOnVolumeGrid,
  numberOf,
  numberOrNone,
  onPriceGrid,
  pointsOf,
  profitOf,
  volumeBelow,
} from "../src/pages/positions/dialogs/figures";
import { instantOf, localText } from "../src/pages/positions/dialogs/fields";
import { refusalOf } from "../src/pages/positions/dialogs/refusal";
import { stopFault } from "../src/pages/positions/dialogs/StopsFields";
import { bodyOf, faultsOf, sentenceOf, type Ticket } from "../src/pages/positions/dialogs/ticket";
import { stakeOf } from "../src/shell/EnvironmentBadge";

const EURUSD: SymbolInfo = {
  symbol: "EURUSD",
  description: "Euro",
  base: "EUR",
  quote: "USD",
  digits: 5,
  point: 1e-5,
  contract_size: 100_000,
  lot_units: 100_000,
  volume_min: 0.01,
  volume_step: 0.01,
  volume_max: 100,
  stops_level_points: 0,
  quote_rate: 1,
  bid: 1.1,
  ask: 1.1001,
  spread_points: 10,
  ts_us: 1,
  state: "fresh",
};
const MARKET: Market = { info: EURUSD, bid: 1.1, ask: 1.1001, currency: "USD" };
const TICKET: Ticket = {
  symbol: "EURUSD",
  side: "buy",
  trigger: "market",
  quantity: "0.10",
  price: "",
  limit_price: "",
  stop_loss: "1.0901",
  take_profit: "",
  expires: "",
};

const told = (status: string, detail: string): Component => ({
  name: "terminal",
  level: 3,
  status,
  detail,
  since_us: 1,
  metrics: {},
});

describe("numbers of a ticket", () => {
  it("reads what is typed with a point or a comma, and nothing else", () => {
    expect(["1.5", "1,5", " 2 ", ".5", "1,000.5", "1e5", "-1", ""].map(numberOf)).toEqual([
      1.5,
      1.5,
      2,
      0.5,
      null,
      null,
      null,
      null,
    ]);
    expect([numberOrNone(""), numberOrNone("x")]).toEqual([0, null]);
  });

  it("knows the grids of prices and volumes", () => {
    expect(onPriceGrid(EURUSD, 1.1000049)).toBe(1.1);
    expect([0.01, 0.07, 0.015, 0, 100.01].map((lots) => isOnVolumeGrid(EURUSD, lots))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([0.075, 0.009, 0.1].map((lots) => volumeBelow(EURUSD, lots))).toEqual([0.07, 0, 0.1]);
    expect([1, 0.1, 0.01, 0.001, 0.25].map(decimalsOf)).toEqual([0, 1, 2, 3, 1]);
  });

  it("says what a move is worth: 100 points of 0.1 lots EURUSD are 10 USD", () => {
    expect(pointsOf(EURUSD, -0.001)).toBe(100);
    expect(profitOf(EURUSD, -1, 0.1, 1.1, 1.099)).toBeCloseTo(10, 9);
    const future = { ...EURUSD, contract_size: 1, lot_units: 50 };
    expect(profitOf(future, 1, 2, 5000, 5010)).toBeCloseTo(1000, 9);
    expect(profitOf({ ...EURUSD, quote_rate: null }, 1, 0.1, 1.1, 1.2)).toBeNull();
  });
});

describe("a ticket", () => {
  it("becomes an order only when nothing is missing or wrong", () => {
    expect(bodyOf(TICKET, MARKET, "why", "utc")).toEqual({
      symbol: "EURUSD",
      side: "buy",
      quantity: 0.1,
      reason: "why",
      trigger: "market",
      stop_loss: 1.0901,
      take_profit: 0,
    });
    for (const part of [
      { quantity: "" },
      { quantity: "0.015" },
      { stop_loss: "" },
      { stop_loss: "1.2" },
      { take_profit: "1.0" },
      { trigger: "limit" as const },
      { trigger: "limit" as const, price: "1.2" },
      { trigger: "stop" as const, price: "1.05" },
      { trigger: "stop_limit" as const, price: "1.2" },
    ])
      expect(bodyOf({ ...TICKET, ...part }, MARKET, "why", "utc"), JSON.stringify(part)).toBeNull();
  });

  it("waits for a price and until an instant", () => {
    const expires = "2024-03-05T12:00";
    const waiting = { ...TICKET, trigger: "limit" as const, price: "1.09900", expires };
    expect(bodyOf(waiting, MARKET, "why", "utc")).toMatchObject({
      trigger: "limit",
      price: 1.099,
      limit_price: 0,
      expires_us: Date.UTC(2024, 2, 5, 12) * 1_000,
    });
  });

  it("says what will happen, with points and money", () => {
    const body = bodyOf(TICKET, MARKET, "why", "utc");
    expect(body && sentenceOf(body, MARKET, "utc")).toBe(
      "Buy 0.10 EURUSD at market, now about 1.10010. " +
        "Stop-loss 1.09010: 1,000 points from entry, −100.00 USD. No take-profit.",
    );
  });

  it("knows on which side a stop has to lie", () => {
    expect(stopFault("stop_loss", "1.09", 1, 1.1)).toBe("");
    expect(stopFault("stop_loss", "1.09", -1, 1.1)).not.toBe("");
    expect(stopFault("take_profit", "1.09", -1, 1.1)).toBe("");
    expect(faultsOf({ ...TICKET, quantity: "x" }, MARKET).quantity).toBe("Not a number");
  });
});

describe("refusals", () => {
  it("stand beside their field, with the numbers of the rule in its unit", () => {
    const denied = { title: "", status: 422, code: "denied" };
    expect(refusalOf({ ...denied, rule: "order_value", value: 96_000, limit: 40_000 })).toEqual({
      field: "quantity",
      text: "The order is worth 96,000.00; at most 40,000.00 is allowed.",
    });
    expect(refusalOf({ ...denied, rule: "collar_pending", value: 0.08, limit: 0.05 }).text).toBe(
      "The price is 8.00\u202f% from the market; at most 5.00\u202f% is allowed.",
    );
  });

  it("falls back on the server's own words", () => {
    const problem = {
      title: "No",
      status: 422,
      code: "denied",
      rule: "new_rule",
      detail: "Because.",
    };
    expect(refusalOf(problem)).toEqual({ field: null, text: "Because." });
  });
});

describe("instants", () => {
  it("are read in the zone that is shown", () => {
    const us = Date.UTC(2024, 2, 5, 12) * 1_000;
    expect(localText(us, "utc")).toBe("2024-03-05T12:00");
    expect(instantOf("2024-03-05T12:00", "utc")).toBe(us);
    expect(instantOf(localText(us, "local"), "local")).toBe(us);
    expect([instantOf("", "utc"), localText(0, "utc"), instantOf("x", "utc")]).toEqual([
      0,
      "",
      null,
    ]);
  });
});

describe("what is at stake", () => {
  it("is real money unless it is known to be harmless", () => {
    expect(["demo", "contest", "real", "other", undefined].map((m) => stakeOf("live", m))).toEqual([
      "demo",
      "contest",
      "real",
      "real",
      "real",
    ]);
    expect(stakeOf("simulated", "real")).toBe("simulated");
  });

  it("reads the terminal's sentence", () => {
    expect(linkOf(told("ok", "Account 12345 at Broker-Demo 2"))).toEqual({
      state: "up",
      login: "12345",
      server: "Broker-Demo 2",
      host: "",
      reason: "",
    });
    expect(linkOf(told("ok", "Account 1 at S through desk-7")).host).toBe("desk-7");
    expect(linkOf(told("degraded", "Link down: no host")).state).toBe("down");
    expect(linkOf(told("degraded", "Link degraded: no trade server"))).toMatchObject({
      state: "degraded",
      reason: "no trade server",
    });
    expect(linkOf(told("down", "Something else")).reason).toBe("Something else");
  });
});
