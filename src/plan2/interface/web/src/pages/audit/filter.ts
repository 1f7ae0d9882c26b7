/** The explorer's filter; it lives in the address, so reload and share keep it. */

import type { AuditFilter } from "../../api/admin";

export const FILTER_NAMES = ["types", "actor", "stream", "from_us", "to_us"] as const;
export type FilterName = (typeof FILTER_NAMES)[number];

const number = (text: string | null): number | undefined => {
  const value = Number(text);
  return text && Number.isSafeInteger(value) && value > 0 ? value : undefined;
};

/** What the address asks for; parts that make no sense are left out. */
export function filterOf(given: URLSearchParams): AuditFilter {
  const filter: AuditFilter = {};
  for (const name of ["types", "actor", "stream"] as const) {
    const text = given.get(name)?.trim();
    if (text) filter[name] = text;
  }
  const from = number(given.get("from_us"));
  const to = number(given.get("to_us"));
  if (from) filter.from_us = from;
  if (to) filter.to_us = to;
  return filter;
}

/** The address's parameters with one of them changed; "" takes it away. */
export function withPart(given: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(given);
  if (value === "") next.delete(name);
  else next.set(name, value);
  return next;
}
