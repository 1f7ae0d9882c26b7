"""Volatility of committed bars, σ, and what is measured against the usual of the same minute.

Formulas: realised variance Σr²; bipower variation (π/2)·Σ|r||r₋₁| (Barndorff-Nielsen and
Shephard 2004); Parkinson's range estimator Σ ln(H/L)²/(4 N ln 2) (1980). Returns are log returns of
mid closes; all EW means are divided by the weight collected so far, so they are unbiased early.
"""

import math

from plan2.intelligence.features.bars import window_scale
from plan2.intelligence.features.kernels import half_life_decay, kernel, rolling_total
from plan2.intelligence.features.state import (
    BIPOWER,
    LONG_SQUARE,
    RANGE_SQUARE,
    SQUARE,
    History,
    LastTick,
    Seasonal,
    Values,
    Volatility,
)

SHORT, MEDIUM, LONG, LONGEST = range(4)
HALF_LIVES = (5, 15, 60, 240)
WEEK_WEIGHT = 0.25
LEAST_SIGMA_POINTS = 0.1


@kernel
def commit_volatility(volatility: Volatility, history: History) -> None:
    """Take in the newest committed bar; the first bar has no return."""
    count = history.count
    if count < 2:
        return
    scale = window_scale(history)
    square = history.rows[SQUARE, history.head]
    for which in range(4):
        keep = half_life_decay(1.0, float(HALF_LIVES[which] * scale))
        volatility.square[which] = keep * volatility.square[which] + (1.0 - keep) * square
        volatility.weight[which] = keep * volatility.weight[which] + (1.0 - keep)
        volatility.level[which] = math.sqrt(volatility.square[which] / volatility.weight[which])
    _commit_change(volatility, count, scale)


@kernel
def _commit_change(volatility: Volatility, count: int, scale: int) -> None:
    """EW mean square of the change of log volatility_ew_15, where both values are above zero."""
    before = volatility.log_medium
    volatility.log_medium = math.log(volatility.level[MEDIUM])
    change = volatility.log_medium - before
    if count <= 15 * scale or not math.isfinite(change):
        return
    keep = half_life_decay(1.0, 60.0 * scale)
    volatility.change_square = keep * volatility.change_square + (1.0 - keep) * change * change
    volatility.change_weight = keep * volatility.change_weight + (1.0 - keep)


@kernel
def commit_rolling(volatility: Volatility, history: History) -> None:
    """Bring the four rolling sums over 60 bars up to date."""
    window = 60 * window_scale(history)
    rows, head, count = history.rows, history.head, history.count
    volatility.realized = rolling_total(rows[SQUARE], head, window, volatility.realized, count)
    volatility.bipower = rolling_total(rows[BIPOWER], head, window, volatility.bipower, count)
    volatility.ranges = rolling_total(rows[RANGE_SQUARE], head, window, volatility.ranges, count)
    volatility.long_square = rolling_total(
        rows[LONG_SQUARE], head, window, volatility.long_square, count
    )


@kernel
def write_volatility(volatility: Volatility, history: History, values: Values) -> None:
    """The volatility features; they change only when a bar is committed."""
    window = 60.0 * window_scale(history)
    short, long = volatility.level[SHORT], volatility.level[LONG]
    values.volatility_ew_5 = short
    values.volatility_ew_15 = volatility.level[MEDIUM]
    values.volatility_ew_60 = long
    values.volatility_ew_240 = volatility.level[LONGEST]
    realized = max(volatility.realized, 0.0)
    values.volatility_realized_60 = math.sqrt(realized / window)
    share = 1.0 - 0.5 * math.pi * volatility.bipower / realized if realized > 0.0 else 0.0
    values.jump_share_60 = min(max(share, 0.0), 1.0)
    parkinson = max(volatility.ranges, 0.0) / (4.0 * math.log(2.0) * window)
    values.volatility_parkinson_60 = math.sqrt(parkinson)
    weight = volatility.change_weight
    values.volatility_of_volatility_60 = (
        math.sqrt(volatility.change_square / weight) if weight > 0.0 else 0.0
    )
    values.volatility_ratio_5_60 = short / long if long > 0.0 else 1.0
    long_square = max(volatility.long_square, 0.0)
    variance_ratio = long_square / (5.0 * window_scale(history) * realized)
    values.variance_ratio_5_60 = variance_ratio if realized > 0.0 else 1.0


@kernel
def refresh_sigma(tick: LastTick, volatility: Volatility, point: float) -> None:
    """σ of this tick in quote currency and in logs, never below a tenth of a point."""
    sigma = volatility.level[LONG] * tick.mid
    least = LEAST_SIGMA_POINTS * point
    tick.sigma = max(sigma, least)
    tick.log_sigma = tick.sigma / tick.mid


@kernel
def commit_seasonal(table: Seasonal, slot: int, spread: float, volatility: float) -> None:
    """Mix the finished bar into its minute of the week; NaN volatility is left out."""
    seen = table.spread[slot]
    table.spread[slot] = spread if seen == 0.0 else seen + WEEK_WEIGHT * (spread - seen)
    if not math.isfinite(volatility):
        return
    seen = table.volatility[slot]
    table.volatility[slot] = volatility if seen == 0.0 else seen + WEEK_WEIGHT * (volatility - seen)


@kernel
def against_usual(value: float, usual: float) -> float:
    """Ratio to the seasonal value; NaN where that minute has not been seen."""
    return value / usual if usual > 0.0 else math.nan
