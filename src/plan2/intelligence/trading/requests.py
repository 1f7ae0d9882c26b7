"""The one door through which people, a kill and automatic care ask an account for orders.

A wish becomes an intent, the intent meets the risk gate, and what passes is written down and sent
together. The answer is a value: an order's id, or the rule that refused with its numbers.
"""

import math
from collections.abc import Callable, Sequence

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind
from plan2.foundation.events.base import Event
from plan2.foundation.events.fact import Fact
from plan2.foundation.values import NS_PER_SECOND, Tick
from plan2.intelligence.decision.decide import Rules
from plan2.intelligence.decision.material import Owner
from plan2.intelligence.risk import gate
from plan2.intelligence.risk.inputs import inputs_of
from plan2.intelligence.risk.limits import AccountFigures, Intent
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.trading.account_events import ADDS_RISK, AccountFacts, Origin
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.figures import Purpose
from plan2.intelligence.trading.orders import CLOSES
from plan2.intelligence.trading.positions import Position
from plan2.intelligence.trading.wishes import (
    Ask,
    OrderWish,
    Refusal,
    Selection,
    Sight,
    decision_id_of,
    intent_of,
    stop_loosened,
)

Placed = Sequence[tuple[ApprovedOrder, Origin]]


class Outcome(msgspec.Struct, frozen=True):
    """What became of a wish: the id of its order, or why there is none."""

    order_id: str = ""
    refusal: Refusal | None = None


class Batch(msgspec.Struct):
    """What was approved together and is not placed yet: it counts as if it were.

    `exits` are those messages that limit exits: all but withdrawals.
    """

    order_ids: set[str] = msgspec.field(default_factory=set)
    exits: int = 0

    def count(self, order: ApprovedOrder) -> None:
        """One more order was approved."""
        self.order_ids.add(order.order_id)
        self.exits += order.kind is not OrderKind.CANCEL

    def added_to(self, figures: AccountFigures) -> AccountFigures:
        """The account's figures with the messages of this batch."""
        if not self.order_ids:
            return figures
        count = len(self.order_ids)
        return msgspec.structs.replace(
            figures,
            orders_last_minute=figures.orders_last_minute + count,
            messages_last_second=figures.messages_last_second + count,
            messages_last_minute=figures.messages_last_minute + count,
            exit_messages_last_second=figures.exit_messages_last_second + self.exits,
            exit_messages_last_minute=figures.exit_messages_last_minute + self.exits,
        )


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """What requests work with: the account's own parts.

    Attributes:
        figures: the account as numbers, for a quote, the clock's time and a purpose.
        reserve, release: count an approved order as filled, and stop to.
        place: write orders down and send them. apply: fold an event into the books.
    """

    sight: Sight
    rules: Rules
    owner: Owner
    facts: AccountFacts
    chronicle: Chronicle
    figures: Callable[[Tick, int, Purpose], AccountFigures]
    reserve: Callable[[ApprovedOrder], None]
    place: Callable[[Placed], None]
    apply: Callable[[Event], None]


class Requests:
    """Takes wishes for one account; every `now_ns` is market time."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._sight = office.sight

    def adopt(self, rules: Rules, owner: Owner) -> None:
        """Hold wishes against other rules from now on."""
        self._office = msgspec.structs.replace(self._office, rules=rules, owner=owner)

    def request(self, wish: OrderWish, now_ns: int) -> Outcome:
        """Ask for one order.

        Raises:
            JournalLost: it could not be written down, and was not sent.
        """
        return self.request_all((wish,), now_ns)[0]

    def preview(self, wish: OrderWish, now_ns: int) -> tuple[Check, ...] | Refusal:
        """What the gate would say now; nothing is written down, reserved or sent."""
        intent = intent_of(wish, self._sight, now_ns)
        if isinstance(intent, Refusal):
            return intent
        return self._reviewed(wish, intent, now_ns, Batch()).checks

    def request_all(self, wishes: Sequence[OrderWish], now_ns: int) -> tuple[Outcome, ...]:
        """Ask for several orders; those that pass are durable together and sent one by one.

        Raises:
            JournalLost: they could not be written down, and none was sent.
        """
        approved: list[tuple[ApprovedOrder, Origin]] = []
        outcomes: list[Outcome] = []
        batch = Batch()
        for wish in wishes:
            answer = self._review(wish, now_ns, batch)
            if isinstance(answer, ApprovedOrder):
                approved.append((answer, self._origin(wish)))
                batch.count(answer)
                if answer.kind in ADDS_RISK:
                    self._office.reserve(answer)
                answer = Outcome(answer.order_id)
            outcomes.append(answer)
        if approved:
            self._office.place(approved)
        return tuple(outcomes)

    def cancel_all(self, selection: Selection, ask: Ask, now_ns: int) -> tuple[Outcome, ...]:
        """Withdraw the working pending orders that are meant."""
        wishes = [
            OrderWish(
                kind=OrderKind.CANCEL,
                ask=ask,
                order_id=order.placed.order_id,
                flow_id=order.placed.flow_id,
            )
            for order in self._sight.orders.working()
            if selection.wants_order(order)
        ]
        return self.request_all(wishes, now_ns)

    def close_all(self, selection: Selection, ask: Ask, now_ns: int) -> tuple[Outcome, ...]:
        """Close the positions that are meant, at market."""
        wishes = [
            OrderWish(
                kind=OrderKind.CLOSE,
                ask=ask,
                position_id=position.position_id,
                flow_id=position.flow_id,
            )
            for position in self._sight.positions.open.values()
            if selection.wants_position(position)
        ]
        return self.request_all(wishes, now_ns)

    def claim(self, position_id: str, ask: Ask, horizon_s: int, now_ns: int) -> Refusal | None:
        """Hand a foreign position to Plan2: stops watched, closed after `horizon_s` (0 = never)."""
        expires_ts_ns = now_ns + horizon_s * NS_PER_SECOND if horizon_s else 0
        return self._hand_over(position_id, ask, expires_ts_ns, now_ns, is_managed=True)

    def release(self, position_id: str, ask: Ask, now_ns: int) -> Refusal | None:
        """Take a position away from Plan2: shown and counted, left alone otherwise."""
        return self._hand_over(position_id, ask, 0, now_ns, is_managed=False)

    def _hand_over(
        self, position_id: str, ask: Ask, expires_ts_ns: int, now_ns: int, *, is_managed: bool
    ) -> Refusal | None:
        position = self._sight.positions.open.get(position_id)
        if position is None:
            return Refusal("unknown_position", f"There is no open position {position_id!r}.")
        if is_managed and position.symbol not in self._sight.instruments:
            message = f"{position.symbol} is not watched, so nobody could look after the position."
            return Refusal("unknown_symbol", message)
        if position.is_managed is is_managed:
            whose = "managed by Plan2" if is_managed else "left alone"
            return Refusal("no_change", f"The position is {whose} already.")
        self._write(self._office.facts.claimed(position, ask, expires_ts_ns, now_ns))
        return None

    def _write(self, item: Fact) -> None:
        self._office.chronicle.record_durable([item])
        self._office.apply(item.event)

    def _review(self, wish: OrderWish, now_ns: int, batch: Batch) -> ApprovedOrder | Outcome:
        """The gate's answer; a wish whose order exists is told its id again."""
        account_id = self._sight.account_id
        known = gate.order_id_of(decision_id_of(wish, account_id, now_ns))
        if known in batch.order_ids or self._sight.orders.is_known(known):
            return Outcome(known)
        intent = intent_of(wish, self._sight, now_ns)
        if isinstance(intent, Refusal):
            return Outcome(refusal=intent)
        if intent.kind is OrderKind.CANCEL:
            return gate.withdraw(intent, account_id)
        return self._ask_gate(wish, intent, now_ns, batch)

    def _ask_gate(
        self, wish: OrderWish, intent: Intent, now_ns: int, batch: Batch
    ) -> ApprovedOrder | Outcome:
        office = self._office
        review = self._reviewed(wish, intent, now_ns, batch)
        failed = review.first_failure
        if review.order is not None or failed is None:
            return review.order or Outcome()
        office.chronicle.record(office.facts.refused(intent, failed))
        message = f"The rule {failed.rule} saw {failed.value:g}; its limit is {failed.limit:g}."
        return Outcome(refusal=Refusal(failed.rule, message, failed.value, failed.limit))

    def _reviewed(self, wish: OrderWish, intent: Intent, now_ns: int, batch: Batch) -> gate.Review:
        office, sight = self._office, self._sight
        quote = sight.quotes.get(intent.symbol) or Tick(intent.symbol, 0, math.nan, math.nan)
        figures = batch.added_to(office.figures(quote, now_ns, self._purpose(wish, intent)))
        inputs = msgspec.structs.replace(
            inputs_of(intent, sight.instruments[intent.symbol], quote, figures),
            stop_loosened=stop_loosened(wish, intent, sight),
            asked_by_person=float(wish.is_by_person),
        )
        return gate.review(intent, inputs, office.rules.risk, sight.account_id)

    def _purpose(self, wish: OrderWish, intent: Intent) -> Purpose:
        position = self._sight.positions.open.get(wish.position_id)
        is_change = intent.kind is OrderKind.CHANGE
        return Purpose(
            flow_id=wish.flow_id,
            quantity=self._closable(position) if intent.kind in CLOSES else 0.0,
            is_exit=intent.kind not in ADDS_RISK and not is_change,
            tickets=frozenset({intent.position_ticket, intent.opposite_ticket}) - {""},
            changes=self._sight.orders.orders[wish.order_id] if is_change else None,
            ts_ns=intent.ts_ns,
        )

    def _closable(self, position: Position | None) -> float:
        """Lots that no closing order under way takes already."""
        if position is None:
            return 0.0
        return max(0.0, position.quantity - self._sight.orders.closing(position.ticket))

    def _origin(self, wish: OrderWish) -> Origin:
        owner = self._office.owner
        return Origin(
            decided_by=wish.ask.actor,
            executed_by=wish.ask.actor,
            version=owner.version,
            flow_id=wish.flow_id,
            client=owner.tenant_id,
            horizon_s=wish.horizon_s if wish.kind in ADDS_RISK else 0,
            reason=wish.ask.reason,
        )
