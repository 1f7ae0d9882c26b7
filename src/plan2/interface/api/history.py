"""Bars and ticks of the past: files for what is older, memory for what is not written yet.

A period that is partly in files and partly in memory is joined from both.

Reading runs in threads, two at a time, so that charts cannot slow the tick's way down.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np

from plan2.dataflow.bar_series import UNKNOWN_SPREAD, BarSeries, aggregate, empty_bars, join_bars
from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, Bar, TickBlock
from plan2.interface.api.ports import Archive
from plan2.interface.candles import MINUTE_S
from plan2.interface.live import MarketView

READERS_MAX: Final = 2
CLOSED_SHARE: Final = 1.5
"""Calendar time over trading time, with room: markets are open five days of seven."""
HOLIDAYS_NS: Final = 4 * NS_PER_DAY

T = TypeVar("T")


class History:
    """Reads bars and ticks of any time."""

    def __init__(self, market: MarketView, archive: Archive) -> None:
        self._market = market
        self._archive = archive
        self._utc = ServerClock.parse("UTC")
        self._readers = asyncio.Semaphore(READERS_MAX)

    async def bars(
        self, symbol: str, period_s: int, start_ns: int | None, end_ns: int | None, limit: int
    ) -> BarSeries:
        """The newest `limit` bars with start ≤ time < end, oldest first; the forming one too."""
        minutes = self._minutes(symbol)
        period_ns = period_s * NS_PER_SECOND
        end = end_ns if end_ns is not None else self._market.clock.now_ns() + period_ns
        start = start_ns or 0
        known = _within(aggregate(minutes, period_s, self._utc), start, end)
        first = int(minutes.ts_ns[0]) if len(minutes) else end
        whole = int(np.count_nonzero(known.ts_ns >= first))
        if whole < limit and start < first:
            older = await self._archived(symbol, period_s, start_ns, min(first, end), limit - whole)
            known = join_bars([_within(older, start, end), known])
        return known.slice(max(0, len(known) - limit), len(known))

    async def ticks(
        self, symbol: str, start_ns: int | None, end_ns: int | None, limit: int
    ) -> TickBlock:
        """The newest `limit` archived ticks with start ≤ time < end, at most a day of them."""
        end = end_ns if end_ns is not None else self._market.clock.now_ns() + 1
        start = max(start_ns or 0, end - NS_PER_DAY)
        block = await self.in_thread(lambda: self._archive.read(symbol, start, end))
        return block.slice(max(0, len(block) - limit), len(block))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work in a thread when one is free."""
        async with self._readers:
            return await asyncio.to_thread(work)

    async def _archived(
        self, symbol: str, period_s: int, start_ns: int | None, end_ns: int, wanted: int
    ) -> BarSeries:
        """Bars from files; without a start, as far back as `wanted` bars should reach."""
        span_ns = int(wanted * period_s * NS_PER_SECOND * CLOSED_SHARE) + HOLIDAYS_NS
        start = start_ns if start_ns is not None else max(0, end_ns - span_ns)
        return await self.in_thread(lambda: self._archive.bars(symbol, period_s, start, end_ns))

    def _minutes(self, symbol: str) -> BarSeries:
        """The minute bars in memory, the forming one last."""
        view = self._market.view(symbol)
        return _series(symbol, view.candles.bars() if view is not None else [])


def _within(series: BarSeries, start_ns: int, end_ns: int) -> BarSeries:
    """The bars with start ≤ time < end."""
    return series.take((series.ts_ns >= start_ns) & (series.ts_ns < end_ns))


def _series(symbol: str, bars: Sequence[Bar]) -> BarSeries:
    """Minute bars as columns; ask prices are not kept."""
    if not bars:
        return empty_bars(symbol, MINUTE_S)
    prices = np.full((8, len(bars)), np.nan)
    prices[:4] = np.array([(bar.open, bar.high, bar.low, bar.close) for bar in bars]).T
    return BarSeries(
        symbol,
        MINUTE_S,
        np.array([bar.ts_ns for bar in bars], np.int64),
        prices,
        np.array([bar.ticks for bar in bars], np.int64),
        np.full(len(bars), UNKNOWN_SPREAD),
    )
