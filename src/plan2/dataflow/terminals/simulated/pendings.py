"""Pending orders at work: expiry, activation and the fill at the first quote that reaches them."""

from collections.abc import Callable

import msgspec

from plan2.dataflow.terminals.port import Deal, OrderKind, Trigger, UpdateKind
from plan2.dataflow.terminals.simulated.book import Book, Execution
from plan2.dataflow.terminals.simulated.dealer import Dealer
from plan2.dataflow.terminals.simulated.orders import (
    EXPIRED,
    LOT_DIGITS,
    REST_CANCELLED,
    BrokerOrder,
    OrderState,
    is_reached,
    opening_price,
)
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.dataflow.terminals.simulated.requests import BrokerRequest, Filling
from plan2.foundation.values import Tick

FOREVER_NS = 2**63 - 1

Doubt = Callable[[BrokerRequest, Tick, int], Refusal | None]
"""Says why an order that was reached cannot be executed."""


class DeskEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk did without being asked at that moment: FILLED, CANCELLED or EXPIRED.

    `order`: whose it was; of a stop or stop-out, the broker's own. `reason`: why it ended.
    """

    kind: UpdateKind
    ts_ns: int
    order: BrokerOrder
    deal: Deal | None = None
    reason: str = ""


class Pendings:
    """Works one book's pending orders.

    Args:
        doubt: asked when an order is reached. `liquidity` may be replaced: how many lots of a
            reached order can be filled at this quote.
    """

    def __init__(self, book: Book, dealer: Dealer, doubt: Doubt) -> None:
        self.liquidity: Callable[[BrokerOrder], float] = lambda order: order.rest
        self._book = book
        self._dealer = dealer
        self._doubt = doubt

    def next_expiry_ns(self) -> int:
        """When the next order expires; far in the future when none does."""
        times = (one.expires_ts_ns for one in self._book.working.values() if one.expires_ts_ns)
        return min(times, default=FOREVER_NS)

    def expire(self, ts_ns: int) -> list[DeskEvent]:
        """End the orders whose time is over."""
        over = [one for one in self._book.working.values() if 0 < one.expires_ts_ns <= ts_ns]
        for order in over:
            self._book.end(order, OrderState.EXPIRED, ts_ns, EXPIRED)
        return [
            DeskEvent(kind=UpdateKind.EXPIRED, ts_ns=ts_ns, order=order, reason=EXPIRED)
            for order in over
        ]

    def run(self, tick: Tick, ts_ns: int) -> list[DeskEvent]:
        """Execute the orders of the tick's symbol that it reaches, oldest first."""
        mine = [one for one in self._book.working.values() if one.symbol == tick.symbol]
        return [event for order in mine for event in self._look_at(order, tick, ts_ns)]

    def _look_at(self, order: BrokerOrder, tick: Tick, ts_ns: int) -> list[DeskEvent]:
        if not is_reached(order, tick):
            return []
        if order.trigger is not Trigger.LIMIT and not order.is_activated:
            self._book.activate(order)
            if not is_reached(order, tick):
                return []
        refusal = self._doubt(_entry_request(order), tick, ts_ns)
        if refusal is not None:
            return [self._cancelled(order, ts_ns, refusal.value)]
        return self._fill(order, tick, ts_ns)

    def _fill(self, order: BrokerOrder, tick: Tick, ts_ns: int) -> list[DeskEvent]:
        """Fill what can be filled; a fill-or-kill order only whole."""
        lots = round(min(self.liquidity(order), order.rest), LOT_DIGITS)
        if lots < order.rest and order.filling is Filling.FOK:
            return [self._cancelled(order, ts_ns, REST_CANCELLED)]
        done = Execution(ts_ns=ts_ns, price=opening_price(order.side, tick), quantity=lots)
        events = [
            DeskEvent(
                kind=UpdateKind.FILLED, ts_ns=ts_ns, order=order, deal=deal, reason=order.reason
            )
            for deal in self._dealer.enter(order, done)
        ]
        if order.rest <= 0:
            self._book.end(order, OrderState.FILLED, ts_ns)
        elif order.filling is Filling.IOC:
            events.append(self._cancelled(order, ts_ns, REST_CANCELLED))
        else:
            order.state = OrderState.PARTIAL
        return events

    def _cancelled(self, order: BrokerOrder, ts_ns: int, reason: str) -> DeskEvent:
        self._book.end(order, OrderState.CANCELED, ts_ns, reason)
        return DeskEvent(kind=UpdateKind.CANCELLED, ts_ns=ts_ns, order=order, reason=reason)


def _entry_request(order: BrokerOrder) -> BrokerRequest:
    """What the order now asks for: an entry at market of the lots that are left."""
    return BrokerRequest(
        kind=OrderKind.OPEN,
        symbol=order.symbol,
        side=order.side,
        quantity=order.rest,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
    )
