/** The arithmetic of tickets: grids, distances in points, and what a price is worth in money. */

import type { SymbolInfo } from "../../../gen/protocol";

export type Sign = 1 | -1;

const SLACK = 1e-6;

/** The number that a person typed, with a point or a comma; null when it is none. */
export function numberOf(text: string): number | null {
  const trimmed = text.trim();
  if (!/^\d{1,9}([.,]\d{0,10})?$|^[.,]\d{1,10}$/.test(trimmed)) return null;
  return Number(trimmed.replace(",", "."));
}

/** The same for a field that may stay empty, which means none. */
export const numberOrNone = (text: string): number | null =>
  text.trim() === "" ? 0 : numberOf(text);

/** Decimals of a step such as 0.01. */
export const decimalsOf = (step: number): number =>
  Math.max(0, Math.ceil(-Math.log10(step) - SLACK));

export const onPriceGrid = (info: SymbolInfo, value: number): number =>
  Number(value.toFixed(info.digits));

export function isOnVolumeGrid(info: SymbolInfo, lots: number): boolean {
  const steps = lots / info.volume_step;
  const isWhole = Math.abs(steps - Math.round(steps)) < SLACK;
  return isWhole && lots >= info.volume_min - SLACK && lots <= info.volume_max + SLACK;
}

/** The largest tradable volume not above `lots`; 0 when even the least is too much. */
export function volumeBelow(info: SymbolInfo, lots: number): number {
  const steps = Math.floor(lots / info.volume_step + SLACK);
  const volume = Number((steps * info.volume_step).toFixed(8));
  return volume >= info.volume_min - SLACK ? volume : 0;
}

export const pointsOf = (info: SymbolInfo, distance: number): number =>
  Math.round((Math.abs(distance) / info.point) * 10) / 10;

/** Profit in account currency of moving from one price to another; null without a rate. */
export function profitOf(
  info: SymbolInfo,
  sign: Sign,
  lots: number,
  from: number,
  to: number,
): number | null {
  if (info.quote_rate === null) return null;
  return sign * (to - from) * lots * info.lot_units * info.quote_rate;
}
