/** Text by key; one catalogue per language, English is complete and the fallback. */

import { en } from "./en";

export type MessageKey = keyof typeof en;
type Values = Record<string, string | number>;

let catalogue: Partial<Record<MessageKey, string>> = en;

/** Chooses the language of every later text. */
export function setCatalogue(next: Partial<Record<MessageKey, string>>): void {
  catalogue = next;
}

/**
 * A `t` over texts of its own, for pages that are loaded when they are opened; a chosen language may
 * replace each of them by its key.
 */
export function texts<Own extends Record<string, string>>(
  own: Own,
): (key: keyof Own & string, values?: Values) => string {
  return (key, values = {}) =>
    filled((catalogue as Record<string, string>)[key] ?? own[key] ?? key, values);
}

const filled = (text: string, values: Values): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** The text of `key`, with `{name}` replaced by `values.name`. */
export function t(key: MessageKey, values: Values = {}): string {
  return filled(catalogue[key] ?? en[key], values);
}

/** The text of a code from the server, or the code itself in words when we know no text for it. */
export function label(
  domain:
    | "outcome"
    | "reason"
    | "rule"
    | "trading"
    | "feed"
    | "kind"
    | "stage"
    | "metric"
    | "family"
    | "order_kind"
    | "order_state"
    | "trigger",
  code: string,
): string {
  const key = `${domain}.${code}`;
  return key in en ? t(key as MessageKey) : words(code);
}

/** snake_case or kebab-case as words: cost_above_edge → Cost above edge. */
export function words(code: string): string {
  return sentence(code.replaceAll(/[_-]+/g, " ").trim());
}

/** A sentence of the server with a capital; a hyphen before a number is a minus, not a gap. */
export function sentence(text: string): string {
  const shown = text.replaceAll(/(^|\s)-(?=\d)/g, "$1−");
  return shown.charAt(0).toUpperCase() + shown.slice(1);
}
