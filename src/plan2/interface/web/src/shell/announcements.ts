/** Which events a person is told about at once, and in which words. */

import type { NameOf } from "../api/people";
import type { EventItem, Json } from "../gen/protocol";
import { lots, money } from "../format/numbers";
import { label, t } from "../strings";
import { codeWords, said } from "../strings/told";

const text = (value: Json | undefined): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

const SIDES = {
  buy: "side.buy",
  sell: "side.sell",
  long: "side.long",
  short: "side.short",
} as const;

const directionOf = (code: string): string => {
  const key = SIDES[code.toLowerCase() as keyof typeof SIDES];
  return key ? t(key).toLowerCase() : code;
};

/** The sentence for an event, or null when it is not worth interrupting. */
export function announcementOf({ type, payload }: EventItem, nameOf: NameOf): string | null {
  const symbol = text(payload.symbol);
  switch (type) {
    case "PositionOpened":
      return t("announce.opened", {
        symbol,
        direction: directionOf(text(payload.direction)),
        quantity: lots(text(payload.quantity)),
      });
    case "PositionClosed":
      return t("announce.closed", {
        symbol,
        profit: money(text(payload.profit), true),
        reason: label("reason", text(payload.reason)),
      });
    case "RiskLimitBreached":
      return t("announce.breach", { rule: label("rule", text(payload.rule_id)) });
    case "AlertRaised":
      return t("announce.alert", {
        title: said(text(payload.title)),
        words: said(text(payload.words)),
      });
    case "TradingStateChanged":
      return t("announce.state", {
        state: label("trading", text(payload.new_state)),
        actor: nameOf(text(payload.actor)),
      });
    case "OrderRejected":
      return t("announce.rejected", { symbol, reason: codeWords(text(payload.reason)) });
    default:
      return null;
  }
}
