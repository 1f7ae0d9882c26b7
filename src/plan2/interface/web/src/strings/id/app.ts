/** Indonesian: language, installation, connection of the app itself. */

import type { Translated } from "../index";
import type { app as english } from "../app";

export const app = {
  "prefs.language": "Bahasa",
  "prefs.language_failed": "Bahasa ini tidak dapat dimuat; halaman tetap seperti semula.",
  "prefs.system": "Sistem",
  "unit.min": "mnt",
  "unit.h": "j",
  "unit.d": "h",
  "unit.full_speed": "kecepatan penuh",
} as const satisfies Translated<typeof english>;
