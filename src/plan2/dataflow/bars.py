"""Bars from ticks: whole columns at once in compiled code, or tick by tick.

A bar holds the ticks with start ≤ time < start + period; starts are whole multiples of the period
since the epoch, UTC. There are no empty bars.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from plan2.dataflow.bar_series import UNKNOWN_SPREAD, BarSeries, empty_bars, grouped
from plan2.dataflow.price_grid import PointArray
from plan2.dataflow.tick_file import StoredTicks, as_prices
from plan2.foundation.values import (
    NS_PER_SECOND,
    Bar,
    Float64Array,
    Int64Array,
    Tick,
    TickBlock,
)


def build_bars(block: TickBlock, period_s: int) -> BarSeries:
    """Bars of `period_s` seconds, cut at whole multiples of the period since the epoch, UTC."""
    stored = StoredTicks(block.ts_ns, 1, block.bid, block.ask, grid=None)
    return build_bars_of_points(block.symbol, stored, period_s)


def build_bars_of_points(symbol: str, ticks: StoredTicks, period_s: int) -> BarSeries:
    """As `build_bars`, from ticks as a file holds them: only the bars become floats."""
    if len(ticks.times) == 0:
        return empty_bars(symbol, period_s)
    period = period_s * NS_PER_SECOND // ticks.step_ns
    span = int(ticks.times[-1]) // period - int(ticks.times[0]) // period + 1
    capacity = min(len(ticks.times), span)
    frame = np.empty((2, capacity), np.int64)
    prices = np.empty((8, capacity), ticks.bid.dtype)
    used = _fill_bars(ticks.times, ticks.bid, ticks.ask, period, frame, prices)
    return BarSeries(
        symbol,
        period_s,
        frame[0, :used] * ticks.step_ns,
        as_prices(prices[:, :used], ticks.grid),
        frame[1, :used].copy(),
        np.full(used, UNKNOWN_SPREAD),
    )


def build_tick_bars(block: TickBlock, ticks_per_bar: int) -> BarSeries:
    """Bars of equally many ticks; the last one may hold fewer. A bar starts at its first tick."""
    return _bars_at(block, np.arange(0, len(block), ticks_per_bar))


def build_volume_bars(block: TickBlock, volumes: Float64Array, volume_per_bar: float) -> BarSeries:
    """Bars of about equal traded volume: a bar ends with the tick that fills it.

    volumes: float64[n], what was traded with each tick, not negative.
    """
    if len(block) == 0:
        return empty_bars(block.symbol, 0)
    before = np.cumsum(volumes) - volumes
    filled = np.floor(before / volume_per_bar)
    return _bars_at(block, np.flatnonzero(np.diff(filled, prepend=-1.0)))


class BarBuilder:
    """Bid bars of one symbol, tick by tick; the same bars that `build_bars` makes."""

    __slots__ = ("_close", "_end_ns", "_high", "_low", "_open", "_period_ns", "_ticks", "symbol")

    def __init__(self, symbol: str, period_s: int) -> None:
        self.symbol = symbol
        self._period_ns = period_s * NS_PER_SECOND
        self._end_ns = 0
        self._open = self._high = self._low = self._close = 0.0
        self._ticks = 0

    def update(self, tick: Tick) -> Bar | None:
        """Take the next tick; returns the bar that it shows to be complete, if any."""
        bid = tick.bid
        if tick.ts_ns < self._end_ns:
            if bid > self._high:
                self._high = bid
            elif bid < self._low:
                self._low = bid
            self._close = bid
            self._ticks += 1
            return None
        closed = self.current()
        self._end_ns = (tick.ts_ns // self._period_ns + 1) * self._period_ns
        self._open = self._high = self._low = self._close = bid
        self._ticks = 1
        return closed

    def current(self) -> Bar | None:
        """The bar so far, or None before the first tick."""
        if self._ticks == 0:
            return None
        return Bar(
            self.symbol,
            self._period_ns // NS_PER_SECOND,
            self._end_ns - self._period_ns,
            self._open,
            self._high,
            self._low,
            self._close,
            self._ticks,
        )


def _bars_at(block: TickBlock, first: Int64Array) -> BarSeries:
    """Bars of the ticks from each index of `first` to the next."""
    if len(block) == 0:
        return empty_bars(block.symbol, 0)
    single = BarSeries(
        block.symbol,
        0,
        block.ts_ns,
        np.stack([block.bid] * 4 + [block.ask] * 4),
        np.ones(len(block), np.int64),
        np.full(len(block), UNKNOWN_SPREAD),
    )
    return grouped(single, first, 0, block.ts_ns[first])


@njit(cache=True, nogil=True)
def _fill_bars(
    times: Int64Array,
    bid: "PointArray | Float64Array",
    ask: "PointArray | Float64Array",
    period: int,
    frame: Int64Array,
    prices: "npt.NDArray[np.generic]",
) -> int:
    """Write one column a bar and return how many there are.

    frame: [2, capacity] start and number of ticks. prices: [8, capacity] bid OHLC, ask OHLC.
    """
    bar = row = 0
    while row < times.shape[0]:
        first = row
        start = times[row] // period * period
        bid_high = bid_low = bid[row]
        ask_high = ask_low = ask[row]
        row += 1
        while row < times.shape[0] and times[row] < start + period:
            bid_high, bid_low = max(bid_high, bid[row]), min(bid_low, bid[row])
            ask_high, ask_low = max(ask_high, ask[row]), min(ask_low, ask[row])
            row += 1
        frame[0, bar], frame[1, bar] = start, row - first
        prices[0, bar], prices[1, bar] = bid[first], bid_high
        prices[2, bar], prices[3, bar] = bid_low, bid[row - 1]
        prices[4, bar], prices[5, bar] = ask[first], ask_high
        prices[6, bar], prices[7, bar] = ask_low, ask[row - 1]
        bar += 1
    return bar
