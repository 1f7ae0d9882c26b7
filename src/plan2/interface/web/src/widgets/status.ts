/** How the states of parts look: one tone and one icon per word. */

import type { IconName } from "./Icon";

type Look = { tone: "ok" | "warn" | "crit" | "dim"; icon: IconName };

const LOOKS: Record<string, Look> = {
  ok: { tone: "ok", icon: "check" },
  healthy: { tone: "ok", icon: "check" },
  starting: { tone: "warn", icon: "retry" },
  degraded: { tone: "warn", icon: "warning" },
  down: { tone: "crit", icon: "cross" },
  stopped: { tone: "dim", icon: "halt" },
};
const UNKNOWN: Look = { tone: "warn", icon: "help" };

export const statusLook = (status: string): Look => LOOKS[status] ?? UNKNOWN;
