/** The list's filters; they live in the address, so reload and share keep them. */

import type { DecisionFilter } from "../../api/queries";

export const OUTCOMES = ["traded", "not_traded", "denied"] as const;
export const REASONS = [
  "expected_value",
  "warming_up",
  "no_forecast",
  "no_rate",
  "cost_above_edge",
  "edge_uncertain",
  "spread_too_wide",
  "stale_tick",
  "quotes_apart",
  "terms_differ",
  "data_quality",
  "position_open",
  "order_pending",
  "cooldown",
  "novel_situation",
  "scheduled_event",
  "size_too_small",
  "model_unproven",
  "risk_denied",
  "exploration",
  "time_exit",
  "manual_exit",
  "flow_entry",
  "flow_exit",
  "no_signal",
] as const;

export function filterOf(search: string): DecisionFilter {
  const given = new URLSearchParams(search);
  return {
    symbol: given.get("symbol") ?? "",
    outcome: given.get("outcome") ?? "",
    reason: given.get("reason") ?? "",
  };
}
