// Runs before the first paint so that a light theme does not flash dark; the CSP allows no inline script.
try {
  const { state } = JSON.parse(localStorage.getItem("plan2.preferences") ?? "{}");
  const root = document.documentElement;
  if (state?.theme) root.dataset.mantineColorScheme = state.theme;
  if (state?.palette) root.dataset.palette = state.palette;
} catch {
  // Unreadable preferences mean the defaults.
}
