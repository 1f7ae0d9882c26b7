/** What would have changed a decision that was not traded, read off its own numbers. */

import { percent, price, significant } from "../../format/numbers";
import type { DecisionRecord } from "../../gen/protocol";
import { label, t } from "../../strings";

/**
 * The pessimistic probability from which the bet would pass, and the cost at which it would.
 *
 * With a barrier b and a cost c the pessimistic value is (2p − 1)·b − c; it has to exceed the
 * margin m, so p > (1 + (c + m)/b)/2 and c < (2p − 1)·b − m. Null where no such probability exists.
 */
export function edgeNeeds(
  p_lcb: number,
  barrier: number,
  cost: number,
  margin: number,
): { p: number | null; cost: number | null } {
  const p = (1 + (cost + margin) / barrier) / 2;
  const most = (2 * p_lcb - 1) * barrier - margin;
  return { p: p < 1 ? p : null, cost: most > 0 ? most : null };
}

/** Sentences, the nearest reason first; none for what was traded or has no numbers to go by. */
export function counterfactuals(record: DecisionRecord, digits: number): string[] {
  if (record.outcome === "traded") return [];
  const { edge, forecast, checks } = record;
  const told = checks
    .filter((check) => !check.passed)
    .map((check) =>
      t("decision.if_check", {
        rule: label("rule", check.rule),
        limit: significant(check.limit),
        value: significant(check.value),
      }),
    );
  if (!edge || !forecast || edge.ev_lcb > edge.margin) return told;
  const needs = edgeNeeds(edge.p_lcb, forecast.barrier, edge.cost, edge.margin);
  if (needs.p !== null)
    told.push(
      t("decision.if_edge_p", { needed: percent(needs.p, 2), had: percent(edge.p_lcb, 2) }),
    );
  if (needs.cost !== null)
    told.push(
      t("decision.if_edge_cost", {
        needed: price(needs.cost, digits + 1),
        had: price(edge.cost, digits + 1),
      }),
    );
  return told;
}
