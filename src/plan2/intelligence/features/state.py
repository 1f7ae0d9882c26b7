"""The whole memory of one engine as one numpy record, group by group.

Invariants: everything from `memory` on is zeroed at a gap and at the start; what lies before it
survives a gap (outputs, parameters, seasonal tables, the trading day). The record is its own
snapshot: the same bytes, the same future.
"""

from typing import Annotated, Any, TypeAlias

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.features.catalog import SEQUENCE, TABULAR
from plan2.intelligence.features.deque import MaximumState
from plan2.intelligence.features.records import WORD_BYTES, Fixed, Scaled, record_dtype

HISTORY = 256
LOG_CLOSE, CLOSE, MOVE, SQUARE, BIPOWER, RANGE_SQUARE, LONG_SQUARE = range(7)
HISTORY_ROWS = 7
MINUTES_PER_WEEK = 10_080

VALUES = np.dtype([(feature.field, np.float64) for feature in TABULAR])
CHANNELS = np.dtype([(channel.field, np.float64) for channel in SEQUENCE])
# The fields are the names in the catalogue; numba refuses an unknown one when it compiles.
Values: TypeAlias = Annotated[Any, VALUES]
Channels: TypeAlias = Annotated[Any, CHANNELS]


class Parameters:
    """Set once from plan and instrument; `ready_after` in committed bars."""

    period_ns: int
    gap_ns: int
    memory_word: int
    ready_after: int
    slowest_warmup: int
    point: float
    pip: float
    warmups: Annotated[Int64Array, Fixed((len(TABULAR),))]


class ClosedBar:
    """The bar closed last: bid OHLC, start, tick count."""

    open: float
    high: float
    low: float
    close: float
    start_ns: int
    ticks: int


class Calendar:
    """What depends on the time alone, refreshed when the UTC hour or minute changes."""

    hour: int
    minute: int
    london_offset_s: int
    new_york_offset_s: int
    week_minute: int
    trading_day: int


class TradingDay:
    """Open, high and low of the day that began at 17:00 New York; `known` 0 or 1."""

    number: int
    known: int
    log_open: float
    high: float
    low: float


class Seasonal:
    """Usual spread and volatility by minute of the New York week, EW over weeks; 0 = not seen."""

    spread: Annotated[Float64Array, Fixed((MINUTES_PER_WEEK,))]
    volatility: Annotated[Float64Array, Fixed((MINUTES_PER_WEEK,))]


class LastTick:
    """The tick being processed and what every group needs of it."""

    ts_ns: int
    ignored: int
    bid: float
    ask: float
    mid: float
    log_mid: float
    sigma: float
    log_sigma: float


class OpenBar:
    """The bar in progress: bid OHLC, mid range, sums over its ticks, its seasonal slot."""

    period: int
    ticks: int
    slot: int
    bid_open: float
    bid_high: float
    bid_low: float
    high: float
    low: float
    log_open: float
    log_high: float
    log_low: float
    spread_sum: float
    sign_sum: float
    one_sided: float


class History:
    """Rings of committed bars; `head` is the slot of the newest, `count` the bars since a gap."""

    count: int
    head: int
    rows: Annotated[Float64Array, Scaled(HISTORY, rows=HISTORY_ROWS)]


class Volatility:
    """EW squares and their roots for four half-lives; rolling sums; change of log volatility."""

    square: Annotated[Float64Array, Fixed((4,))]
    weight: Annotated[Float64Array, Fixed((4,))]
    level: Annotated[Float64Array, Fixed((4,))]
    change_square: float
    change_weight: float
    log_medium: float
    realized: float
    bipower: float
    ranges: float
    long_square: float


class Trend:
    """Committed averages: EMA 10/30/120, MACD 12/26/9, Wilder's directional system, KAMA."""

    ema: Annotated[Float64Array, Fixed((3,))]
    macd_fast: float
    macd_slow: float
    macd_signal: float
    plus: float
    minus: float
    range: float
    adx: float
    kama: float
    path_short: float
    path_long: float
    previous_high: float
    previous_low: float


class Ranges:
    """Highest high and highest negated low of committed bars for three windows."""

    high_14: MaximumState
    low_14: MaximumState
    high_20: MaximumState
    low_20: MaximumState
    high_120: MaximumState
    low_120: MaximumState


class Oscillators:
    """Gains, losses and RSI for three periods; anchored sums of 20 closes."""

    gain: Annotated[Float64Array, Fixed((3,))]
    loss: Annotated[Float64Array, Fixed((3,))]
    rsi: Annotated[Float64Array, Fixed((3,))]
    moments: Annotated[Float64Array, Fixed((3,))]


class Activity:
    """Decayed sums over ticks."""

    fast: float
    fast_weight: float
    slow: float
    slow_weight: float
    interval: float
    intervals: int
    sign: float
    one_sided: float
    quote_weight: float
    spread_mean: float
    spread_variance: float
    spread: float
    ticks_per_bar: float


class Memory:
    """All that a gap wipes out."""

    bar: OpenBar
    history: History
    volatility: Volatility
    trend: Trend
    ranges: Ranges
    oscillators: Oscillators
    activity: Activity


class EngineState:
    """Everything; what lies before `parameters` are the outputs, of which `HEAD` are floats."""

    values: Values
    sequence: Channels
    sequence_closed: Channels
    sigma: float
    closed: ClosedBar
    parameters: Parameters
    calendar: Calendar
    day: TradingDay
    seasonal: Seasonal
    tick: LastTick
    memory: Memory


# A record array with one element; mypy knows no arrays of annotated records.
EngineRecords: TypeAlias = Any


def engine_dtype(window_scale: int) -> np.dtype[np.void]:
    """The record type of an engine whose windows are multiplied by `window_scale`."""
    return record_dtype(EngineState, window_scale)


def word_of(dtype: np.dtype[np.void], field: str) -> int:
    """Where a field begins, in eight-byte words."""
    fields = dtype.fields
    return 0 if fields is None else int(fields[field][1]) // WORD_BYTES
