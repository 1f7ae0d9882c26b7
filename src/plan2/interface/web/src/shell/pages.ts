/** The pages of the app: what the navigation, the palette and the shortcuts are made of. */

import type { MessageKey } from "../strings";
import type { IconName } from "../widgets/Icon";

export type PageEntry = { path: string; title: MessageKey; icon: IconName; key: string };

export const PAGES: readonly PageEntry[] = [
  { path: "/", title: "page.overview", icon: "overview", key: "o" },
  { path: "/market", title: "page.market", icon: "market", key: "m" },
  { path: "/decisions", title: "page.decisions", icon: "decisions", key: "d" },
  { path: "/positions", title: "page.positions", icon: "positions", key: "p" },
  { path: "/models", title: "page.models", icon: "models", key: "l" },
  { path: "/system", title: "page.system", icon: "system", key: "s" },
];

/** Whether `location` lies on the page at `path`. */
export const isOnPage = (path: string, location: string): boolean =>
  path === "/" ? location === "/" : location === path || location.startsWith(`${path}/`);
