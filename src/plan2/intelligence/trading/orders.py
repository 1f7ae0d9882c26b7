"""The life of an order as one table, and the book of all orders, folded from events.

`STEPS` is the whole of it, for orders of every kind; docs/architecture.md shows the same table. An
answer without a step says nothing new: repetitions and stragglers change nothing. A fill is never
lost, whatever was said before it.
"""

import enum
from collections import deque

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.errors import require
from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderCompleted,
    OrderExecuted,
    OrderExpired,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    OrderSent,
)

FINISHED_KEPT = 1_000
"""Finished orders that stay in memory for screens; older ones are in the event store."""
IDS_KEPT = 100_000
"""Order ids remembered, so that a repeated request is recognised long after its order ended."""
NEVER_ARRIVED = "never reached the broker"
"""Why an order was rejected of which the broker has no trace: it refused nothing."""
LOT_SLACK = 1e-9
"""Lots that are only the rounding of sums of lots."""


class OrderState(enum.StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    """Durable in the journal, the terminal may or may not have heard of it."""
    SENT = "sent"
    ACCEPTED = "accepted"
    """The broker has it; a pending order works."""
    UNKNOWN = "unknown"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    """What was left of it will not be executed; it may have fills."""
    EXPIRED = "expired"
    DONE = "done"
    """A change of stops, a change of an order or a withdrawal was carried out."""
    REJECTED = "rejected"


class Answer(enum.StrEnum):
    """What can be heard about an order."""

    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    PART = "part"
    """A fill that leaves lots open."""
    REST = "rest"
    """The fill that completes it, or one beyond."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DONE = "done"


_S, _A = OrderState, Answer
_ENDS = {
    _A.REJECTED: _S.REJECTED,
    _A.PART: _S.PARTIALLY_FILLED,
    _A.REST: _S.FILLED,
    _A.CANCELLED: _S.CANCELLED,
    _A.EXPIRED: _S.EXPIRED,
    _A.DONE: _S.DONE,
}
STEPS: dict[OrderState, dict[Answer, OrderState]] = {
    _S.PLACED: {
        **_ENDS,
        _A.SENT: _S.SENT,
        _A.ACCEPTED: _S.ACCEPTED,
        _A.UNKNOWN: _S.UNKNOWN,
    },
    _S.SENT: {**_ENDS, _A.ACCEPTED: _S.ACCEPTED, _A.UNKNOWN: _S.UNKNOWN},
    _S.ACCEPTED: {**_ENDS, _A.UNKNOWN: _S.UNKNOWN},
    _S.UNKNOWN: {**_ENDS, _A.ACCEPTED: _S.ACCEPTED},
    _S.PARTIALLY_FILLED: {
        _A.ACCEPTED: _S.PARTIALLY_FILLED,
        _A.REJECTED: _S.CANCELLED,
        _A.PART: _S.PARTIALLY_FILLED,
        _A.REST: _S.FILLED,
        _A.CANCELLED: _S.CANCELLED,
        _A.EXPIRED: _S.EXPIRED,
    },
    _S.FILLED: {_A.PART: _S.FILLED, _A.REST: _S.FILLED},
    _S.CANCELLED: {_A.PART: _S.CANCELLED, _A.REST: _S.FILLED},
    _S.EXPIRED: {_A.PART: _S.EXPIRED, _A.REST: _S.FILLED},
    _S.DONE: {},
    _S.REJECTED: {_A.PART: _S.CANCELLED, _A.REST: _S.FILLED},
}
"""Every legal step. A fill after the end is a late deal, and the order owns it; an acceptance after
a part was filled only tells the ticket."""

OPEN_STATES = frozenset({_S.PLACED, _S.SENT, _S.ACCEPTED, _S.UNKNOWN, _S.PARTIALLY_FILLED})

ERRANDS = frozenset({OrderKind.PROTECT, OrderKind.CHANGE, OrderKind.CANCEL})
"""Kinds that are carried out (DONE) instead of being executed."""
CLOSES = frozenset({OrderKind.CLOSE, OrderKind.CLOSE_BY})
TRADES = CLOSES | {OrderKind.OPEN, OrderKind.PENDING}
_HEARD_BY_ALL = frozenset({_A.SENT, _A.ACCEPTED, _A.REJECTED, _A.UNKNOWN})
HEARD_BY_ERRANDS = _HEARD_BY_ALL | {_A.DONE}
HEARD_BY_TRADES = _HEARD_BY_ALL | {_A.PART, _A.REST, _A.CANCELLED, _A.EXPIRED}

ANSWER_OF: dict[type[Event], Answer] = {
    OrderSent: _A.SENT,
    OrderAccepted: _A.ACCEPTED,
    OrderRejected: _A.REJECTED,
    OrderOutcomeUnknown: _A.UNKNOWN,
    OrderCompleted: _A.DONE,
    OrderCancelled: _A.CANCELLED,
    OrderExpired: _A.EXPIRED,
}


class Order(msgspec.Struct, kw_only=True):
    """One order of ours; prices in quote currency, quantities in lots.

    `price`, `limit_price`, stops and expiry are as they work now; `placed` says how it began.
    """

    placed: OrderPlaced
    kind: OrderKind
    state: OrderState = OrderState.PLACED
    ticket: str = ""
    fills: int = 0
    filled_quantity: float = 0.0
    filled_price: float = 0.0
    reason: str = ""
    price: float
    limit_price: float
    stop_loss: float
    take_profit: float
    expires_ts_ns: int

    @property
    def is_open(self) -> bool:
        """Whether more is to be heard of it."""
        return self.state in OPEN_STATES

    @property
    def is_working(self) -> bool:
        """Whether it is a pending order that the broker has."""
        is_there = self.state in {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED}
        return self.kind is OrderKind.PENDING and is_there

    @property
    def rest(self) -> float:
        """Lots that may still be executed."""
        return max(0.0, self.placed.quantity - self.filled_quantity) if self.is_open else 0.0

    def is_completed_by(self, quantity: float) -> bool:
        """Whether a fill of so many lots leaves nothing open; a CLOSE_BY takes two deals."""
        if self.kind is OrderKind.CLOSE_BY:
            return self.fills >= 1
        return self.filled_quantity + quantity >= self.placed.quantity - LOT_SLACK

    def is_exceeded_by(self, quantity: float) -> bool:
        """Whether a fill of so many lots is more than was asked for."""
        if self.kind is OrderKind.CLOSE_BY:
            return self.fills >= 2
        return self.filled_quantity + quantity > self.placed.quantity + LOT_SLACK

    def is_contradicted_by(self, quantity: float) -> bool:
        """Whether such a fill is more than was asked for, or was refused before."""
        return self.state is OrderState.REJECTED or self.is_exceeded_by(quantity)


def next_state(order: Order, answer: Answer) -> OrderState | None:
    """Where an answer leads; None when it says nothing new or does not concern such an order."""
    if answer not in (HEARD_BY_ERRANDS if order.kind in ERRANDS else HEARD_BY_TRADES):
        return None
    if answer is Answer.ACCEPTED and order.ticket and order.fills:
        return None  # after a fill, only the ticket is news
    return STEPS[order.state].get(answer)


def kind_of(placed: OrderPlaced) -> OrderKind:
    """What an order asked for; early orders did not say and were opening or closing ones."""
    if placed.kind:
        return OrderKind(placed.kind)
    return OrderKind.CLOSE if placed.reduce_only else OrderKind.OPEN


class OrderBook:
    """All orders of an account; `apply` is the only way it changes."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.by_token: dict[str, str] = {}
        self.by_ticket: dict[str, str] = {}
        self.disputed: dict[str, str] = {}
        """Symbols where a broker did more than it was asked, or what it had refused → order id."""
        self.is_hedging = False  # each entry a position of its own; False until the broker says so
        self._ids: dict[str, None] = {}
        self._finished: deque[str] = deque()

    def apply(self, event: Event) -> None:
        """Fold one event; events that are not about orders of ours are ignored."""
        if isinstance(event, OrderPlaced):
            self._add(event)
            return
        if isinstance(event, TradingStateChanged):
            if event.new_state == "armed" and event.scope == "symbol":
                self.end_dispute(event.target)
            return
        order = self.orders.get(getattr(event, "order_id", ""))
        if order is None:
            return
        answer = ANSWER_OF.get(type(event))
        if answer is not None:
            self._answer(order, event, answer)
        elif isinstance(event, OrderExecuted):
            self._fill(order, event)
        elif isinstance(event, OrderAmended):
            _amend(order, event)

    def is_known(self, order_id: str) -> bool:
        """Whether there is or was such an order, so that it must not be placed again."""
        return order_id in self._ids

    def in_flight(self, symbol: str) -> int:
        """Orders of a symbol that the broker has not settled; working pending ones do not count."""
        return sum(
            1
            for order in self.open.values()
            if order.placed.symbol == symbol and not order.is_working
        )

    def end_dispute(self, symbol: str) -> None:
        """A person has looked at what the broker did, and armed the symbol again."""
        self.disputed.pop(symbol, None)

    def closing(self, ticket: str) -> float:
        """Lots of a position that closing orders under way may still take."""
        return sum(
            order.rest
            for order in self.open.values()
            if order.kind in CLOSES
            and ticket in {order.placed.position_id, order.placed.opposite_id}
        )

    def is_busy(self, ticket: str, kinds: frozenset[OrderKind]) -> bool:
        """Whether an order of such a kind is under way for a position."""
        return any(
            order.kind in kinds and ticket in {order.placed.position_id, order.placed.opposite_id}
            for order in self.open.values()
        )

    def working(self) -> list[Order]:
        """Pending orders of ours that the broker has, oldest first."""
        return [order for order in self.open.values() if order.is_working]

    def of_ticket(self, ticket: str) -> Order | None:
        """Our order that the broker calls so."""
        return self.orders.get(self.by_ticket.get(ticket, "")) if ticket else None

    def _add(self, event: OrderPlaced) -> None:
        require(not self.is_known(event.order_id), f"order {event.order_id} is placed twice")
        order = Order(
            placed=event,
            kind=kind_of(event),
            price=event.price,
            limit_price=event.limit_price,
            stop_loss=event.stop_loss,
            take_profit=event.take_profit,
            expires_ts_ns=event.order_expires_ts_ns,
        )
        self.orders[event.order_id] = order
        self.open[event.order_id] = order
        self.by_token[event.token] = event.order_id
        self._ids[event.order_id] = None
        if len(self._ids) > IDS_KEPT:
            del self._ids[next(iter(self._ids))]

    def _answer(self, order: Order, event: Event, answer: Answer) -> None:
        state = next_state(order, answer)
        if state is None:
            return
        if isinstance(event, OrderAccepted) and event.ticket:
            order.ticket = event.ticket
            self.by_ticket[event.ticket] = event.order_id
        order.reason = getattr(event, "reason", order.reason)
        self._move(order, state)

    def _fill(self, order: Order, event: OrderExecuted) -> None:
        if order.is_contradicted_by(event.executed_quantity):
            self.disputed[event.symbol] = event.order_id
        is_completed = order.is_completed_by(event.executed_quantity)
        state = next_state(order, Answer.REST if is_completed else Answer.PART)
        total = order.filled_quantity + event.executed_quantity
        spent = order.filled_quantity * order.filled_price
        order.filled_price = (spent + event.executed_quantity * event.executed_price) / total
        order.filled_quantity = round(total, 8)
        order.fills += 1
        if state is not None:
            self._move(order, state)

    def _move(self, order: Order, state: OrderState) -> None:
        was_open = order.is_open
        order.state = state
        if was_open and not order.is_open:
            self._finish(order.placed.order_id)

    def _finish(self, order_id: str) -> None:
        del self.open[order_id]
        self._finished.append(order_id)
        if len(self._finished) > FINISHED_KEPT:
            oldest = self.orders.pop(self._finished.popleft())
            self.by_token.pop(oldest.placed.token, None)
            self.by_ticket.pop(oldest.ticket, None)


def _amend(order: Order, event: OrderAmended) -> None:
    order.price = event.price
    order.limit_price = event.limit_price
    order.stop_loss = event.stop_loss
    order.take_profit = event.take_profit
    order.expires_ts_ns = event.order_expires_ts_ns
