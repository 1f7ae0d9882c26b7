/** English: language, installation, connection of the app itself. */

export const app = {
  "prefs.language": "Language",
  "prefs.language_failed": "This language could not be loaded; the page stays as it is.",
  "prefs.system": "System",
  "unit.min": "min",
  "unit.h": "h",
  "unit.d": "d",
  "unit.full_speed": "full speed",
  "page.risk": "Risk",
  "page.help": "Help",
  "past.mode": "Time travel",
  "past.badge": "REPLAY",
  "past.as_of": "Everything as of {time}.",
  "past.until_event": "Told from the events up to #{position}.",
  "past.limits":
    "Account, positions, working orders, decisions and events are those of then; the rest shows now. Commands are off.",
  "past.minute_back": "−1 min",
  "past.minute_on": "+1 min",
  "past.play": "Play",
  "past.pause": "Pause",
  "past.leave": "Back to now",
  "past.blocked": "You look at the past: commands are off until you come back to now.",
  "past.go": "Show the whole app as of then",
  "shortcuts.past": "In time travel: a minute back / on; Esc comes back",
} as const;
