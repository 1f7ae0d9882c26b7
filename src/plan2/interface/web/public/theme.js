// Runs before the first paint so that a light theme does not flash dark; the CSP allows no inline script.
try {
  const { state } = JSON.parse(localStorage.getItem("plan2.preferences") ?? "{}");
  const root = document.documentElement;
  const isLight = matchMedia("(prefers-color-scheme: light)").matches;
  const system = isLight ? "light" : "dark";
  if (state?.theme)
    root.dataset.mantineColorScheme = { system, contrast: "dark" }[state.theme] ?? state.theme;
  if (state?.theme === "contrast") root.dataset.contrast = "more";
  if (state?.language) root.lang = state.language;
  if (state?.palette) root.dataset.palette = state.palette;
} catch {
  // Unreadable preferences mean the defaults.
}
