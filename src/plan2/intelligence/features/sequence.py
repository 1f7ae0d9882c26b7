"""The channels of one bar for recurrent and convolutional models, so far, at every tick."""

import math

from plan2.intelligence.features.activity import spread_z
from plan2.intelligence.features.kernels import clip, kernel, position_in_range
from plan2.intelligence.features.state import LOG_CLOSE, EngineState

LIMIT = 5.0


@kernel
def write_sequence(state: EngineState) -> None:
    """All channels of the bar in progress; the features of this tick must be written before."""
    channels, values = state.sequence, state.values
    bar, tick, activity = state.memory.bar, state.tick, state.memory.activity
    history = state.memory.history
    close_before = history.rows[LOG_CLOSE, history.head]
    sigma = tick.log_sigma
    channels.bar_return = clip((tick.log_mid - close_before) / sigma, LIMIT)
    channels.bar_open_gap = clip((bar.log_open - close_before) / sigma, LIMIT)
    channels.bar_upper = clip((bar.log_high - tick.log_mid) / sigma, LIMIT)
    channels.bar_lower = clip((tick.log_mid - bar.log_low) / sigma, LIMIT)
    channels.bar_close_position = position_in_range(tick.mid, bar.low, bar.high)
    channels.bar_activity = clip(math.log(bar.ticks / activity.ticks_per_bar), LIMIT)
    channels.bar_spread = clip(bar.spread_sum / bar.ticks / tick.sigma, LIMIT)
    channels.bar_spread_z = spread_z(activity, tick.ask - tick.bid, state.parameters.point)
    channels.bar_sign_balance = bar.sign_sum / bar.ticks
    channels.bar_one_sided_share = bar.one_sided / bar.ticks
    ratio = values.volatility_ratio_5_60
    channels.bar_volatility_ratio = clip(math.log(ratio), LIMIT) if ratio > 0.0 else -LIMIT
    channels.bar_ema_gap = clip(values.ema_gap_10, LIMIT)
    channels.bar_trend_gap = clip(0.25 * values.ema_gap_30, LIMIT)
    channels.bar_rsi = (values.rsi_mid_14 - 50.0) / 50.0
    channels.bar_time_sin = values.minute_of_day_sin
    channels.bar_time_cos = values.minute_of_day_cos
