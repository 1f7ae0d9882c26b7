/** What a model's features looked at beside the symbols' own ticks, as its manifest names it. */

import type { Json, Manifest } from "../../gen/protocol";
import { m } from "../../strings/models";

export type Source = { name: string; hash: string };

const isRecord = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Closes of other symbols and events of the calendar, each with the hash of its values. */
export function sourcesOf(manifest: Manifest | undefined): Source[] {
  const origin = manifest?.provenance;
  const sources = isRecord(origin) ? origin.sources : undefined;
  if (!isRecord(sources)) return [];
  return Object.entries(sources).map(([name, hash]) => ({
    name: spoken(name),
    hash: String(hash),
  }));
}

function spoken(name: string): string {
  const [kind, ...rest] = name.split(" ");
  if (kind === "closes") return m("source.closes", { symbol: rest.join(" ") });
  if (kind === "events") return m("source.events", { currencies: rest.join(", ") });
  return name;
}
