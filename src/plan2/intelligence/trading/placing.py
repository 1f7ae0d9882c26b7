"""From an approved order to the terminal call: written down first, sent once, announced after.

What stands between the decision and the call is one encoding and one durable write. Everything that
people and screens want to know of it (the decision record, its digest, the events) follows once the
order is on its way, or at the next start when a crash came in between.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import JournalLost, TerminalUnavailable
from plan2.foundation.events.base import Event
from plan2.foundation.events.fact import Fact
from plan2.foundation.events.order import OrderRejected
from plan2.foundation.latency import Latency
from plan2.intelligence.decision.keeping import DecisionKeeper, decision_fact
from plan2.intelligence.decision.material import Material, MaterialEncoder, record_of
from plan2.intelligence.trading.account_events import (
    ADDS_RISK,
    AccountFacts,
    Origin,
    origin_of,
    origin_of_flow,
)
from plan2.intelligence.trading.chronicle import Chronicle, fact_of
from plan2.intelligence.trading.journal import Entry

TAKEN = "DecisionTaken"
"""Names a journal entry that holds the material of a decision and its order."""

NOT_SENT = "not sent: the terminal was not connected"


class Submit(Protocol):
    """The one call that sends an order; exactly once, never blocking."""

    def __call__(self, order: ApprovedOrder, /) -> None:
        """Send it."""
        ...


class Placing:
    """Places the approved orders of one account; `apply` folds an event into its books."""

    def __init__(
        self,
        facts: AccountFacts,
        apply: Callable[[Event], None],
        chronicle: Chronicle,
        submit: Submit,
        latency: Latency,
    ) -> None:
        self._facts = facts
        self._apply = apply
        self._chronicle = chronicle
        self._submit = submit
        self._encoder = MaterialEncoder()
        self._journal_ns = latency.stage("journal").record_ns
        self._to_terminal_ns = latency.stage("decision_to_terminal").record_ns

    def place_decided(self, material: Material, keeper: DecisionKeeper, decided_ns: int) -> None:
        """Place the order of a decision made at a stopwatch time; both are durable together.

        Raises:
            JournalLost: it could not be written down, and was not sent.
        """
        order = material.decision.order
        assert order is not None  # noqa: S101 - the caller places what traded
        entry = Entry(order.order_id, "", TAKEN, 1, "", self._encoder.encode(material))
        writing = stopwatch_ns()
        sequence = self._chronicle.make_durable((entry,), adds_risk=order.kind in ADDS_RISK)
        written = stopwatch_ns()
        is_sent = self._send(order)
        called = stopwatch_ns()
        self._journal_ns(written - writing)
        self._to_terminal_ns(called - decided_ns)
        placed = placed_fact(self._facts, material)
        self._apply(placed.event)
        self._chronicle.announce((keeper.keep(material), placed), sequence)
        self._note_sent(order, is_sent)

    def place_all(self, orders: Sequence[tuple[ApprovedOrder, Origin]]) -> None:
        """Place orders that no forecast stands behind: one durable write, then one call each.

        Raises:
            JournalLost: they could not be written down, and none was sent.
        """
        placed = [self._facts.placed(order, origin) for order, origin in orders]
        adds_risk = any(order.kind in ADDS_RISK for order, _ in orders)
        entries = [self._chronicle.entry(item) for item in placed]
        sequence = self._chronicle.make_durable(entries, adds_risk=adds_risk)
        sent = [self._send(order) for order, _ in orders]
        for item in placed:
            self._apply(item.event)
        self._chronicle.announce(placed, sequence)
        for (order, _), is_sent in zip(orders, sent, strict=True):
            self._note_sent(order, is_sent)

    def _send(self, order: ApprovedOrder) -> bool:
        """Whether the terminal took it; when it did not, it certainly was not sent."""
        try:
            self._submit(order)
        except TerminalUnavailable:
            return False
        return True

    def _note_sent(self, order: ApprovedOrder, is_sent: bool) -> None:
        if is_sent:
            sent = self._facts.sent(order)
            self._apply(sent.event)
            self._chronicle.record(sent)
            return
        refused = OrderRejected(
            ts_ns=order.ts_ns,
            order_id=order.order_id,
            account_id=order.account_id,
            symbol=order.symbol,
            reason=NOT_SENT,
        )
        self._chronicle.record_durable([self._facts.answered(refused)])
        self._apply(refused)


def placed_fact(facts: AccountFacts, material: Material) -> Fact:
    """The order of a decision as a stored event."""
    order = material.decision.order
    assert order is not None  # noqa: S101 - only decisions that trade are placed
    owner, flow = material.owner, material.decision.flow
    if flow is not None:
        return facts.placed(order, origin_of_flow(owner, material.forecast, flow))
    horizon_s = owner.horizon_s if order.kind is OrderKind.OPEN else 0
    return facts.placed(order, origin_of(owner, material.forecast, horizon_s))


def facts_of(entry: Entry) -> tuple[Fact, ...]:
    """The facts that a journal entry holds: one, or a decision with its order.

    Raises:
        JournalLost: another version of the program wrote it in a form that this one cannot read.
    """
    if entry.type != TAKEN:
        return (fact_of(entry),)
    try:
        material = msgspec.msgpack.decode(entry.payload, type=Material)
    except msgspec.DecodeError as error:
        raise JournalLost(
            f"The order journal holds order {entry.event_id} in another version's form: {error}.",
            remedy="Start the version that wrote it once: it stores what the journal holds.",
        ) from error
    facts = AccountFacts(material.owner.tenant_id, material.owner.account_id)
    return decision_fact(record_of(material)), placed_fact(facts, material)
