/** Whether the browser offers to install the app, and how to accept. */

import { create } from "zustand";

/** What Chromium hands over; other browsers install from their own menu. */
type InstallPrompt = Event & { prompt: () => Promise<unknown> };

type InstallState = { offer: InstallPrompt | null; install: () => void };

export const useInstall = create<InstallState>()((set, get) => ({
  offer: null,
  install: () => {
    void get().offer?.prompt();
    set({ offer: null });
  },
}));

/** Keeps the browser's offer for the preferences, and registers the offline shell. */
export function prepareInstallation(): void {
  globalThis.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    useInstall.setState({ offer: event as InstallPrompt });
  });
  globalThis.addEventListener("appinstalled", () => useInstall.setState({ offer: null }));
  // Only with TLS or on this machine; elsewhere the browser has no service workers.
  if (import.meta.env.PROD && "serviceWorker" in navigator)
    navigator.serviceWorker.register("/sw.js").catch(() => {
      // Without it everything works but the start without a server.
    });
}

/** Why the app cannot be installed here, or how: as the browser allows. */
export type Installable = "installed" | "offered" | "by_menu" | "needs_tls";

export function useInstallable(): Installable {
  const offer = useInstall((state) => state.offer);
  if (matchMedia("(display-mode: standalone)").matches) return "installed";
  if (!globalThis.isSecureContext) return "needs_tls";
  return offer ? "offered" : "by_menu";
}
