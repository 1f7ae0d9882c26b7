/** What the server said to something that was not done: why, and what helps. */

import { t } from "../strings";
import { Note } from "./Note";
import type { AskState } from "./useAsking";
import { said, spoken } from "../strings/told";

export function Refusal({ state }: { state: AskState }) {
  if (state.kind === "refused") {
    const { problem } = state;
    const faults = (problem.errors ?? []).map((fault) => `${fault.field}: ${said(fault.message)}`);
    const why = faults.length > 0 ? faults.join("; ") : problem.detail || problem.title;
    return (
      <Note tone="crit" testId="refusal">
        <span {...spoken(why, problem.remedy)} />
      </Note>
    );
  }
  if (state.kind === "unknown")
    return (
      <Note tone="warn">
        {state.detail} {t("trade.unknown")}
      </Note>
    );
  return null;
}
