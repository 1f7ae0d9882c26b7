/** English: language, installation, connection of the app itself. */

export const app = {
  "prefs.language": "Language",
  "prefs.language_failed": "This language could not be loaded; the page stays as it is.",
  "prefs.system": "System",
  "unit.min": "min",
  "unit.h": "h",
  "unit.d": "d",
  "unit.full_speed": "full speed",
} as const;
