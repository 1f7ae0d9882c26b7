"""The bar in progress and the rings of committed bars."""

import math

from plan2.intelligence.features.kernels import kernel, ring_back
from plan2.intelligence.features.state import (
    BIPOWER,
    CLOSE,
    HISTORY,
    LOG_CLOSE,
    LONG_SQUARE,
    MOVE,
    RANGE_SQUARE,
    SQUARE,
    ClosedBar,
    History,
    LastTick,
    OpenBar,
)


@kernel
def window_scale(history: History) -> int:
    """What all windows are multiplied by; constant in the compiled code, as the shape is."""
    return int(history.rows.shape[1] // HISTORY)


@kernel
def close_back(history: History, steps: int) -> float:
    """The close `steps` committed bars before the newest one."""
    return ring_back(history.rows[CLOSE], history.head, steps)


@kernel
def log_close_back(history: History, steps: int) -> float:
    """The log close `steps` committed bars before the newest one."""
    return ring_back(history.rows[LOG_CLOSE], history.head, steps)


@kernel
def open_bar(bar: OpenBar, tick: LastTick, period: int, slot: int) -> None:
    """Start the bar of `period` with this tick."""
    bar.period = period
    bar.slot = slot
    bar.ticks = 0
    bar.bid_open = tick.bid
    bar.bid_high = tick.bid
    bar.bid_low = tick.bid
    bar.high = tick.mid
    bar.low = tick.mid
    bar.log_open = tick.log_mid
    bar.log_high = tick.log_mid
    bar.log_low = tick.log_mid
    bar.spread_sum = 0.0
    bar.sign_sum = 0.0
    bar.one_sided = 0.0


@kernel
def extend_bar(bar: OpenBar, tick: LastTick) -> None:
    """Count this tick and widen the ranges."""
    bar.ticks += 1
    bar.spread_sum += tick.ask - tick.bid
    bar.bid_high = max(bar.bid_high, tick.bid)
    bar.bid_low = min(bar.bid_low, tick.bid)
    if tick.mid > bar.high:
        bar.high = tick.mid
        bar.log_high = tick.log_mid
    if tick.mid < bar.low:
        bar.low = tick.mid
        bar.log_low = tick.log_mid


@kernel
def publish_bar(closed: ClosedBar, bar: OpenBar, tick: LastTick, period_ns: int) -> None:
    """Copy the finished bar; `tick` is still its last tick."""
    closed.start_ns = bar.period * period_ns
    closed.ticks = bar.ticks
    closed.open = bar.bid_open
    closed.high = bar.bid_high
    closed.low = bar.bid_low
    closed.close = tick.bid


@kernel
def push_history(history: History, bar: OpenBar, tick: LastTick) -> None:
    """Commit the finished bar to every ring; rows that need earlier bars hold 0 until they can."""
    rows = history.rows
    before = history.head
    history.head = (history.head + 1) % rows.shape[1]
    history.count += 1
    head = history.head
    count = history.count
    rows[LOG_CLOSE, head] = tick.log_mid
    rows[CLOSE, head] = tick.mid
    log_range = bar.log_high - bar.log_low
    rows[RANGE_SQUARE, head] = log_range * log_range
    if count >= 2:
        change = tick.log_mid - rows[LOG_CLOSE, before]
        rows[MOVE, head] = math.fabs(tick.mid - rows[CLOSE, before])
        rows[SQUARE, head] = change * change
        if count >= 3:
            rows[BIPOWER, head] = math.fabs(change) * math.sqrt(rows[SQUARE, before])
    span = 5 * window_scale(history)
    if count > span:
        long_change = tick.log_mid - log_close_back(history, span)
        rows[LONG_SQUARE, head] = long_change * long_change
