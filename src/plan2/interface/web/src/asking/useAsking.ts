/**
 * One request of one dialog: idle, on its way, refused, or of unknown outcome.
 *
 * Its key stays until the server says no: a repetition is the same request and has no second effect.
 */

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ApiProblem, newKey } from "../api/client";
import type { Problem } from "../gen/protocol";

export type AskState =
  | { kind: "idle" }
  | { kind: "sending" }
  | { kind: "refused"; problem: Problem }
  | { kind: "unknown"; detail: string };

export type Asking = {
  state: AskState;
  send: () => void;
  /** Forgets a refusal: what was refused has been changed. */
  forget: () => void;
};

/** Everything that the administration's pages have asked before is asked again after a change. */
export const ADMINISTRATION = "administration";

const isRefusal = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && error.status >= 400 && error.status < 500;

export function useAsking<Told>(
  run: (key: string) => Promise<Told>,
  done: (told: Told) => void,
): Asking {
  const [state, setState] = useState<AskState>({ kind: "idle" });
  const queries = useQueryClient();
  const key = useRef("");
  const send = () => {
    key.current ||= newKey();
    setState({ kind: "sending" });
    run(key.current)
      .then((told) => {
        key.current = "";
        setState({ kind: "idle" });
        void queries.invalidateQueries({ queryKey: [ADMINISTRATION] });
        done(told);
      })
      .catch((error: unknown) => {
        if (isRefusal(error)) {
          key.current = "";
          setState({ kind: "refused", problem: error.problem });
          return;
        }
        const detail = error instanceof ApiProblem && error.status ? error.message : "";
        setState({ kind: "unknown", detail });
      });
  };
  const forget = () => setState((old) => (old.kind === "refused" ? { kind: "idle" } : old));
  return { state, send, forget };
}
