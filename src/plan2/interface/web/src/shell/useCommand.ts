/** One command on its way: sent, accepted, refused, or of unknown outcome after five seconds. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiProblem, ask, type Changing, newKey } from "../api/client";
import type { CommandBody, CommandName, CommandReply } from "../gen/protocol";

const UNKNOWN_AFTER_MS = 5_000;

export type CommandState =
  | { kind: "idle" }
  | { kind: "sending" }
  | { kind: "accepted"; reply: CommandReply }
  | { kind: "refused"; message: string }
  | { kind: "unknown" };

export function useCommand(name: CommandName): {
  state: CommandState;
  send: (body: CommandBody) => void;
} {
  const [state, setState] = useState<CommandState>({ kind: "idle" });
  const queries = useQueryClient();
  // A repeated click is the same command; anything else in it makes it another one.
  const [keys] = useState(() => new Map<string, string>());
  const send = (body: CommandBody) => {
    const text = JSON.stringify(body);
    const key = keys.get(text) ?? newKey();
    keys.set(text, key);
    setState({ kind: "sending" });
    const asked: Changing = { method: "POST", path: `/commands/${name}`, body };
    ask<CommandReply>(asked, key, AbortSignal.timeout(UNKNOWN_AFTER_MS))
      .then((reply) => {
        setState({ kind: "accepted", reply });
        return queries.invalidateQueries();
      })
      .catch((error: unknown) => {
        const isAnswer = error instanceof ApiProblem && error.status !== 0;
        setState(isAnswer ? { kind: "refused", message: error.message } : { kind: "unknown" });
      });
  };
  return { state, send };
}
