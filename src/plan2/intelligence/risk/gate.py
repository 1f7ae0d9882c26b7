"""The risk gate: the only place where an intent becomes an approved order.

No flag walks around it: people, bots and "close all" pass it too. Intents that only reduce risk
meet their own short list, and one that withdraws an order meets none. Every rule is looked at, so
that a refusal can be shown whole.
"""

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind
from plan2.foundation.config.schema import Risk
from plan2.foundation.errors import require
from plan2.foundation.ids import derived_id
from plan2.intelligence.risk.checks import rules_for
from plan2.intelligence.risk.limits import Intent, RiskInputs
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.risk.rules_of_flows import flow_checks

MAGIC = 20_250
"""Marks Plan2's orders at the broker; below 2^31 for old tools."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's answer: an order, or None with at least one failed check."""

    order: ApprovedOrder | None
    checks: tuple[Check, ...]

    @property
    def first_failure(self) -> Check | None:
        """The first rule that refused."""
        return next((check for check in self.checks if not check.passed), None)


def check(kind: OrderKind, inputs: RiskInputs, limits: Risk) -> tuple[Check, ...]:
    """All rules that apply to an order of this kind, in order."""
    rules = rules_for(kind, inputs.account.rule_set)
    checks = tuple(rule(inputs, limits) for rule in rules)
    return checks if inputs.flow is None else (*checks, *flow_checks(*inputs.flow))


def review(intent: Intent, inputs: RiskInputs, limits: Risk, account_id: str) -> Review:
    """Approve or deny; the order's id and token depend only on the decision."""
    checks = check(intent.kind, inputs, limits)
    if not all(item.passed for item in checks):
        return Review(order=None, checks=checks)
    return Review(order=_approved(intent, account_id), checks=checks)


def withdraw(intent: Intent, account_id: str) -> ApprovedOrder:
    """Approve a withdrawal: no rule can refuse it, so no figures are needed."""
    require(intent.kind is OrderKind.CANCEL, f"{intent.kind} is not a withdrawal")
    return _approved(intent, account_id)


def order_id_of(decision_id: str) -> str:
    """The id of the order that a decision may lead to."""
    return derived_id("order", decision_id)


def _approved(intent: Intent, account_id: str) -> ApprovedOrder:
    order_id = order_id_of(intent.decision_id)
    return ApprovedOrder(
        order_id=order_id,
        decision_id=intent.decision_id,
        account_id=account_id,
        symbol=intent.symbol,
        kind=intent.kind,
        side=intent.side,
        quantity=intent.quantity,
        price=intent.price,
        stop_loss=intent.stop_loss,
        take_profit=intent.take_profit,
        token=f"p2.{order_id[:22]}",
        magic=MAGIC,
        ts_ns=intent.ts_ns,
        position_ticket=intent.position_ticket,
        opposite_ticket=intent.opposite_ticket,
        order_ticket=intent.order_ticket,
        trigger=intent.trigger,
        limit_price=intent.limit_price,
        expires_ts_ns=intent.expires_ts_ns,
        deviation_points=intent.deviation_points,
    )
