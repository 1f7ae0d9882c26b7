"""RSI and Bollinger features: committed closes with the mid as one more close."""

import math

from plan2.intelligence.features.bars import close_back, window_scale
from plan2.intelligence.features.kernels import (
    anchored_moments,
    kernel,
    population_variance,
    rsi_of,
    wilder_next,
)
from plan2.intelligence.features.state import (
    CLOSE,
    History,
    LastTick,
    Oscillators,
    Values,
)

PERIODS = (7, 14, 28)
BAND = 20
DEVIATIONS = 2.0


@kernel
def commit_oscillators(oscillators: Oscillators, history: History) -> None:
    """Averages of gains and losses, and the anchored sums, after the newest close."""
    scale = window_scale(history)
    count = history.count
    if count >= 2:
        change = history.rows[CLOSE, history.head] - close_back(history, 1)
        for which in range(3):
            period = PERIODS[which] * scale
            gain, loss = oscillators.gain[which], oscillators.loss[which]
            oscillators.gain[which] = wilder_next(gain, max(change, 0.0), period, count - 1)
            oscillators.loss[which] = wilder_next(loss, max(-change, 0.0), period, count - 1)
    row = history.rows[CLOSE]
    anchored_moments(row, history.head, BAND * scale, oscillators.moments, count)


@kernel
def refresh_rsi(oscillators: Oscillators, history: History, change: float) -> None:
    """RSI for each period if the bar so far closed `change` away from the last close."""
    scale = window_scale(history)
    count = history.count
    for which in range(3):
        period = PERIODS[which] * scale
        gain = wilder_next(oscillators.gain[which], max(change, 0.0), period, count)
        loss = wilder_next(oscillators.loss[which], max(-change, 0.0), period, count)
        oscillators.rsi[which] = rsi_of(gain, loss)


@kernel
def write_oscillators(
    oscillators: Oscillators, history: History, tick: LastTick, values: Values
) -> None:
    """RSI for three periods, position in and width of the Bollinger bands."""
    refresh_rsi(oscillators, history, tick.mid - history.rows[CLOSE, history.head])
    values.rsi_mid_7 = oscillators.rsi[0]
    values.rsi_mid_14 = oscillators.rsi[1]
    values.rsi_mid_28 = oscillators.rsi[2]
    window = BAND * window_scale(history)
    anchor = oscillators.moments[0]
    arriving = tick.mid - anchor
    leaving = close_back(history, window - 1) - anchor
    total = oscillators.moments[1] + arriving - leaving
    squares = oscillators.moments[2] + arriving * arriving - leaving * leaving
    middle = anchor + total / window
    reach = DEVIATIONS * math.sqrt(population_variance(total, squares, window))
    offset = 0.5 * (tick.mid - middle) / reach
    values.bollinger_percent_b_20 = 0.5 + offset if reach > 0.0 else 0.5
    values.bollinger_width_20 = 1e4 * 2.0 * reach / middle
