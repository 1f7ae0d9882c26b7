/** Which rows of a long list are in sight: only those, and some around them, are in the page. */

import { type RefObject, useEffect, useRef, useState } from "react";

/** Rows that are kept beyond both edges, so that scrolling shows no gap. */
const AROUND = 12;
/** The window moves in steps of so many rows; not every pixel draws anew. */
const STEP = 8;

export type Windowed = { first: number; last: number; before_px: number; after_px: number };

/** The rows from `first` up to but not including `last`, and the room that the others take. */
export function windowOf(
  count: number,
  row_px: number,
  scrolled_px: number,
  seen_px: number,
): Windowed {
  const top = Math.floor(scrolled_px / row_px / STEP) * STEP - AROUND;
  const first = Math.max(0, Math.min(top, count));
  const last = Math.min(count, first + Math.ceil(seen_px / row_px) + 2 * AROUND + STEP);
  return { first, last, before_px: first * row_px, after_px: (count - last) * row_px };
}

/**
 * The window of a region that scrolls; all rows have the height of the first one that matches
 * `row`. Lists of at most `least` rows are whole.
 */
export function useWindowed<Region extends HTMLElement>(
  count: number,
  row: string,
  least: number,
): { region: RefObject<Region | null>; shown: Windowed; isLong: boolean } {
  const region = useRef<Region>(null);
  const isLong = count > least;
  const [seen, setSeen] = useState({ row_px: 30, top_px: 0, height_px: 600 });
  useEffect(() => {
    const node = region.current;
    if (!node || !isLong) return undefined;
    const look = () => {
      const height = node.querySelector(row)?.getBoundingClientRect().height;
      const row_px = height || 30;
      const step_px = row_px * STEP;
      const next = {
        row_px,
        top_px: Math.floor(node.scrollTop / step_px) * step_px,
        height_px: node.clientHeight,
      };
      setSeen((old) =>
        old.row_px === next.row_px && old.top_px === next.top_px && old.height_px === next.height_px
          ? old
          : next,
      );
    };
    look();
    node.addEventListener("scroll", look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(node);
    return () => {
      node.removeEventListener("scroll", look);
      watch.disconnect();
    };
  }, [isLong, row]);
  const shown = isLong
    ? windowOf(count, seen.row_px, seen.top_px, seen.height_px)
    : { first: 0, last: count, before_px: 0, after_px: 0 };
  return { region, shown, isLong };
}
