/**
 * One-click trading: off until somebody arms it in this window, off again after a quarter of an
 * hour without use, and after a reload. It is never remembered.
 */

import { useEffect } from "react";
import { create } from "zustand";
import { useIsPhone } from "../widgets/phone";
import { useIsPast } from "./past";

export const IDLE_MS = 15 * 60_000;

type OneClick = {
  /** Wall time in milliseconds at which it ends; 0 while it is off. */
  until_ms: number;
  arm: (now_ms: number) => void;
  /** Whether a click may act now; if so, a quarter of an hour begins anew, else it is off. */
  use: (now_ms: number) => boolean;
  disarm: () => void;
};

export const useOneClick = create<OneClick>()((set, get) => ({
  until_ms: 0,
  arm: (now_ms) => set({ until_ms: now_ms + IDLE_MS }),
  use: (now_ms) => {
    // A timer sleeps with the machine: the clock decides.
    const isOn = get().until_ms > now_ms;
    set({ until_ms: isOn ? now_ms + IDLE_MS : 0 });
    return isOn;
  },
  disarm: () => set({ until_ms: 0 }),
}));

/** Whether a click acts at once: armed, not over, no phone, not the past. */
export function useIsOneClick(): boolean {
  const until_ms = useOneClick((state) => state.until_ms);
  const disarm = useOneClick((state) => state.disarm);
  const isPhone = useIsPhone();
  const isPast = useIsPast();
  useEffect(() => {
    if (until_ms === 0) return undefined;
    const id = setTimeout(disarm, Math.max(0, until_ms - Date.now()));
    return () => clearTimeout(id);
  }, [until_ms, disarm]);
  return until_ms > 0 && !isPhone && !isPast;
}
