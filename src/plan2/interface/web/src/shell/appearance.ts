/** Theme and language: what this device chose, else what the settings say, else the system. */

import { notifications } from "@mantine/notifications";
import { useMediaQuery } from "@mantine/hooks";
import { useEffect } from "react";
import { useSettings } from "../api/admin";
import { type Theme, usePreferences } from "../state/preferences";
import { useSession } from "../state/session";
import { t } from "../strings";
import { type Language, languageOf, showLanguage, useLanguage } from "../strings/language";

const THEMES: readonly unknown[] = ["dark", "light", "contrast", "system"] satisfies Theme[];
const isTheme = (value: unknown): value is Theme => THEMES.includes(value);

/** The two colour schemes that there are styles for. */
export type Scheme = "dark" | "light";

export function useScheme(): Scheme {
  const theme = usePreferences((state) => state.theme);
  const isLight = useMediaQuery("(prefers-color-scheme: light)");
  if (theme === "dark" || theme === "light") return theme;
  return theme === "system" && isLight ? "light" : "dark";
}

/** Whether black, white and strong edges are wanted: chosen here, or asked of the system. */
export function useHasContrast(): boolean {
  const theme = usePreferences((state) => state.theme);
  const isAsked = useMediaQuery("(prefers-contrast: more)") === true;
  return theme === "contrast" || (theme === "system" && isAsked);
}

/** Shows the language that was chosen here, or the setting's until somebody chooses. */
export function useChosenLanguage(): void {
  const { language, theme, change } = usePreferences();
  const shown = useLanguage((state) => state.shown);
  const isSignedIn = useSession((state) => state.session !== null && !state.needsFactor);
  const { data } = useSettings(isSignedIn && (language === "" || theme === ""));
  const valueOf = (key: string) =>
    data?.items.find((one) => one.key === key && one.origin_scope !== "default")?.value;
  const wanted: Language = language === "" ? languageOf(valueOf("ui.language")) : language;
  const given = valueOf("ui.theme");
  useEffect(() => {
    if (theme === "" && isTheme(given)) change({ theme: given });
  }, [theme, given, change]);
  useEffect(() => {
    if (wanted === shown) return;
    showLanguage(wanted).catch(() =>
      notifications.show({ id: "language", color: "red", message: t("prefs.language_failed") }),
    );
  }, [wanted, shown]);
}
