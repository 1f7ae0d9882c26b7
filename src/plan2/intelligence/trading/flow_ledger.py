"""What each flow earned on an account, folded from the account's events.

What losses are measured from, the best result and that at the broker's midnight (17:00 New York),
counts open positions too; it is kept with the account's recorded equity, so that a restart begins
no new day and forgets no fall.
"""

from decimal import Decimal

import msgspec

from plan2.foundation.events.account import BalanceAdjusted, EquityRecorded, FlowMark
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderExecuted, OrderPlaced
from plan2.intelligence.risk.counters import ENTRIES
from plan2.intelligence.trading.broker_day import next_day_start_ns
from plan2.intelligence.trading.orders import OrderBook
from plan2.intelligence.trading.payments import growth_of, is_payment
from plan2.intelligence.trading.positions import PositionBook


class FlowAccountBook(msgspec.Struct):
    """One flow's results; account currency.

    Attributes:
        realised: profit, commission and swap of all its fills.
        day_start, best: its result at the broker's midnight, and the highest so far.
        day_end_ns: when that day ends. orders_today: entries placed since.
        trades: exits booked.
    """

    realised: Decimal = Decimal(0)
    day_start: Decimal = Decimal(0)
    best: Decimal = Decimal(0)
    day_end_ns: int = 0
    orders_today: int = 0
    trades: int = 0

    def roll(self, ts_ns: int, result: Decimal) -> None:
        """Begin the broker's day that a market time lies in."""
        if ts_ns >= self.day_end_ns:
            self.day_end_ns = next_day_start_ns(ts_ns)
            self.day_start = result
            self.orders_today = 0

    def mark(self, ts_ns: int, floating: Decimal) -> Decimal:
        """The result with open positions now; lifts the best one."""
        result = self.realised + floating
        self.roll(ts_ns, result)
        self.best = max(self.best, result)
        return result

    def restore(self, mark: FlowMark) -> None:
        """Measure losses from where an earlier run did."""
        self.day_start, self.best = Decimal(mark.day_start), Decimal(mark.best)
        self.day_end_ns = mark.day_end_ns

    def pay(self, growth: Decimal) -> None:
        """Keep losses the same share of an account that a payment made `growth` times as large.

        Those of fills: what open positions had lost or won by then stays the money it is.
        """
        self.day_start = self.realised + (self.day_start - self.realised) * growth
        self.best = self.realised + (self.best - self.realised) * growth


class FlowLedger:
    """The books of all flows of one account; call `apply` before the account's own books."""

    def __init__(self, orders: OrderBook, positions: PositionBook) -> None:
        self.books: dict[str, FlowAccountBook] = {}
        self._orders = orders
        self._positions = positions

    def of(self, flow_id: str) -> FlowAccountBook:
        """The books of a flow; empty ones for a new one."""
        return self.books.setdefault(flow_id, FlowAccountBook())

    def marks(self) -> dict[str, FlowMark]:
        """What each flow's losses are measured from, to be kept; not of flows that never traded."""
        return {
            name: FlowMark(str(book.day_start), str(book.best), book.day_end_ns)
            for name, book in self.books.items()
            if book.day_end_ns
        }

    def apply(self, event: Event) -> None:
        """Fold an event, live and at a restart."""
        if isinstance(event, OrderPlaced):
            if event.flow_id and event.kind in ENTRIES:
                book = self.of(event.flow_id)
                book.roll(event.ts_ns, book.realised)
                book.orders_today += 1
        elif isinstance(event, OrderExecuted):
            flow_id = self._flow_of(event)
            if flow_id:
                self._fill(self.of(flow_id), event)
        elif isinstance(event, BalanceAdjusted) and is_payment(event):
            growth = growth_of(event) or Decimal(1)
            for book in self.books.values():
                book.pay(growth)
        elif isinstance(event, EquityRecorded):
            for name, mark in event.flows.items():
                self.of(name).restore(mark)

    def _fill(self, book: FlowAccountBook, event: OrderExecuted) -> None:
        book.roll(event.ts_ns, book.realised)
        book.realised += Decimal(event.profit) + Decimal(event.commission) + Decimal(event.swap)
        book.best = max(book.best, book.realised)
        book.trades += event.is_exit

    def _flow_of(self, event: OrderExecuted) -> str:
        """Whose fill it is: that of the open position, or of the order that brings one."""
        position = self._positions.open.get(event.position_id)
        if position is not None:
            return position.flow_id
        order = self._orders.orders.get(event.order_id)
        return order.placed.flow_id if order is not None else ""
