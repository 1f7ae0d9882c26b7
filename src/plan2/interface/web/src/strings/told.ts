/**
 * What the server says in English, in the reader's language.
 *
 * The server's sentences (records, gates, refusals, health) are made once and kept; a language has
 * their patterns with `{0}`, `{1}` … for values, `{0#}` for a number. What it does not know stays
 * English and is marked so. `tests/unit/test_web_told.py` finds a sentence without a twin.
 */

/** Patterns of the server's sentences with their words in one language. */
export type Sentences = Readonly<Record<string, string>>;

type Pattern = { literal: string; known: RegExp; places: readonly string[]; words: string };

const PLACE = /\{(\d+)(#?)\}/;
const NUMBER = "[-+\u2212]?(?:\\d[\\d.,]*(?:e[-+]?\\d+)?|inf|nan)\\s?%?";
/** Values end where a sentence does, so that two sentences are not taken for one. */
const ANY = "(?:(?![.!?] [A-Z\u201c`]).)+?";
const SENTENCES = /(?<=[.!?]) (?=\S)/;
const REMARKS = /(?<=;) /;
const KEPT_MAX = 2_000;

let patterns: readonly Pattern[] = [];
let whole: Sentences = {};
let decimal = ".";
let kept = new Map<string, string>();

/** Chooses the language of what the server says; no sentences is English. */
export function setSentences(sentences: Sentences, locale: string): void {
  whole = sentences;
  decimal = new Intl.NumberFormat(locale).format(1.5).charAt(1);
  patterns = Object.entries(sentences)
    .filter(([english]) => PLACE.test(english))
    .map(([english, words]) => patternOf(english, words))
    .toSorted((a, b) => weight(b) - weight(a));
  kept = new Map();
}

/** A sentence of the server in the reader's language, or as it is when it is not known. */
export function said(text: string): string {
  if (patterns.length === 0 || text === "") return text;
  const before = kept.get(text);
  if (before !== undefined) return before;
  if (kept.size >= KEPT_MAX) kept.clear();
  const found =
    exactly(text) ??
    pieces(text, REMARKS, true) ??
    one(text) ??
    pieces(text, SENTENCES) ??
    pieces(text, REMARKS) ??
    text;
  kept.set(text, found);
  return found;
}

/** Properties of an element that shows sentences of the server: its words, and their language. */
export function spoken(...texts: (string | null | undefined)[]): {
  lang?: string;
  children: string;
} {
  const english = texts.filter(Boolean).join(" ");
  const words = texts
    .map((text) => said(text ?? ""))
    .filter(Boolean)
    .join(" ");
  const isEnglish = words === english;
  return isEnglish ? { lang: "en", children: words } : { children: words };
}

/** The same with a capital at its beginning, for sentences that the server begins without one. */
export function spokenSentence(text: string): { lang?: string; children: string } {
  const words = spoken(text);
  return { ...words, children: sentence(words.children) };
}

/** A capital at the beginning; a hyphen before a number is a minus, not a gap. */
export function sentence(text: string): string {
  const shown = text.replaceAll(/(^|\s)-(?=\d)/g, "$1\u2212");
  return shown.charAt(0).toUpperCase() + shown.slice(1);
}

/** A code of the server as words: those of the language shown, or its own. */
export function codeWords(code: string): string {
  const english = code.replaceAll(/[_-]+/g, " ").trim();
  return exactly(english.toLowerCase()) ?? english;
}

const exactly = (text: string): string | undefined =>
  Object.hasOwn(whole, text) ? whole[text] : undefined;

function one(text: string): string | null {
  const exact = exactly(text);
  if (exact !== undefined) return exact;
  for (const { literal, known, places, words } of patterns) {
    if (!text.includes(literal)) continue;
    const found = known.exec(text);
    if (!found) continue;
    const values = new Map(places.map((place, index) => [place, valueOf(place, found[index + 1])]));
    return words.replaceAll(/\{\d+#?\}/g, (place) => values.get(place) ?? place);
  }
  return null;
}

/** A text whose parts are sentences of their own; null when none of them, or not `all`, is known. */
function pieces(text: string, between: RegExp, all = false): string | null {
  const parts = text.split(between);
  if (parts.length < 2) return null;
  const known = parts.map((part) => ofPart(part));
  const lacking = known.filter((part) => part === null).length;
  if (lacking === parts.length || (all && lacking > 0)) return null;
  return parts.map((part, index) => known[index] ?? part).join(" ");
}

const ofPart = (part: string): string | null => {
  const bare = part.replace(/;$/, "");
  const words = one(bare);
  return words === null || bare === part ? words : `${words};`;
};

function valueOf(place: string, value = ""): string {
  if (!place.endsWith("#}")) return one(value) ?? exactly(value.replaceAll("_", " ")) ?? value;
  return decimal === "," ? value.replaceAll(/[.,]/g, (sign) => (sign === "." ? "," : ".")) : value;
}

function patternOf(english: string, words: string): Pattern {
  const places = Array.from(english.matchAll(/\{\d+#?\}/g), ([place]) => place);
  const literals = english.split(/\{\d+#?\}/);
  const source = literals.map((text, index) => escaped(text) + groupOf(places[index])).join("");
  const literal = literals.toSorted((a, b) => b.length - a.length)[0] ?? "";
  return { literal, known: new RegExp(`^${source}$`, "s"), places, words };
}

const groupOf = (place: string | undefined): string => {
  if (place === undefined) return "";
  return place.endsWith("#}") ? `(${NUMBER})` : `(${ANY})`;
};

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** The more of a pattern is words, and the more of its values are numbers, the surer it is. */
const weight = ({ known, places }: Pattern): number =>
  known.source.length - places.reduce((sum, place) => sum + groupOf(place).length, 0);
