"""Where the mid lies in recent ranges, the trading day's range, ATR."""

import math

from plan2.intelligence.features.bars import window_scale
from plan2.intelligence.features.deque import MaximumState, maximum_with, push_maximum
from plan2.intelligence.features.kernels import kernel, position_in_range
from plan2.intelligence.features.state import (
    Calendar,
    EngineState,
    History,
    LastTick,
    OpenBar,
    Ranges,
    TradingDay,
    Values,
)

MINUTES_PER_DAY = 1_440
LATEST_FIRST_TICK_MINUTES = 90


@kernel
def commit_ranges(ranges: Ranges, history: History, bar: OpenBar) -> None:
    """Push the finished bar's high and negated low."""
    number = history.count
    scale = window_scale(history)
    push_maximum(ranges.high_14, bar.high, number, 14 * scale)
    push_maximum(ranges.low_14, -bar.low, number, 14 * scale)
    push_maximum(ranges.high_20, bar.high, number, 20 * scale)
    push_maximum(ranges.low_20, -bar.low, number, 20 * scale)
    push_maximum(ranges.high_120, bar.high, number, 120 * scale)
    push_maximum(ranges.low_120, -bar.low, number, 120 * scale)


@kernel
def position_now(highs: MaximumState, lows: MaximumState, bar: OpenBar, mid: float) -> float:
    """Place of the mid, 0..1, in the range of the window and the bar so far."""
    return position_in_range(mid, -maximum_with(lows, -bar.low), maximum_with(highs, bar.high))


@kernel
def write_ranges(state: EngineState) -> None:
    """Range features of this tick."""
    values = state.values
    ranges, bar, tick = state.memory.ranges, state.memory.bar, state.tick
    values.donchian_position_20 = position_now(ranges.high_20, ranges.low_20, bar, tick.mid)
    values.donchian_position_120 = position_now(ranges.high_120, ranges.low_120, bar, tick.mid)
    values.stochastic_k_14 = 100.0 * position_now(ranges.high_14, ranges.low_14, bar, tick.mid)
    trend = state.memory.trend
    values.atr_mid_14 = trend.range / state.parameters.pip
    span = max(bar.high, trend.previous_high) - min(bar.low, trend.previous_low)
    values.range_to_atr_14 = span / max(trend.range, 0.1 * state.parameters.point)


@kernel
def refresh_day(day: TradingDay, calendar: Calendar, tick: LastTick) -> None:
    """Track the trading day; its open is known only if a tick came within 90 minutes of 17:00."""
    if day.number != calendar.trading_day:
        since_rollover = (calendar.week_minute + 7 * 60) % MINUTES_PER_DAY
        day.number = calendar.trading_day
        day.known = 1 if since_rollover <= LATEST_FIRST_TICK_MINUTES else 0
        day.log_open = tick.log_mid
        day.high = tick.mid
        day.low = tick.mid
    day.high = max(day.high, tick.mid)
    day.low = min(day.low, tick.mid)


@kernel
def write_day(day: TradingDay, tick: LastTick, values: Values) -> None:
    """Features of the trading day; NaN while its open is not known."""
    if day.known == 0:
        values.return_day = math.nan
        values.day_high_distance = math.nan
        values.day_low_distance = math.nan
        return
    values.return_day = tick.log_mid - day.log_open
    values.day_high_distance = (day.high - tick.mid) / tick.sigma
    values.day_low_distance = (tick.mid - day.low) / tick.sigma
