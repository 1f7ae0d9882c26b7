"""Looks at every tick, quickly, whether it can concern an open position at all.

Floating point stands in for the exact books here, and errs on the side of a closer look; what a
look would compute the same way each time is kept until the book changes.
"""

from collections.abc import Iterable
from typing import NamedTuple

from plan2.dataflow.terminals.port import Trigger
from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.orders import BrokerOrder
from plan2.foundation.values import Side, Tick

MARGIN_OF_ERROR = 1.0
"""How far above the stop-out level the account is looked at exactly, account currency."""
NEVER_ABOVE, NEVER_BELOW = float("inf"), 0.0


class Exposure(NamedTuple):
    """What a look needs of a position; `units` carry the sign of the side."""

    symbol: str
    side: int
    units: float
    currency: str
    open_price: float
    stop_loss: float
    take_profit: float


class Levels(NamedTuple):
    """Prices at or beyond which a quote reaches a pending order of a symbol."""

    ask_above: float
    ask_below: float
    bid_above: float
    bid_below: float


class Watch:
    """Guards the positions and pending orders of one desk's book."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._book = desk.book
        self._quotes = desk.quotes
        self._version = -1
        self._exposures: list[Exposure] = []
        self._levels: dict[str, Levels] = {}
        self._cash = 0.0
        self._alarm = 0.0

    def is_reached(self, tick: Tick) -> bool:
        """Whether this tick may reach a pending order."""
        if self._version != self._book.version:
            self._refresh()
        levels = self._levels.get(tick.symbol)
        return levels is not None and (
            tick.ask >= levels.ask_above
            or tick.ask <= levels.ask_below
            or tick.bid >= levels.bid_above
            or tick.bid <= levels.bid_below
        )

    def is_touched(self, tick: Tick) -> bool:
        """Whether this tick may reach a stop or bring the account to its stop-out."""
        if self._version != self._book.version:
            self._refresh()
        equity, quotes = self._cash, self._quotes
        for symbol, side, units, currency, opened, loss, gain in self._exposures:
            quote = quotes.last(symbol)
            if quote is None:
                return True
            price = quote.bid if side > 0 else quote.ask
            if symbol == tick.symbol and (
                (loss and side * (price - loss) <= 0) or (gain and side * (price - gain) >= 0)
            ):
                return True
            equity += (price - opened) * units * (quotes.rate(currency) or 0.0)
        return equity <= self._alarm

    def _refresh(self) -> None:
        """Take over the book as it is now."""
        book, instruments = self._book, self._desk.instruments
        self._version = book.version
        held = book.positions.values()
        self._cash = float(book.balance) + sum(float(one.swap) for one in held)
        level = float(self._desk.rules.stop_out_level)
        self._alarm = float(self._desk.margin()) * level + MARGIN_OF_ERROR
        self._exposures = [
            Exposure(
                one.symbol,
                int(one.side),
                one.side * one.quantity * instruments[one.symbol].lot_units,
                instruments[one.symbol].quote,
                one.open_price,
                one.stop_loss,
                one.take_profit,
            )
            for one in held
        ]
        symbols = {one.symbol for one in book.working.values()}
        self._levels = {
            symbol: _levels(one for one in book.working.values() if one.symbol == symbol)
            for symbol in symbols
        }


def _levels(orders: Iterable[BrokerOrder]) -> Levels:
    """The nearest level in each direction; a stop that was reached but has a rest is always due."""
    above = {Side.BUY: NEVER_ABOVE, Side.SELL: NEVER_ABOVE}
    below = {Side.BUY: NEVER_BELOW, Side.SELL: NEVER_BELOW}
    for order in orders:
        is_due = order.is_activated and order.trigger is Trigger.STOP
        if is_due or (order.side is Side.BUY) != order.is_waiting_for_better:
            level = NEVER_BELOW if is_due else order.level
            above[order.side] = min(above[order.side], level)
        else:
            below[order.side] = max(below[order.side], order.level)
    return Levels(above[Side.BUY], below[Side.BUY], above[Side.SELL], below[Side.SELL])
