"""The rows of each state channel, taken from the live view when a frame is made."""

from collections.abc import Callable, Collection, Hashable
from typing import Any, Final

import msgspec

from plan2.interface.books import Books
from plan2.interface.candles import Candles
from plan2.interface.live import MarketView
from plan2.interface.screen import to_us
from plan2.interface.streaming.state_channel import StateSource

PERIODS_S: Final = frozenset({60, 300, 900, 1_800, 3_600, 14_400, 86_400})
"""Bar periods that can be followed."""

ONE_ROW: Final = ""
"""The key of channels that have a single row."""


class QuotesSource:
    """Last quotes, keyed by symbol."""

    def __init__(self, market: MarketView) -> None:
        self._market = market

    def snapshot(self) -> list[Any]:
        """Every symbol that has a quote."""
        return self.rows(self._market.symbols)

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """The quotes of these symbols."""
        views = (self._market.view(str(symbol)) for symbol in keys)
        quotes = (view.quote() for view in views if view is not None)
        return [quote for quote in quotes if quote is not None]


class CandleSource:
    """The forming bar of one symbol and period, and the one before when it has just closed."""

    def __init__(self, candles: Candles, period_s: int) -> None:
        self._candles = candles
        self._period_s = period_s
        self._touched_ns: int | None = None

    def changed(self) -> set[Hashable]:
        """Starts of the bars that quotes since the last call belong to."""
        start_ns = self._candles.period_start_ns(self._period_s)
        if start_ns is None:
            return set()
        before, self._touched_ns = self._touched_ns, start_ns
        return {start_ns} if before is None else {before, start_ns}

    def snapshot(self) -> list[Any]:
        """The forming bar."""
        start_ns = self._candles.period_start_ns(self._period_s)
        return self.rows([start_ns]) if start_ns is not None else []

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """The bars that start at these times, oldest first."""
        starts = sorted(key for key in keys if isinstance(key, int))
        found = (self._candles.row(self._period_s, start_ns) for start_ns in starts)
        return [row for row in found if row is not None]


class ForecastSource:
    """Last forecasts, keyed by symbol."""

    def __init__(self, market: MarketView) -> None:
        self._market = market

    def snapshot(self) -> list[Any]:
        """Every symbol that has a forecast."""
        return self.rows(self._market.symbols)

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """The forecasts of these symbols."""
        found = (self._market.forecast_row(str(symbol)) for symbol in keys)
        return [row for row in found if row is not None]


class FeedsSource:
    """How each symbol's feed is: `[symbol, state, time of its last quote]`, keyed by symbol."""

    def __init__(self, market: MarketView) -> None:
        self._market = market

    def snapshot(self) -> list[Any]:
        """Every symbol that is watched."""
        return self.rows(self._market.symbols)

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """The feeds of these symbols; the time is market time in microseconds, 0 before any."""
        found = ((str(key), self._market.view(str(key))) for key in keys)
        return [
            (symbol, view.state, to_us(view.tick.ts_ns) if view.tick is not None else 0)
            for symbol, view in found
            if view is not None
        ]


class RiskSource:
    """Limits and how much of each is used: `[rule, value, limit]`, keyed by rule."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def snapshot(self) -> list[Any]:
        """Every limit."""
        return [msgspec.structs.astuple(item) for item in self._books.info().limits]

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """Every limit when anything about the account changed: they move together."""
        return self.snapshot() if keys else []


class PositionsSource:
    """Open positions, keyed by id; each row is the REST item's values in their order."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def snapshot(self) -> list[Any]:
        """Every open position."""
        return [msgspec.structs.astuple(item) for item in self._books.positions()]

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """These positions; `[id, None]` for one that is closed."""
        found = ((str(key), self._books.position(str(key))) for key in keys)
        return [
            (key, None) if item is None else msgspec.structs.astuple(item) for key, item in found
        ]


class EmptySource:
    """A channel without rows."""

    def snapshot(self) -> list[Any]:
        """Nothing."""
        return []

    def rows(self, keys: Collection[Hashable]) -> list[Any]:  # noqa: ARG002 - the port's
        """Nothing."""
        return []


class MoreRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a tenant that are not of the market or the account.

    Attributes:
        jobs: long work. alerts: what waits to be acknowledged.
    """

    jobs: StateSource = EmptySource()
    alerts: StateSource = EmptySource()


NO_MORE: Final = MoreRows()


class OneRowSource:
    """A channel with one row, made by a function."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def snapshot(self) -> list[Any]:
        """The row."""
        return [self._make()]

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """The row, if it changed."""
        return [self._make()] if keys else []
