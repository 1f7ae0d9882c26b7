/** What a screen reader is told: fills, breaches, connection changes; never price ticks. */

import { create } from "zustand";

type Announcer = { text: string; announce: (text: string) => void };

export const useAnnouncer = create<Announcer>()((set) => ({
  text: "",
  announce: (text) => set({ text }),
}));
