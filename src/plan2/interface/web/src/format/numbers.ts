/** Numbers as people read them: fixed decimals, tabular, U+2212 for minus, a dash for unknown. */

import { t } from "../strings";

export const MINUS = "\u2212";
export const DASH = "–";

const cache = new Map<string, Intl.NumberFormat>();
let locale = "en-GB";

/** Chooses the locale of every later number. */
export function setNumberLocale(next: string): void {
  locale = next;
}

type Unit = "" | "percent" | "compact" | "price";

function formatter(decimals: number, sign: boolean, unit: Unit): Intl.NumberFormat {
  const key = `${locale}|${decimals}|${sign}|${unit}`;
  let found = cache.get(key);
  if (!found) {
    found = new Intl.NumberFormat(locale, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      signDisplay: sign ? "exceptZero" : "negative",
      style: unit === "percent" ? "percent" : "decimal",
      notation: unit === "compact" ? "compact" : "standard",
      useGrouping: unit !== "price",
    });
    cache.set(key, found);
  }
  return found;
}

type Numeric = number | string | null | undefined;

function render(value: Numeric, decimals: number, sign: boolean, unit: Unit): string {
  if (value === null || value === undefined || value === "") return DASH;
  const number = Number(value);
  if (!Number.isFinite(number)) return DASH;
  // Decimal strings go to Intl as they are, so that no digit of an amount is lost.
  const exact = typeof value === "string" ? (value as Intl.StringNumericLiteral) : number;
  return formatter(decimals, sign, unit).format(exact).replace("-", MINUS);
}

/** A price with the decimals of its instrument, never grouped. */
export function price(value: Numeric, digits: number): string {
  return render(value, digits, false, "price");
}

/** An amount with two decimals; `signed` writes the plus of a gain. */
export function money(value: Numeric, signed = false): string {
  return render(value, 2, signed, "");
}

/** A plain number with fixed decimals. */
export function fixed(value: Numeric, decimals: number, signed = false): string {
  return render(value, decimals, signed, "");
}

/** A fraction as percent: 0.0123 → 1.23 %. */
export function percent(value: Numeric, decimals = 2, signed = false): string {
  const text = render(value, decimals, signed, "percent");
  return text === DASH ? text : text.replace(/\s?%/, "\u202f%");
}

/** Short form for tiles: 12 300 → 12.3k. */
export function compact(value: Numeric): string {
  const small = Math.abs(Number(value)) < 1000;
  return render(value, small ? 0 : 1, false, "compact");
}

/** Lots, two decimals. */
export function lots(value: Numeric): string {
  return render(value, 2, false, "");
}

/** At most `digits` significant digits, for features and metrics whose scale is not known. */
export function significant(value: Numeric, digits = 6): string {
  if (value === null || value === undefined || value === "") return DASH;
  const number = Number(value);
  if (!Number.isFinite(number)) return DASH;
  const size = Math.abs(number);
  const text =
    size !== 0 && (size < 1e-4 || size >= 1e9)
      ? number.toExponential(3)
      : String(Number(number.toPrecision(digits)));
  return byLocale(text).replaceAll("-", MINUS);
}

/** The decimal sign of a plain number as the locale writes it. */
const byLocale = (text: string): string => text.replace(".", decimalSign());

const decimalSign = (): string =>
  formatter(1, false, "price")
    .formatToParts(0.5)
    .find((part) => part.type === "decimal")?.value ?? ".";

/** Microseconds in the unit that reads best: 950 µs, 3.2 ms, 1.4 s. */
export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined || !Number.isFinite(us)) return DASH;
  if (us < 1000) return `${fixed(us, us < 10 ? 1 : 0)} µs`;
  if (us < 1_000_000) return `${fixed(us / 1000, us < 10_000 ? 2 : 1)} ms`;
  if (us < 120_000_000) return `${fixed(us / 1_000_000, 1)} s`;
  if (us < 7_200_000_000) return `${Math.round(us / 60_000_000)} ${t("unit.min")}`;
  return `${fixed(us / 3_600_000_000, 1)} ${t("unit.h")}`;
}

/** How fast market time runs: ×10; 0 stands for as fast as it goes. */
export function pace(speed: number): string {
  return speed > 0 ? `×${speed}` : t("unit.full_speed");
}

/** -1, 0 or 1; what the colour and the arrow of a figure follow. */
export function direction(value: Numeric): -1 | 0 | 1 {
  const number = Number(value ?? 0);
  return number > 0 ? 1 : number < 0 ? -1 : 0;
}
