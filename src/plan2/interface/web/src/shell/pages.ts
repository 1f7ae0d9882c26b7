/** The pages of the app: what the navigation, the palette and the shortcuts are made of. */

import { useMemo } from "react";
import { has, type Right, useSession } from "../state/session";
import type { MessageKey } from "../strings";
import type { IconName } from "../widgets/Icon";

export type PageEntry = {
  path: string;
  title: MessageKey;
  icon: IconName;
  key: string;
  /** Who is offered the page; without it everybody. */
  right?: Right;
};

export const PAGES: readonly PageEntry[] = [
  { path: "/", title: "page.overview", icon: "overview", key: "o" },
  { path: "/market", title: "page.market", icon: "market", key: "m" },
  { path: "/decisions", title: "page.decisions", icon: "decisions", key: "d" },
  { path: "/positions", title: "page.positions", icon: "positions", key: "p" },
  { path: "/risk", title: "page.risk", icon: "risk", key: "r" },
  { path: "/flows", title: "page.flows", icon: "replay", key: "w" },
  { path: "/backtests", title: "page.backtests", icon: "chart", key: "b", right: "reader" },
  { path: "/research", title: "page.research", icon: "research", key: "c", right: "reader" },
  { path: "/models", title: "page.models", icon: "models", key: "l" },
  { path: "/training", title: "page.training", icon: "training", key: "j", right: "reader" },
  { path: "/learning", title: "page.learning", icon: "learning", key: "n" },
  { path: "/features", title: "page.features", icon: "table", key: "f" },
  { path: "/alerts", title: "page.alerts", icon: "bell", key: "u", right: "reader" },
  { path: "/system", title: "page.system", icon: "system", key: "s" },
  { path: "/services", title: "page.services", icon: "services", key: "v" },
  { path: "/audit", title: "page.audit", icon: "audit", key: "a", right: "reader" },
  { path: "/tenants", title: "page.tenants", icon: "tenants", key: "t", right: "operator" },
  { path: "/settings", title: "page.settings", icon: "settings", key: "e" },
  { path: "/help", title: "page.help", icon: "help", key: "h" },
];

/** The pages that whoever is signed in is offered. */
export function usePages(): readonly PageEntry[] {
  const session = useSession((state) => state.session);
  return useMemo(() => PAGES.filter(({ right }) => has(session, right ?? "everyone")), [session]);
}

/** Whether `location` lies on the page at `path`. */
export const isOnPage = (path: string, location: string): boolean =>
  path === "/" ? location === "/" : location === path || location.startsWith(`${path}/`);
