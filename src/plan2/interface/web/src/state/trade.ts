/** Which dialog about an order or a position is open; at most one. */

import { create } from "zustand";

export type TradeDialog =
  | { kind: "ticket"; symbol: string }
  | { kind: "change" | "cancel"; order_id: string }
  | { kind: "stops" | "close" | "close_by" | "claim" | "release"; position_id: string };

type TradeState = {
  dialog: TradeDialog | null;
  open: (dialog: TradeDialog) => void;
  close: () => void;
};

export const useTrade = create<TradeState>()((set) => {
  let before: Element | null = null;
  return {
    dialog: null,
    open: (dialog) => {
      before = document.activeElement;
      set({ dialog });
    },
    close: () => {
      set({ dialog: null });
      // Back to the button that opened it, once the dialog has let go of the focus.
      setTimeout(() => before instanceof HTMLElement && before.focus());
    },
  };
});
