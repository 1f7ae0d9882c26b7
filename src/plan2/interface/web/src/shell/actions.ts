/** Everything that can be done from the keyboard; the palette and the shortcut sheet show this list. */

import { useMemo } from "react";
import { useLocation } from "wouter";
import { useSymbols } from "../api/queries";
import { type SwitchCommand, useDialogs } from "../state/dialogs";
import { useIsPast, usePast } from "../state/past";
import { usePreferences } from "../state/preferences";
import { t } from "../strings";
import type { IconName } from "../widgets/Icon";
import { useScheme } from "./appearance";
import { usePages } from "./pages";

export type Action = {
  id: string;
  group: string;
  title: string;
  /** "g o" is a sequence, "alt+t" a chord; "" has no key. */
  keys: string;
  icon: IconName;
  run: () => void;
};

export function useActions(): Action[] {
  const [, navigate] = useLocation();
  const { data: symbols } = useSymbols();
  const open = useDialogs((state) => state.open);
  const { zone, change } = usePreferences();
  const scheme = useScheme();
  const pages = usePages();
  const isPast = useIsPast();
  return useMemo(() => {
    const go: Action[] = pages.map((page) => ({
      id: `go${page.path}`,
      group: t("action.go"),
      title: t(page.title),
      keys: `g ${page.key}`,
      icon: page.icon,
      run: () => navigate(page.path),
    }));
    const markets: Action[] = (symbols ?? []).map(({ symbol, description }) => ({
      id: `market/${symbol}`,
      group: t("action.symbols"),
      title: `${symbol} · ${description}`,
      keys: "",
      icon: "market",
      run: () => navigate(`/market/${symbol}`),
    }));
    const command = (name: SwitchCommand, icon: IconName): Action => ({
      id: name,
      group: t("action.trading"),
      title: t(`command.${name}`),
      keys: "",
      icon,
      run: () => open({ kind: "command", command: name }),
    });
    const commands = isPast
      ? []
      : [
          command("pause", "pause"),
          command("reduce-only", "shrink"),
          command("resume", "play"),
          command("halt", "halt"),
        ];
    return [
      ...go,
      ...markets,
      ...commands,
      {
        id: "kill",
        group: t("action.trading"),
        title: t("kill.open"),
        keys: "ctrl+shift+k",
        icon: "kill",
        run: () => {
          usePast.getState().leave();
          open({ kind: "kill" });
        },
      },
      {
        id: "theme",
        group: t("action.view"),
        title: t("action.theme"),
        keys: "alt+t",
        icon: "sun",
        run: () => change({ theme: scheme === "dark" ? "light" : "dark" }),
      },
      {
        id: "zone",
        group: t("action.view"),
        title: t("action.zone"),
        keys: "alt+z",
        icon: "system",
        run: () => change({ zone: zone === "utc" ? "local" : "utc" }),
      },
      {
        id: "preferences",
        group: t("action.view"),
        title: t("prefs.title"),
        keys: "",
        icon: "settings",
        run: () => open({ kind: "preferences" }),
      },
      {
        id: "shortcuts",
        group: t("action.view"),
        title: t("shortcuts.title"),
        keys: "?",
        icon: "help",
        run: () => open({ kind: "shortcuts" }),
      },
    ];
  }, [navigate, pages, symbols, open, scheme, zone, change, isPast]);
}

/** Keys that single pages have beside those; no action of the palette, so there is nothing to run. */
export const PAGE_KEYS = [
  { keys: "[ / ]", title: "shortcuts.symbol" },
  { keys: "1 … 4", title: "shortcuts.timeframe" },
  { keys: "← →", title: "shortcuts.crosshair" },
  { keys: "+ −", title: "shortcuts.zoom" },
  { keys: "End", title: "shortcuts.latest" },
  { keys: "j / k", title: "shortcuts.next" },
  { keys: "r", title: "shortcuts.replay" },
  { keys: "n", title: "shortcuts.new_order" },
  { keys: ", / .", title: "shortcuts.past" },
] as const;
