/** What a ticket asks for: read from its fields, checked, and said in a sentence. */

import type { OrderBody, Trigger } from "../../../gen/protocol";
import { full, type Zone } from "../../../format/times";
import { t } from "../../../strings";
import { type Market, lotsText, paidBy, priceText, stopText } from "./context";
import { instantOf } from "./fields";
import { isOnVolumeGrid, numberOf, numberOrNone, onPriceGrid, type Sign } from "./figures";
import type { Errors } from "./RequestDialog";
import { stopFault, type Stops } from "./StopsFields";

export const TRIGGERS: readonly Trigger[] = ["market", "limit", "stop", "stop_limit"];

export type Ticket = Stops & {
  symbol: string;
  side: "buy" | "sell";
  trigger: Trigger;
  quantity: string;
  price: string;
  limit_price: string;
  expires: string;
};

export const signOfTicket = (ticket: Ticket): Sign => (ticket.side === "buy" ? 1 : -1);

/** Where the order would be executed: what it waits for, or what the market asks now. */
export function entryOf(ticket: Ticket, market: Market): number | null {
  if (ticket.trigger === "market") return paidBy(signOfTicket(ticket), market);
  return numberOf(ticket.trigger === "stop_limit" ? ticket.limit_price : ticket.price);
}

/** What is wrong with the fields so far; a missing one is not wrong. */
export function faultsOf(ticket: Ticket, market: Market): Errors {
  const { info } = market;
  const sign = signOfTicket(ticket);
  const entry = entryOf(ticket, market);
  const lots = numberOf(ticket.quantity);
  const faults: Errors = {
    quantity:
      ticket.quantity === ""
        ? ""
        : lots === null
          ? t("trade.no_number")
          : isOnVolumeGrid(info, lots)
            ? ""
            : t("trade.off_grid", {
                step: lotsText(info, info.volume_step),
                least: lotsText(info, info.volume_min),
              }),
    stop_loss: stopFault("stop_loss", ticket.stop_loss, sign, entry),
    take_profit: stopFault("take_profit", ticket.take_profit, sign, entry),
  };
  if (ticket.trigger === "market") return faults;
  return { ...faults, price: sideFault(ticket, market) };
}

/** A limit beyond the market would be executed at once, a stop short of it too. */
function sideFault(ticket: Ticket, market: Market): string {
  if (ticket.price === "") return "";
  const price = numberOf(ticket.price);
  if (price === null) return t("trade.no_number");
  const sign = signOfTicket(ticket);
  const now = paidBy(sign, market);
  if (now === null) return "";
  const isBelow = ticket.trigger === "limit" ? sign > 0 : sign < 0;
  const isRight = isBelow ? price < now : price > now;
  if (isRight) return "";
  const values = { now: priceText(market.info, now) };
  return t(isBelow ? "ticket.must_be_below" : "ticket.must_be_above", values);
}

/** The order to ask for; null while something is missing or wrong. */
export function bodyOf(
  ticket: Ticket,
  market: Market,
  reason: string,
  zone: Zone,
): OrderBody | null {
  const faults = faultsOf(ticket, market);
  const quantity = numberOf(ticket.quantity);
  const stop_loss = numberOf(ticket.stop_loss);
  const take_profit = numberOrNone(ticket.take_profit);
  if (Object.values(faults).some((fault) => fault !== "")) return null;
  if (!quantity || !stop_loss || take_profit === null) return null;
  const grid = (value: number) => onPriceGrid(market.info, value);
  const body: OrderBody = {
    symbol: ticket.symbol,
    side: ticket.side,
    quantity,
    reason,
    trigger: ticket.trigger,
    stop_loss: grid(stop_loss),
    take_profit: grid(take_profit),
  };
  if (ticket.trigger === "market") return body;
  const price = numberOf(ticket.price);
  const limit_price = ticket.trigger === "stop_limit" ? numberOf(ticket.limit_price) : 0;
  const expires_us = instantOf(ticket.expires, zone);
  if (!price || limit_price === null || expires_us === null) return null;
  if (ticket.trigger === "stop_limit" && limit_price === 0) return null;
  return { ...body, price: grid(price), limit_price: grid(limit_price), expires_us };
}

/** Everything that will happen, in one sentence for a person. */
export function sentenceOf(body: OrderBody, market: Market, zone: Zone): string {
  const { info } = market;
  const sign: Sign = body.side === "buy" ? 1 : -1;
  const entry = body.limit_price || body.price || paidBy(sign, market);
  const means = (stop: number) =>
    entry === null ? "" : stopText(market, sign, body.quantity, entry, stop);
  const trigger = body.trigger ?? "market";
  const opening = t(`ticket.says_${trigger}`, {
    side: t(`side.${body.side}`),
    lots: lotsText(info, body.quantity),
    symbol: body.symbol,
    price: priceText(info, trigger === "market" ? entry : (body.price ?? null)),
    limit: priceText(info, body.limit_price ?? null),
  });
  const stop = t("ticket.says_stop_loss", {
    price: priceText(info, body.stop_loss ?? null),
    means: means(body.stop_loss ?? 0),
  });
  const target = body.take_profit
    ? t("ticket.says_take_profit", {
        price: priceText(info, body.take_profit),
        means: means(body.take_profit),
      })
    : t("ticket.says_no_take_profit");
  const waits = body.expires_us
    ? t("ticket.says_until", { time: full(body.expires_us, zone) })
    : t("ticket.says_unlimited");
  return [opening, stop, target, ...(trigger === "market" ? [] : [waits])].join(" ");
}
