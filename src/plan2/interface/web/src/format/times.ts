/** Times as people read them; the zone is always printed with them. */

import { t } from "../strings";

export type Zone = "utc" | "local";

const cache = new Map<string, Intl.DateTimeFormat>();
let locale = "en-GB";

/** Chooses the locale of every later time. */
export function setTimeLocale(next: string): void {
  locale = next;
}

function formatter(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + zone + JSON.stringify(options);
  let found = cache.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, {
      ...options,
      hourCycle: "h23",
      ...(zone === "utc" ? { timeZone: "UTC" } : {}),
    });
    cache.set(key, found);
  }
  return found;
}

/** The name printed after a time: UTC, or the offset of the browser's zone at that instant. */
export function zoneName(zone: Zone, us: number): string {
  if (zone === "utc") return "UTC";
  const parts = formatter("local", { timeZoneName: "shortOffset" }).formatToParts(us / 1000);
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "local";
  return name === "GMT" ? "UTC" : name.replace("GMT", "UTC");
}

/** 14:05:09 */
export function clock(us: number, zone: Zone): string {
  return formatter(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(
    us / 1000,
  );
}

/** 14:05 */
export function shortClock(us: number, zone: Zone): string {
  return formatter(zone, { hour: "2-digit", minute: "2-digit" }).format(us / 1000);
}

/** 2026-03-02 */
export function day(us: number, zone: Zone): string {
  const parts = formatter(zone, {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(us / 1000);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** 2 Mar */
export function dayMonth(us: number, zone: Zone): string {
  return formatter(zone, { day: "numeric", month: "short" }).format(us / 1000);
}

/** 2026-03-02 14:05:09 UTC */
export function full(us: number, zone: Zone): string {
  return `${day(us, zone)} ${clock(us, zone)} ${zoneName(zone, us)}`;
}

/** The same with milliseconds, for ticks and events. */
export function precise(us: number, zone: Zone): string {
  const ms = String(Math.floor((us % 1_000_000) / 1000)).padStart(3, "0");
  return `${day(us, zone)} ${clock(us, zone)}.${ms} ${zoneName(zone, us)}`;
}

/** How long ago, coarse: 8 s, 3 min, 5 h, 2 d. */
export function ago(us: number, nowUs: number): string {
  const seconds = Math.max(0, (nowUs - us) / 1_000_000);
  if (seconds < 90) return `${Math.floor(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} ${t("unit.min")}`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} ${t("unit.h")}`;
  return `${Math.round(seconds / 86_400)} ${t("unit.d")}`;
}

/** The instant of a record part: microseconds if given, else nanoseconds cut to microseconds. */
export function recordTimeUs(part: { ts_us?: number; ts_ns?: number }): number {
  return part.ts_us ?? Math.floor((part.ts_ns ?? 0) / 1000);
}
