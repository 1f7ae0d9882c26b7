/**
 * One request of one dialog: sent, taken, refused, or of unknown outcome.
 *
 * Its key is made when the dialog opens and stays until the server says no: a repetition is the same
 * request, so that no second order leaves. After a refusal nothing was sent, and the next try has a
 * key of its own.
 */

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ApiProblem, ask, type Changing, newKey } from "../../../api/client";
import type { OrderReceipt, Problem } from "../../../gen/protocol";

const UNKNOWN_AFTER_MS = 5_000;

export type RequestState =
  | { kind: "idle" }
  | { kind: "sending" }
  | { kind: "taken"; receipt: OrderReceipt }
  | { kind: "refused"; problem: Problem }
  | { kind: "unknown"; detail: string };

const isRefusal = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && error.status >= 400 && error.status < 500;

/** `send` asks; while the outcome is unknown it asks again for the very same, whatever it is given. */
export function useRequest(): {
  state: RequestState;
  send: (asked: Changing | null) => void;
  /** Forgets a refusal: what was refused has been changed. */
  forget: () => void;
} {
  const [state, setState] = useState<RequestState>({ kind: "idle" });
  const queries = useQueryClient();
  const key = useRef("");
  const last = useRef<Changing>(null);
  const send = (wanted: Changing | null) => {
    const asked = state.kind === "unknown" ? last.current : wanted;
    if (!asked) return;
    last.current = asked;
    key.current ||= newKey();
    setState({ kind: "sending" });
    ask<OrderReceipt>(asked, key.current, AbortSignal.timeout(UNKNOWN_AFTER_MS))
      .then((receipt) => {
        setState({ kind: "taken", receipt });
        void queries.invalidateQueries({ queryKey: ["orders"] });
        void queries.invalidateQueries({ queryKey: ["positions"] });
      })
      .catch((error: unknown) => {
        if (isRefusal(error)) {
          key.current = "";
          setState({ kind: "refused", problem: error.problem });
        } else {
          const detail = error instanceof ApiProblem && error.status ? error.message : "";
          setState({ kind: "unknown", detail });
        }
      });
  };
  const forget = () => setState((old) => (old.kind === "refused" ? { kind: "idle" } : old));
  return { state, send, forget };
}
