/** Which of the shell's dialogs is open; at most one. */

import { create } from "zustand";
import type { CommandName } from "../gen/protocol";

/** Commands that throw a switch and do nothing else. */
export type SwitchCommand = Exclude<CommandName, "kill">;

export type Dialog =
  | { kind: "none" }
  | { kind: "kill" }
  | { kind: "command"; command: SwitchCommand }
  | { kind: "shortcuts" }
  | { kind: "preferences" };

type DialogState = { dialog: Dialog; open: (dialog: Dialog) => void; close: () => void };

export const useDialogs = create<DialogState>()((set) => ({
  dialog: { kind: "none" },
  open: (dialog) => set({ dialog }),
  close: () => set({ dialog: { kind: "none" } }),
}));
