"""Looks at every tick, quickly, whether it can concern an open position at all.

Floating point stands in for the exact books here, and errs on the side of a closer look; what a
look would compute the same way each time is kept until the book changes.
"""

from typing import NamedTuple

from plan2.dataflow.terminals.simulated.book import Book
from plan2.dataflow.terminals.simulated.quotes import Quotes
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick

MARGIN_OF_ERROR = 1.0
"""How far above the stop-out level the account is looked at exactly, account currency."""


class Exposure(NamedTuple):
    """What a look needs of a position; `units` carry the sign of the side."""

    symbol: str
    side: int
    units: float
    currency: str
    open_price: float
    stop_loss: float
    take_profit: float


class Watch:
    """Guards the positions of one book; `stop_out_level` is equity / margin."""

    def __init__(
        self,
        book: Book,
        quotes: Quotes,
        instruments: dict[str, Instrument],
        stop_out_level: float,
    ) -> None:
        self._book = book
        self._quotes = quotes
        self._instruments = instruments
        self._stop_out_level = stop_out_level
        self._version = -1
        self._exposures: list[Exposure] = []
        self._cash = 0.0
        self._alarm = 0.0

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
        book = self._book
        self._version = book.version
        held = book.positions.values()
        self._cash = float(book.balance) + sum(float(one.swap) for one in held)
        self._alarm = float(book.margin) * self._stop_out_level + MARGIN_OF_ERROR
        self._exposures = [
            Exposure(
                one.symbol,
                int(one.side),
                one.side * one.quantity * self._instruments[one.symbol].contract_size,
                self._instruments[one.symbol].quote,
                one.open_price,
                one.stop_loss,
                one.take_profit,
            )
            for one in held
        ]
