/** The instant that the whole app shows instead of now; null is now. */

import { create } from "zustand";

type PastState = { at_us: number | null; travel: (at_us: number) => void; leave: () => void };

/** `?as_of=` with microseconds opens the app in the past. */
function givenInstant(): number | null {
  const given = Number(new URLSearchParams(globalThis.location?.search ?? "").get("as_of"));
  return Number.isSafeInteger(given) && given > 0 ? given : null;
}

export const usePast = create<PastState>()((set) => ({
  at_us: givenInstant(),
  travel: (at_us) => set({ at_us: Math.round(at_us) }),
  leave: () => set({ at_us: null }),
}));

export const useIsPast = (): boolean => usePast((state) => state.at_us !== null);
