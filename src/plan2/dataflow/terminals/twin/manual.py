"""A market fed by hand, quote by quote, for tests that must know every price."""

from collections.abc import Iterator

import numpy as np

from plan2.dataflow.sources import MergedTicks, merge
from plan2.foundation.errors import require
from plan2.foundation.values import TickBlock


class ManualSource:
    """Quotes as they were given; every symbol may be quoted at any time, never in the past.

    Args:
        symbols: on offer, by our names.
    """

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self._symbols = symbols
        self._quotes: dict[str, list[tuple[int, float, float]]] = {name: [] for name in symbols}
        self._last_ns = 0

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols on offer."""
        return self._symbols

    @property
    def identity(self) -> str:
        """Made by hand, so not to be resumed."""
        return f"quotes by hand of {', '.join(self._symbols)}"

    def quote(self, symbol: str, ts_ns: int, bid: float, ask: float) -> None:
        """The market's next quote, UTC nanoseconds."""
        require(ts_ns >= self._last_ns, f"a quote at {ts_ns} lies before {self._last_ns}")
        self._last_ns = ts_ns
        self._quotes[symbol].append((ts_ns, bid, ask))

    def blocks(self, start_ns: int) -> Iterator[MergedTicks]:
        """All quotes given so far from `start_ns` on, as one block."""
        blocks = [self._block(symbol, start_ns, self._last_ns + 1) for symbol in self._symbols]
        yield merge(blocks)

    def history(self, symbol: str, start_ns: int, end_ns: int) -> Iterator[TickBlock]:
        """Quotes with start ≤ time < end."""
        yield self._block(symbol, start_ns, end_ns)

    def state(self, at_ns: int) -> bytes:  # noqa: ARG002 - nothing is needed to resume
        """Nothing."""
        return b""

    def _block(self, symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        rows = [quote for quote in self._quotes[symbol] if start_ns <= quote[0] < end_ns]
        return TickBlock(
            symbol,
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.float64),
            np.array([row[2] for row in rows], np.float64),
        )
