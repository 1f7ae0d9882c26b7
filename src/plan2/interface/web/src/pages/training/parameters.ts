/** What a training was asked for, read from a job whose parameters may be of any kind. */

import type { Job } from "../../api/jobs";

const listed = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

export const figureOf = (job: Job, name: string): number => {
  const value = job.parameters[name];
  return typeof value === "number" ? value : 0;
};

export const symbolsOf = (job: Job): string => listed(job.parameters.symbols).join(", ");
export const familiesOf = (job: Job): string[] => listed(job.parameters.families);

/** The text of a result for people, line by line. */
export const reportOf = (result: Record<string, unknown> | null | undefined): string[] =>
  listed(result?.report);

const DAY_US = 86_400_000_000;

/** The first instant of a day given as YYYY-MM-DD, UTC; null without one. */
export const startOf = (day: string): number | null => {
  const ms = day === "" ? Number.NaN : Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(ms) ? null : ms * 1_000;
};

/** The first instant after a day. */
export const endOf = (day: string): number | null => {
  const start = startOf(day);
  return start === null ? null : start + DAY_US;
};

/** A whole number of a range, or null. */
export function whole(text: string, low: number, high: number): number | null {
  if (!/^\d{1,10}$/.test(text.trim())) return null;
  const value = Number(text);
  return value >= low && value <= high ? value : null;
}

/** The day of an instant as YYYY-MM-DD, UTC. */
export const dayOf = (us: number): string => new Date(us / 1_000).toISOString().slice(0, 10);
