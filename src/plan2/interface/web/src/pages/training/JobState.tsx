/** Where a job stands, as a chip. */

import { words } from "../../strings";

const TONES: Record<string, string> = {
  waiting: "",
  running: "is-accent",
  done: "is-ok",
  failed: "is-crit",
  cancelled: "",
  interrupted: "is-warn",
};

export function JobState({ state }: { state: string }) {
  return <span className={`chip ${TONES[state] ?? ""}`}>{words(state)}</span>;
}
