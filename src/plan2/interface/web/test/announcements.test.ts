import { expect, it } from "vitest";
import type { EventItem, Json } from "../src/gen/protocol";
import { announcementOf } from "../src/shell/announcements";

const told = (type: string, payload: Record<string, Json> = {}) =>
  announcementOf({ type, payload } as unknown as EventItem, (actor) => `person ${actor}`);

it("tells of positions, breaches, refusals, alerts and switches in words", () => {
  expect(told("PositionOpened", { symbol: "EURUSD", direction: "buy", quantity: 0.1 })).toBe(
    "Position opened: EURUSD buy 0.10",
  );
  expect(
    told("PositionClosed", { symbol: "EURUSD", profit: "-12.4", reason: "stop_loss" }),
  ).toMatch(/^Position closed: EURUSD \u221212\.40 \(/);
  expect(told("RiskLimitBreached", { rule_id: "daily_loss" })).toBe(
    "Risk limit reached: Daily loss",
  );
  expect(told("TradingStateChanged", { new_state: "halted", actor: "x" })).toContain("person x");
  expect(told("OrderRejected", { symbol: "EURUSD", reason: "no money" })).toContain("no money");
  expect(told("AlertRaised", { title: "High", words: "1.2" })).toBe("Alert: High. 1.2");
});

it("keeps silent about whatever only moves", () => {
  const quiet = [
    "MarketDataReceived",
    "EquityRecorded",
    "DecisionMade",
    "BarClosed",
    "ForecastMade",
  ];
  expect(quiet.map((type) => told(type, { symbol: "EURUSD" }))).toEqual(quiet.map(() => null));
});
