"""Ticks made of bars, for symbols and years of which no ticks exist.

Nobody knows in which order a bar saw its high and its low, so three paths are run: `base` goes
against the bar first (a rising bar: open, low, high, close; MetaTrader's tester does so too),
`high_first` and `low_first` always the same way. The range of their results says how much of a
result rests on that. Between its corners a path goes in steps, so that a stop inside a bar is
filled near its level and not at the bar's end (docs/adr/0012).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Float64Array, Int64Array, TickBlock

Path = Literal["base", "high_first", "low_first"]
PATHS: Final[tuple[Path, ...]] = ("base", "high_first", "low_first")
STATEMENT: Final = (
    "Made of bars, not of ticks: within a bar the order of high and low is not known, so the same "
    "flow was run on three paths. Stops, targets and trailing inside one bar are guesses."
)
BARS_A_BLOCK: Final = 65_536
STEPS: Final = 8
"""In so many steps a path goes from corner to corner."""
STEPS_OF_SHORT: Final = 4
"""The same within bars of `SHORT_S` or less, whose legs are short and which are many."""
SHORT_S: Final = 300
LEGS: Final = 3


@dataclass(frozen=True, slots=True)
class BarFeed:
    """A bar is its open twice, steps to its extremes at a third and two thirds, and to its close.

    The second tick at the open is there for requests that were decided when the bar before ended:
    they are filled near the open, not at an extreme. The close comes a millisecond before the end.

    Args:
        bars: bid prices must be known; without ask prices the spread of the bar is added.
            MetaTrader notes the smallest spread of a bar, often 0, so `spread` (quote currency) is
            the least that is added, and what is added where the bar has none.

    Raises:
        InputError: on reading, when a spread is known neither to the bars nor to the caller.
    """

    bars: BarSeries
    path: Path
    point: float
    spread: float | None = None
    is_bars: bool = True

    @property
    def symbol(self) -> str:
        """Of the bars."""
        return self.bars.symbol

    @property
    def expected(self) -> int:
        """Ticks that will come."""
        return (2 + LEGS * self._steps) * len(self.bars)

    @property
    def _steps(self) -> int:
        return STEPS_OF_SHORT if self.bars.period_s <= SHORT_S else STEPS

    def blocks(self) -> Iterator[TickBlock]:
        """See `TickFeed`."""
        if not len(self.bars):
            return
        starts, period_ns = self.bars.ts_ns, self.bars.period_s * NS_PER_SECOND
        # A week in which clocks are changed is an hour shorter than its period.
        lengths = np.minimum(np.diff(starts, append=starts[-1] + period_ns), period_ns)
        for start in range(0, len(self.bars), BARS_A_BLOCK):
            stop = start + BARS_A_BLOCK
            yield self._ticks(self.bars.slice(start, stop), lengths[start:stop])

    def told(self, flow_bar_ns: int) -> str:
        """Where the quotes come from, in sentences; `flow_bar_ns`: bars of the flow."""
        length = _length(self.bars.period_s)
        if not np.isnan(self.bars.prices[4:]).any():
            spread = "their own bid and ask"
        elif self.spread is None:
            spread = "the spread that each bar notes; MetaTrader notes the smallest one"
        else:
            least = f"{self.spread / self.point:g} points"
            spread = f"a spread of {least}, or of the bar where that is wider"
        found = f"Quotes are made of bars of {length}, with {spread}."
        if flow_bar_ns < self.bars.period_s * NS_PER_SECOND:
            found += f" The flow's own bars are shorter than {length}: most of them are guesses."
        return found

    def _ticks(self, bars: BarSeries, lengths: Int64Array) -> TickBlock:
        again = np.minimum(NS_PER_SECOND, lengths // 10)
        last = lengths - NS_PER_MS
        corners = np.stack([again, lengths // 3, 2 * lengths // 3, last], axis=1)
        times = bars.ts_ns[:, None] + _stepped(corners.astype(np.float64), self._steps).astype(
            np.int64
        )
        times[:, 0] = bars.ts_ns
        bid, ask = (
            _on_grid(_stepped(_corners(self.path, ohlc), self._steps), self.point)
            for ohlc in (bars.prices[:4], self._ask(bars))
        )
        return TickBlock(self.symbol, times.ravel(), bid.ravel(), ask.ravel())

    def _ask(self, bars: BarSeries) -> Float64Array:
        """float64[4, n]: as recorded, else bid and spread."""
        ask = bars.prices[4:]
        known = np.where(bars.spread_points >= 0, bars.spread_points * self.point, np.nan)
        spread = np.fmax(known, np.nan if self.spread is None else self.spread)
        whole: Float64Array = np.where(np.isnan(ask), bars.prices[:4] + spread, ask)
        if np.isnan(whole).any():
            raise InputError(
                f"{self.symbol}: the bars hold no ask price and no spread.",
                remedy="Say it: --spread-points 12.",
            )
        return whole


def _length(seconds: int) -> str:
    """As flows write it: 5m, 4h, 1d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _corners(path: Path, ohlc: Float64Array) -> Float64Array:
    """float64[n, 4]: open, the two extremes in the order of the path, close."""
    opened, high, low, closed = ohlc
    if path == "base":
        is_high_first = closed < opened
    else:
        is_high_first = np.full(len(opened), path == "high_first")
    first, second = np.where(is_high_first, high, low), np.where(is_high_first, low, high)
    return np.stack([opened, first, second, closed], axis=1)


def _stepped(corners: Float64Array, steps: int) -> Float64Array:
    """float64[n, 2 + LEGS · steps]: the first corner twice, then even steps to the others."""
    found = np.empty((len(corners), 2 + LEGS * steps))
    found[:, :2] = corners[:, :1]
    for leg in range(LEGS):
        begin, end = corners[:, leg], corners[:, leg + 1]
        at = 1 + leg * steps
        for step in range(1, steps):
            found[:, at + step] = begin + (end - begin) * (step / steps)
        found[:, at + steps] = end
    return found


def _on_grid(prices: Float64Array, point: float) -> Float64Array:
    """Prices in whole points; those of the bars themselves are there already."""
    rounded: Float64Array = np.round(prices, round(-math.log10(point)))
    return rounded
