import { expect, it } from "vitest";
import type { EventItem } from "../src/gen/protocol";
import { transfersOf } from "../src/pages/positions/Transfers";

const adjusted = (position: number, amount: string, is_result: boolean): EventItem =>
  ({
    position,
    at_us: 1_700_000_000_000_000,
    payload: { amount, balance: "10500.00", reason: "deposit", is_result },
  }) as unknown as EventItem;

it("lists what came and went, and not the result of a position closed without a deal", () => {
  const items = transfersOf([adjusted(2, "-200.00", false), adjusted(1, "-12.30", true)]);
  expect(items.map(({ position, amount, us }) => [position, amount, us])).toEqual([
    [2, "-200.00", 1_700_000_000_000_000],
  ]);
});
