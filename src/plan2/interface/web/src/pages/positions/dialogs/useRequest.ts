/** The request of one dialog about orders and positions, and the receipt of what was taken. */

import { useRef, useState } from "react";
import { ask, type Changing } from "../../../api/client";
import { type Asking, useAsking } from "../../../asking/useAsking";
import type { OrderReceipt } from "../../../gen/protocol";

const UNKNOWN_AFTER_MS = 5_000;
const CHANGED = ["orders", "positions"];

type Request = Omit<Asking, "send"> & {
  /** What was taken; null until something is. */
  receipt: OrderReceipt | null;
  /** Asks; while the outcome is unknown it asks again for the very same, whatever it is given. */
  send: (wanted: Changing | null) => void;
};

export function useRequest(): Request {
  const [receipt, setReceipt] = useState<OrderReceipt | null>(null);
  const last = useRef<Changing>(null);
  const asking = useAsking(
    (key, asked: Changing) => ask<OrderReceipt>(asked, key, AbortSignal.timeout(UNKNOWN_AFTER_MS)),
    setReceipt,
    CHANGED,
  );
  const send = (wanted: Changing | null) => {
    const asked = asking.state.kind === "unknown" ? last.current : wanted;
    if (!asked) return;
    last.current = asked;
    asking.send(asked);
  };
  return { state: asking.state, forget: asking.forget, receipt, send };
}
