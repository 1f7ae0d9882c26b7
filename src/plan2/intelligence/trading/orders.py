"""The life of an order as one table, and the book of all orders, folded from events."""

import enum

import msgspec

from plan2.foundation.errors import require
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderExecuted,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    OrderSent,
)

FINISHED_KEPT = 1_000
"""Finished orders that stay in memory for screens; older ones are in the event store."""


class OrderState(enum.StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    """Durable in the journal, the terminal may or may not have heard of it."""
    SENT = "sent"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    REJECTED = "rejected"


OPEN_STATES = frozenset(
    {
        OrderState.PLACED,
        OrderState.SENT,
        OrderState.ACCEPTED,
        OrderState.UNKNOWN,
        OrderState.PARTIALLY_FILLED,
    }
)

_FILLS = frozenset({OrderState.FILLED, OrderState.PARTIALLY_FILLED})
_ANSWERS = frozenset({OrderState.ACCEPTED, OrderState.REJECTED, OrderState.UNKNOWN}) | _FILLS

TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.PLACED: _ANSWERS | {OrderState.SENT},
    OrderState.SENT: _ANSWERS,
    OrderState.ACCEPTED: _FILLS | {OrderState.REJECTED, OrderState.UNKNOWN},
    OrderState.UNKNOWN: _FILLS | {OrderState.ACCEPTED, OrderState.REJECTED},
    OrderState.PARTIALLY_FILLED: _FILLS | {OrderState.REJECTED},
    OrderState.FILLED: frozenset(),
    OrderState.REJECTED: frozenset(),
}
"""Every legal step; a late acceptance after a fill changes nothing and is not a step."""


class Order(msgspec.Struct, kw_only=True):
    """One order of ours; prices in quote currency, quantities in lots."""

    placed: OrderPlaced
    state: OrderState = OrderState.PLACED
    ticket: str = ""
    filled_quantity: float = 0.0
    filled_price: float = 0.0
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it may still change."""
        return self.state in OPEN_STATES


class OrderBook:
    """All orders of an account; `apply` is the only way it changes."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.by_token: dict[str, str] = {}

    def apply(self, event: Event) -> None:
        """Fold one event; events that are not about orders are ignored."""
        if isinstance(event, OrderPlaced):
            self._add(event)
        elif isinstance(event, OrderSent):
            self._advance(event.order_id, OrderState.SENT)
        elif isinstance(event, OrderAccepted):
            self._advance(event.order_id, OrderState.ACCEPTED).ticket = event.ticket
        elif isinstance(event, OrderRejected):
            self._advance(event.order_id, OrderState.REJECTED).reason = event.reason
        elif isinstance(event, OrderOutcomeUnknown):
            self._advance(event.order_id, OrderState.UNKNOWN).reason = event.reason
        elif isinstance(event, OrderExecuted) and event.order_id:
            self._fill(event)

    def pending(self, symbol: str) -> int:
        """Open orders of a symbol."""
        return sum(1 for order in self.open.values() if order.placed.symbol == symbol)

    def is_blocked(self, symbol: str) -> bool:
        """Whether an order of the symbol has an unknown outcome."""
        return any(
            order.state is OrderState.UNKNOWN and order.placed.symbol == symbol
            for order in self.open.values()
        )

    def _add(self, event: OrderPlaced) -> None:
        require(event.order_id not in self.orders, f"order {event.order_id} is placed twice")
        order = Order(placed=event)
        self.orders[event.order_id] = order
        self.open[event.order_id] = order
        self.by_token[event.token] = event.order_id

    def _advance(self, order_id: str, state: OrderState) -> Order:
        order = self.orders.get(order_id)
        require(order is not None, f"order {order_id} became {state} but was never placed")
        assert order is not None  # noqa: S101 - narrows the type after `require`
        require(
            state in TRANSITIONS[order.state],
            f"order {order_id} cannot go from {order.state} to {state}",
        )
        order.state = state
        if not order.is_open:
            self._finish(order)
        return order

    def _fill(self, event: OrderExecuted) -> None:
        order = self.orders[event.order_id]
        total = order.filled_quantity + event.executed_quantity
        spent = order.filled_quantity * order.filled_price
        done = total >= order.placed.quantity - 1e-9
        self._advance(event.order_id, OrderState.FILLED if done else OrderState.PARTIALLY_FILLED)
        order.filled_price = (spent + event.executed_quantity * event.executed_price) / total
        order.filled_quantity = total

    def _finish(self, order: Order) -> None:
        self.open.pop(order.placed.order_id, None)
        finished = len(self.orders) - len(self.open)
        if finished > FINISHED_KEPT:
            oldest = next(key for key, item in self.orders.items() if not item.is_open)
            self.by_token.pop(self.orders.pop(oldest).placed.token, None)
