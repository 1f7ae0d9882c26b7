/** Text by key: English in the bundle, every other language a chunk of its own, loaded when chosen. */

import { en } from "./en";
import { codeWords, sentence } from "./told";

export { sentence } from "./told";

export type MessageKey = keyof typeof en;
type Values = Record<string, string | number>;

/** A catalogue in another language: exactly the keys of the English one. */
export type Translated<English extends Record<string, string>> = Record<keyof English, string>;
/** Catalogues of one language by their names; what is not there stays English. */
export type Catalogues = Readonly<Record<string, Readonly<Record<string, string>>>>;

let chosen: Catalogues = {};
let plurals = new Intl.PluralRules("en");

/** Chooses the language of every later text; no catalogues is English. */
export function setCatalogues(next: Catalogues, locale: string): void {
  chosen = next;
  plurals = new Intl.PluralRules(locale);
}

/**
 * A `t` over texts of its own, for pages that are loaded when they are opened; `name` is the one
 * that other languages know the catalogue by.
 */
export function texts<Own extends Record<string, string>>(
  own: Own,
  name = "",
): (key: keyof Own & string, values?: Values) => string {
  return (key, values = {}) => filled(chosen[name]?.[key] ?? own[key] ?? key, values);
}

const CATEGORIES = ["zero", "one", "two", "few", "many", "other"] as const;

/** The one of `forms` that goes with a number; they stand in the order in which CATEGORIES has them. */
function pluralForm(forms: readonly string[], count: number): string {
  const used = new Set(plurals.resolvedOptions().pluralCategories);
  const order = CATEGORIES.filter((category) => used.has(category));
  return forms[order.indexOf(plurals.select(count))] ?? forms.at(-1) ?? "";
}

/** `{name}` becomes the value, `{name|one|other}` the form that the language wants after it. */
const filled = (text: string, values: Values): string =>
  text.replaceAll(/\{(\w+)(?:\|([^}]*))?\}/g, (whole, name: string, forms?: string) =>
    forms === undefined
      ? String(values[name] ?? whole)
      : pluralForm(forms.split("|"), Number(values[name])),
  );

const main = texts(en, "main");

/** The text of `key`, with `{name}` replaced by `values.name`. */
export function t(key: MessageKey, values: Values = {}): string {
  return main(key, values);
}

/** A `label` over texts of its own: the text of `domain.code`, or the code itself in words. */
export const labels =
  <Own extends Record<string, string>>(own: Own, text: (key: keyof Own & string) => string) =>
  (domain: string, code: string): string => {
    const key = `${domain}.${code}`;
    return key in own ? text(key) : words(code);
  };

const ofMain = labels(en, main);

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
    | "trigger"
    | "impact",
  code: string,
): string {
  return ofMain(domain, code);
}

/** snake_case or kebab-case as words, those we know in the language shown: cost_above_edge → Cost above edge. */
export function words(code: string): string {
  return sentence(codeWords(code));
}
