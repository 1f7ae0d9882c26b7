/** What a person chose for this device: theme, time zone, palette, density, language, shortcuts. */

import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import type { Zone } from "../format/times";
import type { RateClass } from "../gen/protocol";
import type { Language } from "../strings/language";

export type Theme = "dark" | "light" | "contrast" | "system";
export type Palette = "green-red" | "blue-orange" | "red-green";
export type Density = "compact" | "normal";

export type Rate = Exclude<RateClass, "background"> | "";

type Preferences = {
  /** Empty: as the setting `ui.theme` says. */
  theme: Theme | "";
  zone: Zone;
  palette: Palette;
  density: Density;
  hasSingleKeys: boolean;
  /** Empty: as the setting `ui.language` says. */
  language: Language | "";
  /** How often the server sends prices; empty: as suits the device. */
  rate: Rate;
  isNavCollapsed: boolean;
  /** Where this device signed in last. */
  tenant: string;
  change: (part: Partial<Omit<Preferences, "change">>) => void;
};

/** Also read by public/theme.js before the first paint. */
export const PREFERENCES_KEY = "plan2.preferences";

export const usePreferences = create<Preferences>()(
  persist(
    (set) => ({
      theme: "",
      zone: "utc",
      palette: "green-red",
      density: "compact",
      hasSingleKeys: true,
      language: "",
      rate: "",
      isNavCollapsed: false,
      tenant: "",
      change: (part) => set(part),
    }),
    { name: PREFERENCES_KEY, storage: createJSONStorage(() => localStorage) },
  ),
);

export const useZone = (): Zone => usePreferences((state) => state.zone);
