/** Whether somebody waits for the person to show again who they are. */

import { create } from "zustand";

type ProofState = {
  isAsked: boolean;
  /** Opens the dialog; true once the person has shown who they are, false when they leave it. */
  ask: () => Promise<boolean>;
  answer: (isProven: boolean) => void;
};

export const useProof = create<ProofState>()((set) => {
  let waiting: ((isProven: boolean) => void)[] = [];
  return {
    isAsked: false,
    ask: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        set({ isAsked: true });
      }),
    answer: (isProven) => {
      const told = waiting;
      waiting = [];
      set({ isAsked: false });
      for (const resolve of told) resolve(isProven);
    },
  };
});
