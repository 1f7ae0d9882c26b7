"""The one step from a tick to the features.

Order within a step: refuse what cannot be a tick; close the bar that ended (or that a gap ended);
wipe the memory after a gap; open the new bar; take the tick in; write outputs; blank what is not
warm. The entry points in `loop.py` both run this `advance`, so live and batch agree to the bit.
"""

import math

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.activity import (
    commit_activity,
    start_activity,
    update_activity,
    update_signs,
    write_activity,
)
from plan2.intelligence.features.bars import (
    extend_bar,
    log_close_back,
    open_bar,
    publish_bar,
    push_history,
    window_scale,
)
from plan2.intelligence.features.catalog import SEQUENCE, SEQUENCE_WARMUP, TABULAR
from plan2.intelligence.features.kernels import half_life_decay, kernel
from plan2.intelligence.features.market_hours import refresh_calendar, write_calendar
from plan2.intelligence.features.oscillators import commit_oscillators, write_oscillators
from plan2.intelligence.features.ranges import commit_ranges, refresh_day, write_day, write_ranges
from plan2.intelligence.features.sequence import write_sequence
from plan2.intelligence.features.state import EngineState
from plan2.intelligence.features.trend import (
    commit_averages,
    commit_directional,
    commit_kaufman,
    write_directional,
    write_trend,
)
from plan2.intelligence.features.volatility import (
    against_usual,
    commit_rolling,
    commit_seasonal,
    commit_volatility,
    refresh_sigma,
    write_volatility,
)

CLOSED, GAP, READY, IGNORED = 1, 2, 4, 8
FEATURES = len(TABULAR)
CHANNELS = len(SEQUENCE)


@kernel
def commit_bar(state: EngineState) -> None:
    """Close the bar in progress with the last tick and commit it to every group."""
    memory, tick = state.memory, state.tick
    bar, history = memory.bar, memory.history
    publish_bar(state.closed, bar, tick, state.parameters.period_ns)
    push_history(history, bar, tick)
    commit_volatility(memory.volatility, history)
    commit_rolling(memory.volatility, history)
    commit_averages(memory.trend, history, tick.mid)
    commit_directional(memory.trend, history, bar)
    commit_kaufman(memory.trend, history, tick.mid)
    commit_ranges(memory.ranges, history, bar)
    commit_oscillators(memory.oscillators, history)
    commit_activity(memory.activity, bar.ticks, history.count, window_scale(history))
    write_volatility(memory.volatility, history, state.values)
    write_directional(memory.trend, state.values)
    is_warm = history.count > 15 * window_scale(history)
    usual = state.values.volatility_ew_15 if is_warm else math.nan
    commit_seasonal(state.seasonal, bar.slot, bar.spread_sum / bar.ticks, usual)


@kernel
def is_usable(last_ns: int, ts_ns: int, bid: float, ask: float) -> bool:
    """Whether this can be the next tick: not before the last one, prices finite and positive."""
    return ts_ns >= last_ns and bid > 0.0 and ask > 0.0 and bid + ask < math.inf


@kernel
def finish_bar(state: EngineState, words: Float64Array, period: int, ts_ns: int) -> int:
    """Close the bar in progress if its period is over or a gap ended it; wipe after a gap."""
    is_gap = ts_ns - state.tick.ts_ns > state.parameters.gap_ns
    if not is_gap and period == state.memory.bar.period:
        return 0
    for channel in range(CHANNELS):
        words[FEATURES + CHANNELS + channel] = words[FEATURES + channel]
    commit_bar(state)
    if not is_gap:
        return CLOSED
    words[state.parameters.memory_word :] = 0.0
    return CLOSED | GAP


@kernel
def take_tick(state: EngineState, ts_ns: int, bid: float, ask: float, period: int) -> float:
    """Open the bar if there is none and bring everything that follows ticks up to date.

    Returns the seconds since the tick before, NaN for the first one and after a gap.
    """
    memory, tick = state.memory, state.tick
    is_first = memory.bar.ticks == 0
    elapsed_s = math.nan if is_first else (ts_ns - tick.ts_ns) * 1e-9
    bid_change, ask_change = bid - tick.bid, ask - tick.ask
    tick.ts_ns = ts_ns
    tick.bid = bid
    tick.ask = ask
    tick.mid = 0.5 * (bid + ask)
    tick.log_mid = math.log(tick.mid)
    refresh_sigma(tick, memory.volatility, state.parameters.point)
    if refresh_calendar(state.calendar, ts_ns):
        write_calendar(state.calendar, state.values)
    refresh_day(state.day, state.calendar, tick)
    if is_first or period != memory.bar.period:
        open_bar(memory.bar, tick, period, state.calendar.week_minute)
    extend_bar(memory.bar, tick)
    if is_first:
        start_activity(memory.activity, ask - bid)
        return elapsed_s
    scale = window_scale(memory.history)
    bar_s = state.parameters.period_ns * 1e-9 * scale
    update_activity(memory.activity, elapsed_s, bar_s, ask - bid, scale)
    keep = half_life_decay(elapsed_s, bar_s)
    update_signs(memory.activity, memory.bar, keep, bid_change, ask_change)
    return elapsed_s


@kernel
def write_outputs(state: EngineState, elapsed_s: float) -> None:
    """Every output that can change with a tick; what is not warm is blanked afterwards."""
    memory, tick, values = state.memory, state.tick, state.values
    history, slot = memory.history, memory.bar.slot
    scale = window_scale(history)
    write_activity(state, elapsed_s)
    values.spread_seasonal_ratio = against_usual(tick.ask - tick.bid, state.seasonal.spread[slot])
    values.volatility_seasonal_ratio = against_usual(
        values.volatility_ew_15, state.seasonal.volatility[slot]
    )
    values.return_1 = tick.log_mid - log_close_back(history, scale)
    values.return_5 = tick.log_mid - log_close_back(history, 5 * scale)
    values.return_15 = tick.log_mid - log_close_back(history, 15 * scale)
    values.return_60 = tick.log_mid - log_close_back(history, 60 * scale)
    values.return_240 = tick.log_mid - log_close_back(history, 240 * scale)
    write_trend(memory.trend, history, tick, values)
    write_ranges(state)
    write_day(state.day, tick, values)
    write_oscillators(memory.oscillators, history, tick, values)
    write_sequence(state)


@kernel
def blank_cold(state: EngineState, words: Float64Array) -> int:
    """Set to NaN what is not warm yet; returns READY when the slowest gating warm-up is over."""
    count = state.memory.history.count
    parameters = state.parameters
    if count < parameters.slowest_warmup:
        for feature in range(FEATURES):
            if count < parameters.warmups[feature]:
                words[feature] = math.nan
    if count < SEQUENCE_WARMUP * window_scale(state.memory.history):
        words[FEATURES : FEATURES + CHANNELS] = math.nan
        state.sigma = math.nan
    else:
        state.sigma = state.tick.sigma
    return READY if count >= parameters.ready_after else 0


@kernel
def advance(state: EngineState, words: Float64Array, ts_ns: int, bid: float, ask: float) -> int:
    """Take one tick; returns the flags CLOSED, GAP, READY, IGNORED. `words` is `state` as words."""
    if not is_usable(state.tick.ts_ns, ts_ns, bid, ask):
        state.tick.ignored += 1
        ready = state.memory.history.count >= state.parameters.ready_after
        return IGNORED | (READY if ready else 0)
    period = ts_ns // state.parameters.period_ns
    flags = 0
    if state.memory.bar.ticks > 0:
        flags = finish_bar(state, words, period, ts_ns)
    elapsed_s = take_tick(state, ts_ns, bid, ask, period)
    write_outputs(state, elapsed_s)
    return flags | blank_cold(state, words)
