"""Minute bars of bid prices as the chart needs them: the last ones of each symbol, and the forming.

They are built from the very ticks that the archive stores, so a chart that joins both shows no
seam. Larger periods are joined from minutes when somebody asks.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from plan2.dataflow.bars import BarBuilder
from plan2.foundation.values import NS_PER_SECOND, Bar, Tick
from plan2.interface.items import CandleRow
from plan2.interface.screen import to_us

BARS_KEPT: Final = 5_000
MINUTE_S: Final = 60


class Candles:
    """One symbol's minute bars; `on_tick` is called on the tick's way."""

    __slots__ = ("_builder", "_closed")

    def __init__(self, symbol: str) -> None:
        self._builder = BarBuilder(symbol, MINUTE_S)
        self._closed: deque[Bar] = deque(maxlen=BARS_KEPT)

    def on_tick(self, tick: Tick) -> None:
        """Take in a quote; quotes come in time order."""
        closed = self._builder.update(tick)
        if closed is not None:
            self._add(closed)

    def seed(self, bars: Iterable[Bar]) -> None:
        """Take over earlier minute bars, oldest first; only before the first quote.

        The last one may be cut short: quotes of the same minute are joined to it.
        """
        self._closed.extend(bars)

    def bars(self) -> list[Bar]:
        """Every bar that is kept, oldest first, the forming one last."""
        forming = self._forming()
        if forming is None:
            return list(self._closed)
        if self._closed and self._closed[-1].ts_ns == forming.ts_ns:
            return [*list(self._closed)[:-1], _joined(self._closed[-1], forming)]
        return [*self._closed, forming]

    def row(self, period_s: int, start_ns: int) -> CandleRow | None:
        """The bar of a period that starts at `start_ns`, joined from minutes; None without any."""
        minutes = list(self._minutes(start_ns, start_ns + period_s * NS_PER_SECOND))
        if not minutes:
            return None
        return CandleRow(
            time_us=to_us(start_ns),
            open=minutes[-1].open,
            high=max(bar.high for bar in minutes),
            low=min(bar.low for bar in minutes),
            close=minutes[0].close,
            ticks=sum(bar.ticks for bar in minutes),
        )

    def period_start_ns(self, period_s: int) -> int | None:
        """Where the period of the newest bar starts; periods count from the epoch, UTC."""
        newest = self._forming() or (self._closed[-1] if self._closed else None)
        if newest is None:
            return None
        return newest.ts_ns - newest.ts_ns % (period_s * NS_PER_SECOND)

    def close_before(self, ts_ns: int) -> float | None:
        """The last price before a time, from the bars that are kept."""
        return next((bar.close for bar in reversed(self._closed) if bar.ts_ns < ts_ns), None)

    def _forming(self) -> Bar | None:
        return self._builder.current()

    def _add(self, bar: Bar) -> None:
        if self._closed and self._closed[-1].ts_ns == bar.ts_ns:
            bar = _joined(self._closed.pop(), bar)
        self._closed.append(bar)

    def _minutes(self, start_ns: int, end_ns: int) -> Iterator[Bar]:
        """Bars of a stretch of time, newest first; a minute cut in two comes as two."""
        forming = self._forming()
        if forming is not None and start_ns <= forming.ts_ns < end_ns:
            yield forming
        for bar in reversed(self._closed):
            if bar.ts_ns < start_ns:
                return
            if bar.ts_ns < end_ns:
                yield bar


def _joined(first: Bar, second: Bar) -> Bar:
    """One bar from two parts of the same minute."""
    return Bar(
        first.symbol,
        first.period_s,
        first.ts_ns,
        first.open,
        max(first.high, second.high),
        min(first.low, second.low),
        second.close,
        first.ticks + second.ticks,
    )
