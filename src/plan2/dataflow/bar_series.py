"""A series of bars as columns, and larger bars made from smaller ones.

A bar is named by the UTC time at which its period starts. There are no empty bars: a period
without a tick has none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, Float64Array, Int64Array

PRICE_COLUMNS: Final = (
    "bid_open",
    "bid_high",
    "bid_low",
    "bid_close",
    "ask_open",
    "ask_high",
    "ask_low",
    "ask_close",
)
Rows = slice | Int64Array | npt.NDArray[np.bool_]
UNKNOWN_SPREAD: Final = -1
WEEK_S: Final = 7 * 86_400
FIRST_SUNDAY_NS: Final = 3 * NS_PER_DAY
"""1970-01-04: MetaTrader's weeks begin on Sunday."""


@dataclass(frozen=True, slots=True)
class BarSeries:
    """Bars of one symbol and period as columns, oldest first, one bar a start.

    period_s: 0 for tick and volume bars. ts_ns: int64[n] starts, UTC. prices: float64[8, n] in the
    order of PRICE_COLUMNS, quote currency, NaN where a side is not known. ticks: int64[n] quotes in
    the bar. spread_points: int64[n] least spread in points, -1 where the source did not say.
    """

    symbol: str
    period_s: int
    ts_ns: Int64Array
    prices: Float64Array
    ticks: Int64Array
    spread_points: Int64Array

    def __len__(self) -> int:
        return int(self.ts_ns.shape[0])

    def slice(self, start: int, stop: int) -> "BarSeries":
        """Bars start..stop as views, without copying."""
        return self.take(slice(start, stop))

    def take(self, rows: Rows) -> "BarSeries":
        """The bars at these indices, or where the mask is true."""
        return replace(
            self,
            ts_ns=self.ts_ns[rows],
            prices=self.prices[:, rows],
            ticks=self.ticks[rows],
            spread_points=self.spread_points[rows],
        )

    @property
    def bid_open(self) -> Float64Array:
        """First bid of each bar."""
        return self._column(0)

    @property
    def bid_high(self) -> Float64Array:
        """Highest bid of each bar."""
        return self._column(1)

    @property
    def bid_low(self) -> Float64Array:
        """Lowest bid of each bar."""
        return self._column(2)

    @property
    def bid_close(self) -> Float64Array:
        """Last bid of each bar."""
        return self._column(3)

    @property
    def ask_open(self) -> Float64Array:
        """First ask of each bar."""
        return self._column(4)

    @property
    def ask_high(self) -> Float64Array:
        """Highest ask of each bar."""
        return self._column(5)

    @property
    def ask_low(self) -> Float64Array:
        """Lowest ask of each bar."""
        return self._column(6)

    @property
    def ask_close(self) -> Float64Array:
        """Last ask of each bar."""
        return self._column(7)

    def _column(self, index: int) -> Float64Array:
        column: Float64Array = self.prices[index]
        return column


def parse_period(text: str) -> int:
    """The seconds of a period written as 30s, 1m, 4h, 1d or 1w.

    Raises:
        InputError: it is not written so.
    """
    found = re.fullmatch(r"([1-9]\d{0,4})([smhdw])", text.strip().lower())
    if found is None:
        raise InputError(f"Period {text!r} is not known.", remedy="Write 30s, 1m, 15m, 4h, 1d, 1w.")
    unit_s = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": WEEK_S}[found.group(2)]
    return int(found.group(1)) * unit_s


def empty_bars(symbol: str, period_s: int) -> BarSeries:
    """A series without bars."""
    none = np.empty(0, np.int64)
    return BarSeries(symbol, period_s, none, np.empty((8, 0)), none, none)


def aggregate(series: BarSeries, period_s: int, clock: ServerClock) -> BarSeries:
    """Larger bars from smaller ones, cut by the server's wall clock as MetaTrader does.

    A day is the server's day, a week begins on the server's Sunday. `ts_ns` stays UTC.

    Raises:
        InputError: the new period is not a multiple of the old one.
    """
    if series.period_s <= 0 or period_s % series.period_s:
        raise InputError(
            f"{series.symbol}: bars of {period_s} s cannot be made from {series.period_s} s bars.",
            remedy="Choose a multiple of the smaller period.",
        )
    period_ns = period_s * NS_PER_SECOND
    anchor_ns = FIRST_SUNDAY_NS if period_s % WEEK_S == 0 else 0
    bucket = (clock.from_utc(series.ts_ns) - anchor_ns) // period_ns
    first = np.flatnonzero(np.diff(bucket, prepend=bucket[:1] - 1))
    starts_ns = clock.to_utc(bucket[first] * period_ns + anchor_ns)
    return grouped(series, first, period_s, starts_ns)


def join_bars(parts: Sequence[BarSeries]) -> BarSeries:
    """One series from consecutive ones; bars with the same start, cut in two, become one."""
    whole = BarSeries(
        parts[0].symbol,
        parts[0].period_s,
        np.concatenate([part.ts_ns for part in parts]),
        np.concatenate([part.prices for part in parts], axis=1),
        np.concatenate([part.ticks for part in parts]),
        np.concatenate([part.spread_points for part in parts]),
    )
    first = np.flatnonzero(np.diff(whole.ts_ns, prepend=whole.ts_ns[:1] - 1))
    if len(first) == len(whole):
        return whole
    return grouped(whole, first, whole.period_s, whole.ts_ns[first])


def grouped(
    series: BarSeries, first: Int64Array, period_s: int, starts_ns: Int64Array
) -> BarSeries:
    """One bar for the bars from each index of `first` to the next."""
    if len(series) == 0:
        return empty_bars(series.symbol, period_s)
    last = np.append(first[1:], len(series)) - 1
    high, low = np.fmax.reduceat, np.fmin.reduceat  # of a number and NaN these take the number
    prices = np.empty((8, len(first)))
    for side in (0, 4):
        prices[side] = series.prices[side, first]
        prices[side + 1] = high(series.prices[side + 1], first)
        prices[side + 2] = low(series.prices[side + 2], first)
        prices[side + 3] = series.prices[side + 3, last]
    known = np.where(series.spread_points < 0, np.iinfo(np.int64).max, series.spread_points)
    least = np.minimum.reduceat(known, first)
    return BarSeries(
        series.symbol,
        period_s,
        starts_ns,
        prices,
        np.add.reduceat(series.ticks, first),
        np.where(least == np.iinfo(np.int64).max, UNKNOWN_SPREAD, least),
    )
