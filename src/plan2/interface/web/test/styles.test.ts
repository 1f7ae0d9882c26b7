import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const SRC = path.join(import.meta.dirname, "../src");

/** The text of every file of the sources that ends so. */
const read = (ending: string): string =>
  readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => readFileSync(path.join(SRC, file), "utf8"))
    .join("\n");

const found = (text: string, pattern: RegExp): string[] =>
  Array.from(text.matchAll(pattern), ([, name = ""]) => name);

it("uses no colour, size or gap that is defined nowhere", () => {
  const styles = read(".css");
  const sources = read(".tsx");
  const defined = new Set([
    ...found(styles, /^\s*(--[\w-]+):/gm),
    ...found(sources, /"(--[\w-]+)"\]?:/g),
  ]);
  const used = new Set(found(styles + sources, /var\((--[a-z][\w-]*)/g));
  expect(used.size).toBeGreaterThan(30);
  const unknown = [...used].filter((name) => !defined.has(name) && !name.startsWith("--mantine"));
  expect(unknown).toEqual([]);
});

it("moves nothing for those who asked their system for no motion", () => {
  const still =
    /@media \(prefers-reduced-motion: reduce\) \{([^}]*)\}/.exec(read(".css"))?.[1] ?? "";
  expect(still).toMatch(/\*::before/);
  expect(found(still, /((?:animation|transition)-duration): 0s !important/g)).toEqual([
    "animation-duration",
    "transition-duration",
  ]);
});
