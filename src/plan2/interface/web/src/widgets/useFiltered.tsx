/** A table's filter: the words that every row shown must have; kept in the address as `q`. */

import { TextInput } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { useSearchParams } from "wouter";
import { t } from "../strings";
import { Icon } from "./Icon";

/** The items whose text has every word, in the order that they came in. */
export function filtered<Item>(
  items: readonly Item[],
  textOf: (item: Item) => string,
  asked: string,
): readonly Item[] {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return items;
  return items.filter((item) => {
    const text = textOf(item).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** `textOf` must be the same function at every call. */
export function useFiltered<Item>(
  items: readonly Item[],
  textOf: (item: Item) => string,
): { shown: readonly Item[]; field: ReactNode } {
  const [given, setGiven] = useSearchParams();
  const asked = given.get("q") ?? "";
  const shown = useMemo(() => filtered(items, textOf, asked), [items, textOf, asked]);
  const change = (text: string) =>
    setGiven(
      (old) => {
        const next = new URLSearchParams(old);
        if (text) next.set("q", text);
        else next.delete("q");
        return next;
      },
      { replace: true },
    );
  const field = (
    <TextInput
      aria-label={t("table.filter")}
      placeholder={t("table.filter")}
      leftSection={<Icon name="search" size={14} />}
      value={asked}
      w={170}
      data-testid="table-filter"
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
  return { shown, field };
}
