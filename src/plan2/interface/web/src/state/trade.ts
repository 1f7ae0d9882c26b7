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

export const useTrade = create<TradeState>()((set) => ({
  dialog: null,
  open: (dialog) => set({ dialog }),
  close: () => set({ dialog: null }),
}));
