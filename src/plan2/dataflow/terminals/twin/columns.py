"""Ticks and bars as the package's arrays: packed to 60 bytes a row, in order, read-only.

Times are the server's wall clock. Bars are made of bids and cut on that clock, so a daily bar
begins at the server's midnight; a bar without ticks does not exist.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.clockwork import ServerTime
from plan2.foundation.values import Int64Array, TickBlock

Rows = npt.NDArray[np.void]

TICKS: Final = np.dtype([
    ("time", "<i8"), ("bid", "<f8"), ("ask", "<f8"), ("last", "<f8"), ("volume", "<u8"),
    ("time_msc", "<i8"), ("flags", "<u4"), ("volume_real", "<f8"),
])  # fmt: skip
RATES: Final = np.dtype([
    ("time", "<i8"), ("open", "<f8"), ("high", "<f8"), ("low", "<f8"), ("close", "<f8"),
    ("tick_volume", "<u8"), ("spread", "<i4"), ("real_volume", "<u8"),
])  # fmt: skip

FLAG_SEEN_IN_HISTORY: Final = 0x80
FLAG_SEEN_IN_LAST_TICK: Final = 0x400
"""Bits outside the documented set that real ticks carry; nobody knows what they mean."""

MINUTE_S, HOUR_S, DAY_S, WEEK_S = 60, 3_600, 86_400, 604_800
SUNDAY_S: Final = 4 * DAY_S
"""The epoch was a Thursday, four days after a Sunday."""


def sealed(rows: npt.NDArray[Any]) -> Rows:  # Any: slices lose the kind of a record array
    """The rows as the package hands them out: contiguous, owned, read-only."""
    copy = np.ascontiguousarray(rows).copy()
    copy.setflags(write=False)
    return copy


def tick_rows(block: TickBlock, server: ServerTime) -> Rows:
    """TICKS[n]: last and volume are zero, as brokers of currencies send them."""
    rows = np.zeros(len(block), TICKS)
    time_msc = server.column_ms(block.ts_ns)
    rows["time"], rows["time_msc"] = time_msc // 1_000, time_msc
    rows["bid"], rows["ask"] = block.bid, block.ask
    rows["flags"] = FLAG_SEEN_IN_HISTORY | quote_flags(block)
    return rows


def quote_flags(block: TickBlock) -> Int64Array:
    """int64[n]: which of bid and ask changed; both with the first."""
    is_bid_new = np.diff(block.bid, prepend=np.nan) != 0
    is_ask_new = np.diff(block.ask, prepend=np.nan) != 0
    bid: Int64Array = is_bid_new.astype(np.int64) * constants.TICK_FLAG_BID
    ask: Int64Array = is_ask_new.astype(np.int64) * constants.TICK_FLAG_ASK
    return bid + ask


def minute_bars(block: TickBlock, server: ServerTime, point: float) -> Rows:
    """RATES[n] of one minute each; spread is the smallest of the minute, in points."""
    times = server.column_ms(block.ts_ns) // 1_000 // MINUTE_S * MINUTE_S
    first = np.flatnonzero(np.diff(times, prepend=-1))
    if len(first) == 0:
        return np.zeros(0, RATES)
    rows = np.zeros(len(first), RATES)
    last = np.append(first[1:], len(times)) - 1
    rows["time"], rows["open"], rows["close"] = times[first], block.bid[first], block.bid[last]
    rows["high"] = np.maximum.reduceat(block.bid, first)
    rows["low"] = np.minimum.reduceat(block.bid, first)
    rows["tick_volume"] = last - first + 1
    spreads = np.rint((block.ask - block.bid) / point).astype(np.int64)
    rows["spread"] = np.minimum.reduceat(spreads, first)
    return rows


def longer_bars(minutes: Rows, timeframe: int) -> Rows:
    """RATES[n] of a timeframe from bars of one minute."""
    times = bar_start(minutes["time"], timeframe)
    first = np.flatnonzero(np.diff(times, prepend=-1))
    if timeframe == constants.TIMEFRAME_M1 or len(first) == 0:
        return minutes
    rows = np.zeros(len(first), RATES)
    last = np.append(first[1:], len(times)) - 1
    rows["time"], rows["open"], rows["close"] = (
        times[first], minutes["open"][first], minutes["close"][last],
    )  # fmt: skip
    rows["high"] = np.maximum.reduceat(minutes["high"], first)
    rows["low"] = np.minimum.reduceat(minutes["low"], first)
    rows["tick_volume"] = np.add.reduceat(minutes["tick_volume"], first)
    rows["spread"] = np.minimum.reduceat(minutes["spread"], first)
    return rows


def bar_start(time_s: Int64Array, timeframe: int) -> Int64Array:
    """When the bar that holds each time begins, server seconds."""
    if timeframe == constants.TIMEFRAME_MN1:
        months = time_s.astype("datetime64[s]").astype("datetime64[M]")
        starts: Int64Array = months.astype("datetime64[s]").astype(np.int64)
        return starts
    length_s = period_s(timeframe)
    shift_s = SUNDAY_S if timeframe == constants.TIMEFRAME_W1 else 0
    return (time_s + shift_s) // length_s * length_s - shift_s


def period_s(timeframe: int) -> int:
    """Seconds of a timeframe's bars; 0 for a month, which has no fixed length."""
    if timeframe == constants.TIMEFRAME_MN1:
        return 0
    if timeframe == constants.TIMEFRAME_W1:
        return WEEK_S
    if timeframe & 0x4000:
        return (timeframe & 0xFF) * HOUR_S
    return timeframe * MINUTE_S


def timeframes() -> frozenset[int]:
    """Every timeframe that the package knows."""
    names = constants.exported().items()
    return frozenset(value for name, value in names if name.startswith("TIMEFRAME_"))
