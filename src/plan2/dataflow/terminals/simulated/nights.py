"""The nights: swap for every rollover that has passed, three at once on the symbol's triple day."""

from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.book import Book
from plan2.dataflow.terminals.simulated.valuation import Valuation
from plan2.foundation.instrument import Instrument


class Nights:
    """Charges one book; `rollover_ns` is the next rollover not yet booked, 0 before the first."""

    def __init__(
        self, book: Book, valuation: Valuation, instruments: dict[str, Instrument]
    ) -> None:
        self.rollover_ns = 0
        self._book = book
        self._valuation = valuation
        self._instruments = instruments

    def pass_until(self, ts_ns: int) -> None:
        """Charge swap for every rollover up to `ts_ns`."""
        if self.rollover_ns == 0:
            self.rollover_ns = calendar.next_rollover_ns(ts_ns)
        while ts_ns >= self.rollover_ns:
            day = calendar.rollover_weekday(self.rollover_ns)
            for position in self._book.positions.values():
                nights = 3 if day == self._instruments[position.symbol].swap_rollover3days else 1
                rate = self._valuation.quote_rate(position.symbol)
                self._book.charge_swap(position, nights, rate)
            self.rollover_ns = calendar.next_rollover_ns(self.rollover_ns)
