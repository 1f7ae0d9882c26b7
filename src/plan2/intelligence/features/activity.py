"""How often quotes come, which way they lean, and what the spread usually is.

All sums decay with time (½ per half-life), except the mean interval, which decays with ticks.
Without sizes nothing here measures order flow: it counts quote changes.
"""

import math

from plan2.intelligence.features.kernels import clip, ema_next, half_life_decay, kernel
from plan2.intelligence.features.state import Activity, EngineState, OpenBar

LN_2 = math.log(2.0)
FAST_HALF_LIFE_S = 10.0
SLOW_HALF_LIFE_BARS = 10.0
SPREAD_HALF_LIFE_BARS = 60.0
INTERVAL_TICKS = 50


@kernel
def sign_of(change: float) -> float:
    """−1, 0 or 1."""
    return 1.0 if change > 0.0 else (-1.0 if change < 0.0 else 0.0)


@kernel
def start_activity(activity: Activity, spread: float) -> None:
    """The first tick since a gap: nothing to compare with, only a spread to hold."""
    activity.spread = spread
    activity.spread_mean = spread


@kernel
def update_activity(
    activity: Activity, elapsed_s: float, bar_s: float, spread: float, scale: int
) -> None:
    """Intensities, mean interval and the time-weighted spread, `elapsed_s` after the last tick."""
    activity.intervals += 1
    activity.interval = ema_next(
        activity.interval, elapsed_s, INTERVAL_TICKS * scale, activity.intervals
    )
    keep = half_life_decay(elapsed_s, FAST_HALF_LIFE_S)
    activity.fast = keep * activity.fast + LN_2 / FAST_HALF_LIFE_S
    activity.fast_weight = keep * activity.fast_weight + (1.0 - keep)
    half_life_s = SLOW_HALF_LIFE_BARS * bar_s
    keep = half_life_decay(elapsed_s, half_life_s)
    activity.slow = keep * activity.slow + LN_2 / half_life_s
    activity.slow_weight = keep * activity.slow_weight + (1.0 - keep)
    keep = half_life_decay(elapsed_s, SPREAD_HALF_LIFE_BARS * bar_s)
    surprise = activity.spread - activity.spread_mean
    activity.spread_mean += (1.0 - keep) * surprise
    activity.spread_variance = keep * (
        activity.spread_variance + (1.0 - keep) * surprise * surprise
    )
    activity.spread = spread


@kernel
def update_signs(
    activity: Activity, bar: OpenBar, keep: float, bid_change: float, ask_change: float
) -> None:
    """Count the directions of this tick, after the older ones have decayed by `keep`."""
    sign = 0.5 * (sign_of(bid_change) + sign_of(ask_change))
    one_sided = 1.0 if (bid_change == 0.0) != (ask_change == 0.0) else 0.0
    activity.quote_weight = keep * activity.quote_weight + 1.0
    activity.sign = keep * activity.sign + sign
    activity.one_sided = keep * activity.one_sided + one_sided
    bar.sign_sum += sign
    bar.one_sided += one_sided


@kernel
def commit_activity(activity: Activity, ticks: int, count: int, scale: int) -> None:
    """Average number of ticks in a bar, 60 bars."""
    activity.ticks_per_bar = ema_next(activity.ticks_per_bar, float(ticks), 60 * scale, count)


@kernel
def spread_z(activity: Activity, spread: float, point: float) -> float:
    """The spread in deviations from its usual mean, within ±5; deviation ≥ 0.1 point."""
    deviation = math.sqrt(max(activity.spread_variance, 0.0))
    return clip((spread - activity.spread_mean) / max(deviation, 0.1 * point), 5.0)


@kernel
def write_activity(state: EngineState, elapsed_s: float) -> None:
    """Cost and activity features of this tick."""
    values, activity, tick = state.values, state.memory.activity, state.tick
    spread = tick.ask - tick.bid
    values.spread = spread / state.parameters.pip
    values.spread_z_60 = spread_z(activity, spread, state.parameters.point)
    values.spread_to_sigma = spread / tick.sigma
    rate = activity.slow / activity.slow_weight
    values.tick_rate_10 = rate
    values.tick_burst = activity.fast / activity.fast_weight / rate
    values.tick_interval = activity.interval
    values.quote_sign_balance_1 = activity.sign / activity.quote_weight
    values.one_sided_quote_share_1 = activity.one_sided / activity.quote_weight
    values.tick_gap = elapsed_s
    into_bar = tick.ts_ns - state.memory.bar.period * state.parameters.period_ns
    values.bar_progress = into_bar / state.parameters.period_ns
