/** Orders in words: what kind they are, how they stand, who decided. */

import type { NameOf } from "../../api/people";
import type { OrderItem } from "../../gen/protocol";
import { label, t, words } from "../../strings";

const TONES: Record<string, string> = {
  placed: "is-accent",
  sent: "is-accent",
  accepted: "is-accent",
  partially_filled: "is-accent",
  filled: "is-ok",
  done: "is-ok",
  rejected: "is-crit",
  unknown: "is-warn",
};

export const toneOf = (state: string): string => TONES[state] ?? "";

/** A pending order that the broker has "works"; everything else is named by its state. */
export const stateOf = (order: OrderItem): string =>
  order.kind === "pending" && order.state === "accepted"
    ? t("order_state.working")
    : label("order_state", order.state);

export const kindOf = (order: OrderItem): string =>
  order.kind === "pending" ? label("trigger", order.trigger) : label("order_kind", order.kind);

const PERSON = "user:";

export const isByPerson = (order: OrderItem): boolean => order.decided_by.startsWith(PERSON);

/** The person's name, or what decided by itself. */
export function deciderOf(order: OrderItem, nameOf: NameOf): string {
  if (isByPerson(order)) return nameOf(order.decided_by);
  const [kind, name = ""] = order.decided_by.split(":");
  return kind === "algorithm" || kind === "" ? t("decider.algorithm") : words(name || kind || "");
}
