/** English: one-click trading; loaded with the pages that have it. */

import { texts } from "./index";

export const oneClick = {
  "one.title": "One-click trading",
  "one.explain":
    "Off. While on, one click buys, sells or closes at once; the risk checks stay. In this window only, for 15 minutes without use.",
  "one.arm": "Hold to switch on",
  "one.disarm": "Switch off",
  "one.until": "Without use it ends at",
  "one.points": "Stop-loss, points away",
  "one.act": "{side} {lots} at {price}",
  "one.fails": "Would be refused: {rule}",
  "one.close": "Close now",
  "one.reason": "one click",
} as const;

/** The text of a key of one-click trading. */
export const o = texts(oneClick, "oneClick");
