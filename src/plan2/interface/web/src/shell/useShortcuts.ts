/** Keyboard shortcuts: chords always, single keys and sequences only outside of fields. */

import { useEffect, useRef } from "react";
import { usePreferences } from "../state/preferences";

/** `keys` is a chord ("alt+t"), a single key ("?"), a sequence ("g o"), or "" for none. */
export type Bound = { keys: string; run: () => void };
export type FirstKey = { key: string; atMs: number };

const SEQUENCE_MS = 1_200;

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

const isDialogOpen = (): boolean =>
  document.querySelector("[role='dialog'], [role='alertdialog']") !== null;

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

/** The chord as written in `keys`; Shift alone is part of the character ("?"). */
export function chordOf(event: Pressed): string {
  const isModified = event.ctrlKey || event.metaKey || event.altKey;
  const parts = [
    event.ctrlKey || event.metaKey ? "ctrl+" : "",
    event.altKey ? "alt+" : "",
    event.shiftKey && isModified ? "shift+" : "",
  ];
  return parts.join("") + event.key.toLowerCase();
}

/** What a chord means, given the key before it; a sequence wins over a single key. */
export function matching<Entry extends Bound>(
  bound: readonly Entry[],
  first: FirstKey,
  chord: string,
  nowMs: number,
): Entry | undefined {
  const sequence =
    first.key !== "" && nowMs - first.atMs < SEQUENCE_MS ? `${first.key} ${chord}` : null;
  return (
    bound.find((entry) => entry.keys === sequence) ??
    bound.find((entry) => entry.keys !== "" && entry.keys === chord)
  );
}

/** Runs the action whose keys were pressed. */
export function useShortcuts(bound: readonly Bound[]): void {
  const hasSingleKeys = usePreferences((state) => state.hasSingleKeys);
  const first = useRef<FirstKey>({ key: "", atMs: 0 });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const chord = chordOf(event);
      const isPlain = chord.length === 1 || !chord.includes("+");
      if (isPlain && (!hasSingleKeys || isField(event.target) || isDialogOpen())) return;
      const found = matching(bound, first.current, chord, Date.now());
      first.current = { key: found ? "" : chord, atMs: Date.now() };
      if (!found) return;
      event.preventDefault();
      found.run();
    };
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  }, [bound, hasSingleKeys]);
}
