/**
 * One request of one dialog: idle, on its way, refused, or of unknown outcome.
 *
 * Its key stays until the server says no: a repetition is the same request and has no second effect.
 */

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ApiProblem, newKey } from "../api/client";
import { ADMINISTRATION } from "../api/queries";
import type { Problem } from "../gen/protocol";

export type AskState =
  | { kind: "idle" }
  | { kind: "sending" }
  | { kind: "refused"; problem: Problem }
  | { kind: "unknown"; detail: string };

export type Asking<Wanted = void> = {
  state: AskState;
  send: (wanted: Wanted) => void;
  /** Forgets a refusal: what was refused has been changed. */
  forget: () => void;
};

const isRefusal = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && error.status >= 400 && error.status < 500;

/** `changed` names what is asked for again once it is done. */
export function useAsking<Told, Wanted = void>(
  run: (key: string, wanted: Wanted) => Promise<Told>,
  done: (told: Told) => void,
  changed: readonly string[] = [ADMINISTRATION],
): Asking<Wanted> {
  const [state, setState] = useState<AskState>({ kind: "idle" });
  const queries = useQueryClient();
  const key = useRef("");
  const send = (wanted: Wanted) => {
    key.current ||= newKey();
    setState({ kind: "sending" });
    run(key.current, wanted)
      .then((told) => {
        key.current = "";
        setState({ kind: "idle" });
        for (const name of changed) void queries.invalidateQueries({ queryKey: [name] });
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
