/** The theme's colours as the canvas needs them: resolved, and read again when the theme changes. */

import { useHasContrast } from "../shell/appearance";
import { usePreferences } from "../state/preferences";

const NAMES = [
  "panel",
  "text",
  "dim",
  "line",
  "line-strong",
  "up",
  "down",
  "accent",
  "warn",
  "violet",
] as const;

export type ChartPalette = Record<(typeof NAMES)[number], string> & { font: string };

/** Colours now in force, as `rgb(…)`; custom properties are resolved by an element that uses them. */
export function readPalette(): ChartPalette {
  const probe = document.createElement("i");
  document.body.append(probe);
  const resolved = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const entries = NAMES.map((name) => [name, resolved(name)] as const);
  const font = getComputedStyle(probe).fontFamily;
  probe.remove();
  return { ...(Object.fromEntries(entries) as Record<(typeof NAMES)[number], string>), font };
}

/** The same colour, see-through: `alpha` in 0..1. */
export const withAlpha = (rgb: string, alpha: number): string =>
  rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);

/** Changes whenever colours do; charts re-apply their options then. */
export function usePaletteKey(): string {
  const hasContrast = useHasContrast();
  return usePreferences((state) => `${state.theme}|${state.palette}|${hasContrast}`);
}
