/** Values of settings as text and back: JSON of the setting's own kind. */

import type { Json, TypeItem } from "../../gen/api";
import { a } from "../../strings/admin";

/** A value for reading. */
export function shownValue(value: Json): string {
  if (typeof value === "boolean") return a(value ? "word.on" : "word.off");
  if (typeof value === "string") return value === "" ? a("word.empty") : value;
  if (Array.isArray(value) && value.length === 0) return a("word.none");
  if (Array.isArray(value) && value.every((one) => typeof one !== "object"))
    return value.join(", ");
  return JSON.stringify(value);
}

/** A value as the field shows it. */
export function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export type Typed = { value: Json; fault: "" } | { value: null; fault: string };

const wrong = (fault: string): Typed => ({ value: null, fault });

function numberFrom(text: string, type: TypeItem): Typed {
  const value = Number(text.trim());
  if (text.trim() === "" || !Number.isFinite(value)) return wrong(a("value.no_number"));
  if (type.kind === "integer" && !Number.isInteger(value)) return wrong(a("value.no_integer"));
  if (type.minimum !== null && value < type.minimum)
    return wrong(a("value.must", { range: rangeOf(type) }));
  if (type.above !== null && value <= type.above)
    return wrong(a("value.must", { range: rangeOf(type) }));
  if (type.maximum !== null && value > type.maximum)
    return wrong(a("value.must", { range: rangeOf(type) }));
  return { value, fault: "" };
}

/** What was typed, as the setting's kind, or what is wrong with it. The server has the last word. */
export function valueFrom(text: string, type: TypeItem): Typed {
  if (type.kind === "integer" || type.kind === "number") return numberFrom(text, type);
  if (type.kind === "boolean") return { value: text === "true", fault: "" };
  if (type.kind === "text" || type.kind === "choice") return { value: text, fault: "" };
  try {
    const value = JSON.parse(text) as Json;
    const isList = Array.isArray(value);
    if (type.kind === "list" ? isList : typeof value === "object" && !isList)
      return { value, fault: "" };
  } catch {
    // Said below: what was typed is no JSON of that kind either way.
  }
  return wrong(a(type.kind === "list" ? "value.no_list" : "value.no_map"));
}

/** The range of a number in words; "" where there is none. */
export function rangeOf({ minimum, above, maximum }: TypeItem): string {
  const low =
    above !== null
      ? a("value.above", { limit: above })
      : minimum !== null
        ? a("value.at_least", { limit: minimum })
        : "";
  const high = maximum !== null ? a("value.at_most", { limit: maximum }) : "";
  return [low, high].filter(Boolean).join(", ");
}
