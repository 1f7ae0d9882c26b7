/** The order of one click: at market, with a stop so many points away. */

import type { Zone } from "../../format/times";
import type { OrderBody } from "../../gen/protocol";
import { o } from "../../strings/oneClick";
import { type Market, paidBy } from "../positions/dialogs/context";
import { numberOf } from "../positions/dialogs/figures";
import { bodyOf } from "../positions/dialogs/ticket";

/** What stands in the fields. */
export type Click = { lots: string; points: string };

/** The order to ask for; null while something is missing or wrong: never without a stop-loss. */
export function bodyOfClick(
  { lots, points }: Click,
  side: "buy" | "sell",
  market: Market,
  zone: Zone,
): OrderBody | null {
  const sign = side === "buy" ? 1 : -1;
  const distance = numberOf(points);
  const entry = paidBy(sign, market);
  if (distance === null || distance === 0 || entry === null) return null;
  const stop = entry - sign * distance * market.info.point;
  const ticket = {
    symbol: market.info.symbol,
    side,
    trigger: "market" as const,
    quantity: lots,
    price: "",
    limit_price: "",
    stop_loss: stop.toFixed(market.info.digits),
    take_profit: "",
    expires: "",
  };
  return bodyOf(ticket, market, o("one.reason"), zone);
}
