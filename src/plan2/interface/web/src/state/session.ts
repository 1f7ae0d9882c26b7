/** Who is signed in, as far as the page knows. */

import { create } from "zustand";
import type { Session } from "../gen/protocol";

type SessionState = {
  session: Session | null;
  isSignedOut: boolean;
  signedIn: (session: Session) => void;
  signedOut: () => void;
};

export const useSession = create<SessionState>()((set) => ({
  session: null,
  isSignedOut: false,
  signedIn: (session) => set({ session, isSignedOut: false }),
  signedOut: () => set({ session: null, isSignedOut: true }),
}));
