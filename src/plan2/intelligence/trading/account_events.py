"""The facts an account writes down, built from what it knows; pure constructors."""

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, LinkChange, OrderKind
from plan2.foundation.events.account import (
    BalanceAdjusted,
    EquityRecorded,
    FlowMark,
    TerminalLinkChanged,
)
from plan2.foundation.events.base import Event
from plan2.foundation.events.fact import Fact, fact
from plan2.foundation.events.order import (
    OrderDenied,
    OrderPlaced,
    OrderSent,
    PositionClaimed,
    ReconciliationDifference,
)
from plan2.foundation.values import NS_PER_SECOND, Tick
from plan2.intelligence.decision.decide import Decision
from plan2.intelligence.decision.flow_part import FlowPart
from plan2.intelligence.decision.material import Owner, models_hash
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.limits import Intent
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.trading.portfolio import Portfolio
from plan2.intelligence.trading.positions import Position
from plan2.intelligence.trading.summary import account_stream
from plan2.intelligence.trading.wishes import Ask

POLICY = "algorithm:plan2-policy"
"""Who decides when no person does."""
FLOWS = "algorithm:flow-"
"""How the name of an actor begins that is a flow."""

ADDS_RISK = frozenset({OrderKind.OPEN, OrderKind.PENDING})
"""Kinds that may bring a new position."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order comes from: who decided, who executes, why, which version, for whom.

    `decided_by` and `executed_by` are `algorithm:…` or `user:…`; `horizon_s` is after how long the
    position it opens is closed (0 = never), `exits` what else a flow's position lives by.
    """

    decided_by: str
    executed_by: str
    version: str
    models_hash: str = ""
    flow_id: str = "main"
    client: str = ""
    horizon_s: int = 0
    reason: str = ""
    exits: dict[str, float] = {}


def origin_of_flow(owner: Owner, forecast: Forecast | None, flow: FlowPart) -> Origin:
    """An order that a flow wants."""
    who = f"{FLOWS}{flow.name}"
    return Origin(
        decided_by=who,
        executed_by=who,
        version=owner.version,
        models_hash=models_hash(forecast) if flow.uses_models else "",
        flow_id=flow.name,
        client=owner.tenant_id,
        reason=flow.why,
        exits=flow.exits if flow.is_entry else {},
    )


def origin_of(owner: Owner, forecast: Forecast | None, horizon_s: int) -> Origin:
    """An order that our own decision policy wants."""
    return Origin(
        decided_by=POLICY,
        executed_by=POLICY,
        version=owner.version,
        models_hash=models_hash(forecast),
        client=owner.tenant_id,
        horizon_s=horizon_s,
    )


class AccountFacts:
    """Writes facts in the name of one account of one tenant."""

    def __init__(self, tenant_id: str, account_id: str) -> None:
        self._tenant_id = tenant_id
        self._account_id = account_id
        self._account_stream = account_stream(account_id)
        self._order_stream = f"order:{account_id}"

    def placed(self, order: ApprovedOrder, origin: Origin) -> Fact:
        """An approved order, about to become durable."""
        horizon_ns = origin.horizon_s * NS_PER_SECOND
        event = OrderPlaced(
            ts_ns=order.ts_ns,
            order_id=order.order_id,
            decision_id=order.decision_id,
            tenant_id=self._tenant_id,
            account_id=order.account_id,
            symbol=order.symbol,
            side=order.side.name.lower(),
            quantity=order.quantity,
            price=order.price,
            stop_loss=order.stop_loss,
            take_profit=order.take_profit,
            reduce_only=order.kind not in ADDS_RISK,
            token=order.token,
            position_id=order.position_ticket,
            expires_ts_ns=order.ts_ns + horizon_ns if horizon_ns else 0,
            kind=order.kind.value,
            trigger=order.trigger.value,
            limit_price=order.limit_price,
            opposite_id=order.opposite_ticket,
            target_ticket=order.order_ticket,
            order_expires_ts_ns=order.expires_ts_ns,
            flow_id=origin.flow_id,
            decided_by=origin.decided_by,
            executed_by=origin.executed_by,
            algorithm_version=origin.version,
            models_hash=origin.models_hash,
            client=origin.client,
            reason=origin.reason,
            exits=origin.exits,
        )
        return fact(self._order_stream, event, order.order_id, correlation_id=order.decision_id)

    def sent(self, order: ApprovedOrder) -> Fact:
        """The terminal was called."""
        event = OrderSent(
            ts_ns=order.ts_ns,
            order_id=order.order_id,
            account_id=order.account_id,
            symbol=order.symbol,
        )
        return fact(self._order_stream, event, order.order_id, correlation_id=order.decision_id)

    def denied(self, tick: Tick, decision: Decision) -> Fact:
        """The gate refused; names the first rule that did."""
        failed = next(item for item in decision.checks if not item.passed)
        event = OrderDenied(
            ts_ns=tick.ts_ns,
            decision_id=decision.intent_id,
            tenant_id=self._tenant_id,
            account_id=self._account_id,
            symbol=tick.symbol,
            rule_id=failed.rule,
            current_value=failed.value,
            threshold=failed.limit,
        )
        return fact(
            self._order_stream, event, decision.intent_id, correlation_id=decision.intent_id
        )

    def refused(self, intent: Intent, failed: Check) -> Fact:
        """The gate refused what somebody asked for; a later try is another fact."""
        event = OrderDenied(
            ts_ns=intent.ts_ns,
            decision_id=intent.decision_id,
            tenant_id=self._tenant_id,
            account_id=self._account_id,
            symbol=intent.symbol,
            rule_id=failed.rule,
            current_value=failed.value,
            threshold=failed.limit,
        )
        identity = (intent.decision_id, intent.ts_ns, failed.value)
        return fact(self._order_stream, event, *identity, correlation_id=intent.decision_id)

    def claimed(self, position: Position, ask: Ask, expires_ts_ns: int, ts_ns: int) -> Fact:
        """A person handed a position to Plan2, or took it away; what it was is turned round."""
        event = PositionClaimed(
            ts_ns=ts_ns,
            position_id=position.position_id,
            account_id=self._account_id,
            symbol=position.symbol,
            is_managed=not position.is_managed,
            expires_ts_ns=expires_ts_ns,
            actor=ask.actor,
            reason=ask.reason,
        )
        return self.answered(event)

    def answered(self, event: Event) -> Fact:
        """Something the broker said or did, or that was found out about it."""
        if isinstance(event, ReconciliationDifference):
            return self.differed(event)
        stream = self._account_stream if isinstance(event, BalanceAdjusted) else self._order_stream
        return fact(stream, event, *_identity(event))

    def differed(self, event: ReconciliationDifference) -> Fact:
        """Our books and the broker's disagree."""
        return fact(self._account_stream, event, event.ts_ns, event.ours, event.theirs)

    def link_changed(self, change: LinkChange) -> Fact:
        """The way to the broker is up, degraded or down."""
        event = TerminalLinkChanged(
            ts_ns=change.ts_ns,
            account_id=self._account_id,
            tenant_id=self._tenant_id,
            state=change.state.value,
            reason=change.reason,
        )
        return fact(self._account_stream, event, change.ts_ns, event.state, change.reason)

    def equity(
        self, portfolio: Portfolio, margin: float, flows: dict[str, FlowMark], ts_ns: int
    ) -> Fact:
        """The account's figures now, and what its and its flows' loss limits are measured from."""
        marks = portfolio.marks
        event = EquityRecorded(
            ts_ns=ts_ns,
            account_id=self._account_id,
            tenant_id=self._tenant_id,
            balance=str(portfolio.balance),
            equity=str(portfolio.equity),
            margin=f"{margin:.2f}",
            day_start_equity=str(marks.day_start_equity),
            day_end_ns=marks.day_end_ns,
            peak_equity=str(marks.peak_equity),
            week_start_equity=str(marks.week_start_equity),
            week_end_ns=marks.week_end_ns,
            day_capital=str(marks.day_capital),
            flows=flows,
        )
        return fact(self._account_stream, event, ts_ns, event.equity, event.peak_equity)


def _identity(event: Event) -> tuple[object, ...]:
    """What makes an event the same fact when it is met again: its fill, or all that it says."""
    fill = getattr(event, "fill_id", None)
    return (fill,) if fill is not None else msgspec.structs.astuple(event)
