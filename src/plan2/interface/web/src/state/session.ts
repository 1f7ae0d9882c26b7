/** Who is signed in, as far as the page knows, and what their role lets them do. */

import { create } from "zustand";
import type { Session } from "../gen/protocol";

type SessionState = {
  session: Session | null;
  isSignedOut: boolean;
  /** Who was signed in last, to sign in again. */
  lastUser: string;
  /** The role demands a second factor that is not set up yet; nothing else is answered. */
  needsFactor: boolean;
  factorNeeded: () => void;
  signedIn: (session: Session) => void;
  signedOut: () => void;
};

export const useSession = create<SessionState>()((set) => ({
  session: null,
  isSignedOut: false,
  lastUser: "",
  needsFactor: false,
  factorNeeded: () => set({ needsFactor: true }),
  signedIn: (session) =>
    set({ session, isSignedOut: false, lastUser: session.user, needsFactor: false }),
  signedOut: () => set({ session: null, isSignedOut: true }),
}));

/** What a page or a section asks of whoever opens it. */
export type Right = "everyone" | "reader" | "trader" | "administrator" | "operator";

const ROLES: Record<Exclude<Right, "everyone" | "operator">, readonly string[]> = {
  reader: ["Tenant_Admin", "Portfolio_Manager", "Analyst"],
  trader: ["Tenant_Admin", "Portfolio_Manager"],
  administrator: ["Tenant_Admin"],
};

/** Whether to offer something; the server decides whether it is done. */
export function has(session: Session | null, right: Right): boolean {
  if (right === "everyone") return true;
  if (!session) return false;
  return right === "operator" ? session.is_operator : ROLES[right].includes(session.role);
}

export const useRight = (right: Right): boolean => useSession(({ session }) => has(session, right));
