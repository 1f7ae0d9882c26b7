/** What the server said to something that was not done: why, and what helps. */

import { t } from "../strings";
import { Icon } from "../widgets/Icon";
import type { AskState } from "./useAsking";

export function Refusal({ state }: { state: AskState }) {
  if (state.kind === "refused") {
    const { problem } = state;
    const faults = (problem.errors ?? []).map((fault) => `${fault.field}: ${fault.message}`);
    const said = faults.length > 0 ? faults.join("; ") : problem.detail || problem.title;
    return (
      <div className="note is-crit" role="alert" data-testid="refusal">
        <Icon name="warning" size={15} />
        <span>
          {said} {problem.remedy}
        </span>
      </div>
    );
  }
  if (state.kind === "unknown")
    return (
      <div className="note is-warn" role="alert">
        <Icon name="warning" size={15} />
        <span>
          {state.detail} {t("trade.unknown")}
        </span>
      </div>
    );
  return null;
}
