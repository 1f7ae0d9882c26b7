"""Trend features: committed averages, and their values with the bar so far as one more bar.

Formulas: Wilder (1978) for the directional system, Kaufman (1995) for efficiency and KAMA with
fast 2 and slow 30. Seeds as published: means of the first N.
"""

import math

from plan2.intelligence.features.bars import close_back, window_scale
from plan2.intelligence.features.kernels import (
    ema_next,
    kernel,
    ring_back,
    rolling_total,
    true_range,
    wilder_next,
)
from plan2.intelligence.features.state import (
    CLOSE,
    MOVE,
    History,
    LastTick,
    OpenBar,
    Trend,
    Values,
)

PERIODS = (10, 30, 120)
KAMA_FAST = 2.0 / 3.0
KAMA_SLOW = 2.0 / 31.0


@kernel
def commit_averages(trend: Trend, history: History, close: float) -> None:
    """EMAs and MACD after the newest committed close."""
    count = history.count
    scale = window_scale(history)
    for which in range(3):
        trend.ema[which] = ema_next(trend.ema[which], close, PERIODS[which] * scale, count)
    trend.macd_fast = ema_next(trend.macd_fast, close, 12 * scale, count)
    trend.macd_slow = ema_next(trend.macd_slow, close, 26 * scale, count)
    signals = count - 26 * scale + 1
    if signals >= 1:
        macd = trend.macd_fast - trend.macd_slow
        trend.macd_signal = ema_next(trend.macd_signal, macd, 9 * scale, signals)


@kernel
def commit_directional(trend: Trend, history: History, bar: OpenBar) -> None:
    """Wilder's averages of +DM, −DM, true range and DX; the first bar only sets the reference."""
    number = history.count - 1
    if number >= 1:
        period = 14 * window_scale(history)
        up = bar.high - trend.previous_high
        down = trend.previous_low - bar.low
        plus = up if up > down and up > 0.0 else 0.0
        minus = down if down > up and down > 0.0 else 0.0
        span = true_range(bar.high, bar.low, close_back(history, 1))
        trend.plus = wilder_next(trend.plus, plus, period, number)
        trend.minus = wilder_next(trend.minus, minus, period, number)
        trend.range = wilder_next(trend.range, span, period, number)
        if number >= period:
            total = trend.plus + trend.minus
            dx = 100.0 * math.fabs(trend.plus - trend.minus) / total if total > 0.0 else 0.0
            trend.adx = wilder_next(trend.adx, dx, period, number - period + 1)
    trend.previous_high = bar.high
    trend.previous_low = bar.low


@kernel
def commit_kaufman(trend: Trend, history: History, close: float) -> None:
    """Path lengths over 10 and 20 bars and KAMA, which starts at the tenth close."""
    scale = window_scale(history)
    rows, head, count = history.rows, history.head, history.count
    trend.path_short = rolling_total(rows[MOVE], head, 10 * scale, trend.path_short, count)
    trend.path_long = rolling_total(rows[MOVE], head, 20 * scale, trend.path_long, count)
    if count <= 10 * scale:
        trend.kama = close
        return
    net = math.fabs(close - close_back(history, 10 * scale))
    trend.kama += _smoothing(net, trend.path_short) * (close - trend.kama)


@kernel
def _smoothing(net: float, path: float) -> float:
    efficiency = net / path if path > 0.0 else 0.0
    root = efficiency * (KAMA_FAST - KAMA_SLOW) + KAMA_SLOW
    return root * root


@kernel
def write_directional(trend: Trend, values: Values) -> None:
    """Features of committed bars only."""
    values.adx_mid_14 = trend.adx
    difference = 100.0 * (trend.plus - trend.minus) / trend.range
    values.directional_difference_14 = difference if trend.range > 0.0 else 0.0


@kernel
def write_trend(trend: Trend, history: History, tick: LastTick, values: Values) -> None:
    """Gaps to averages that count the bar so far, in σ."""
    mid, sigma = tick.mid, tick.sigma
    next_count = history.count + 1
    scale = window_scale(history)
    values.ema_gap_10 = (mid - ema_next(trend.ema[0], mid, 10 * scale, next_count)) / sigma
    values.ema_gap_30 = (mid - ema_next(trend.ema[1], mid, 30 * scale, next_count)) / sigma
    values.ema_gap_120 = (mid - ema_next(trend.ema[2], mid, 120 * scale, next_count)) / sigma
    macd = ema_next(trend.macd_fast, mid, 12 * scale, next_count) - ema_next(
        trend.macd_slow, mid, 26 * scale, next_count
    )
    signal = ema_next(trend.macd_signal, macd, 9 * scale, next_count - 26 * scale + 1)
    values.macd_histogram_12_26_9 = (macd - signal) / sigma
    last_move = math.fabs(mid - history.rows[CLOSE, history.head])
    net = math.fabs(mid - close_back(history, 20 * scale))
    path = trend.path_long + last_move
    values.efficiency_ratio_20 = min(net / path, 1.0) if path > 0.0 else 0.0
    short_net = math.fabs(mid - close_back(history, 9 * scale))
    short_path = (
        trend.path_short - ring_back(history.rows[MOVE], history.head, 10 * scale - 1) + last_move
    )
    values.kama_slope_10 = (
        _smoothing(short_net, max(short_path, short_net)) * (mid - trend.kama) / sigma
    )
