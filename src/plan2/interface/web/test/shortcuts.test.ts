import { describe, expect, it } from "vitest";
import { type Bound, chordOf, matching } from "../src/shell/useShortcuts";

const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
const bound: Bound[] = ["", "g o", "g s", "s", "?", "ctrl+shift+k"].map((keys) => ({
  keys,
  run: () => {},
}));
const found = (first: string, chord: string, waitedMs = 100) =>
  matching(bound, { key: first, atMs: 0 }, chord, waitedMs)?.keys;

describe("shortcuts", () => {
  it("writes chords the way they are listed", () => {
    expect(chordOf({ ...none, key: "K", ctrlKey: true, shiftKey: true })).toBe("ctrl+shift+k");
    expect(chordOf({ ...none, key: "?", shiftKey: true })).toBe("?");
    expect(chordOf({ ...none, key: "T", altKey: true })).toBe("alt+t");
  });

  it("takes a sequence before a single key, and only within its time", () => {
    expect([found("g", "s"), found("g", "s", 2_000), found("", "s")]).toEqual(["g s", "s", "s"]);
  });

  it("never runs an action that has no key", () => {
    expect([found("", "g"), found("x", "y"), found("g", "")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
