import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const CSS = readFileSync(path.join(import.meta.dirname, "../src/styles/tokens.css"), "utf8");
/** Each theme's block of tokens, and the contrast that its text has at least. */
const THEMES = [
  ["dark", '[data-mantine-color-scheme="dark"] {', 4.5],
  ["light", '[data-mantine-color-scheme="light"] {', 4.5],
  ["high contrast", '[data-mantine-color-scheme="dark"][data-contrast="more"] {', 7],
] as const;
/** What text is written in, and what it is written on. */
const TEXT = ["text", "dim", "faint", "accent", "warn", "crit", "violet", "ok"];
const DIRECTIONS = ["green", "red", "blue", "orange"];
const GROUNDS = ["bg", "panel", "raised", "hover"];
/** Chips and banners: a colour on its own soft ground. */
const SOFT = ["accent", "warn", "crit", "violet"];
const GRAPHICS_LEAST = 3;

function tokens(selector: string): Record<string, string> {
  const start = CSS.indexOf(selector);
  const block = CSS.slice(start, CSS.indexOf("}", start));
  return Object.fromEntries(
    Array.from(block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g), ([, name, value]) => [name, value]),
  );
}

/** Relative luminance of WCAG 2.x. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

it("is measured as WCAG does", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 6);
  // Grey #767676 on white is the well-known edge of AA.
  expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
});

describe.each(THEMES)("%s theme", (theme, selector, textLeast) => {
  const known = tokens(selector);
  const of = (name: string): string => {
    const found = known[name];
    if (!found) throw new Error(`no token --${name} in the ${theme} theme`);
    return found;
  };

  it.each([...TEXT, ...DIRECTIONS])("%s can be read on every ground", (name) => {
    for (const ground of GROUNDS)
      expect(contrast(of(name), of(ground)), `on ${ground}`).toBeGreaterThanOrEqual(textLeast);
  });

  it.each(SOFT)("%s can be read on its soft ground", (name) => {
    expect(contrast(of(name), of(`${name}-soft`))).toBeGreaterThanOrEqual(textLeast);
  });

  it("shows the kill switch with white text, and what marks a focus", () => {
    for (const name of ["kill", "kill-hover"])
      expect(contrast(of(name), "#ffffff"), name).toBeGreaterThanOrEqual(textLeast);
    for (const ground of GROUNDS)
      expect(contrast(of("accent"), of(ground)), ground).toBeGreaterThanOrEqual(GRAPHICS_LEAST);
  });

  const isStrong = textLeast > 4.5;
  it(isStrong ? "shows the edges of everything" : "tells edges from grounds", () => {
    for (const name of ["line", "line-strong"])
      for (const ground of GROUNDS)
        if (isStrong)
          expect(contrast(of(name), of(ground)), name).toBeGreaterThanOrEqual(GRAPHICS_LEAST);
        else expect(of(name)).not.toBe(of(ground));
  });
});
