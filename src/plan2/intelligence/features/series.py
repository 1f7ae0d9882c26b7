"""Compiled building blocks over whole columns, for indicators on bars.

Every function takes float64[n] and returns float64[n]; NaN stands where the window is not full.
Leading NaN (another indicator's warm-up) are skipped, so seeds start at the first value. Windows
are summed directly: no running sum, no drift. `period` ≥ 1 counts rows including the current one.
"""

import math

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.kernels import ema_next, entry, kernel, wilder_next


@kernel
def first_value(values: Float64Array) -> int:
    """Index of the first value that is not NaN; the length when there is none."""
    for index in range(values.shape[0]):
        if not math.isnan(values[index]):
            return index
    return int(values.shape[0])


@entry
def mean(values: Float64Array, period: int) -> Float64Array:
    """Simple moving average."""
    out = np.full(values.shape[0], np.nan)
    for index in range(first_value(values) + period - 1, values.shape[0]):
        total = 0.0
        for back in range(period):
            total += values[index - back]
        out[index] = total / period
    return out


@entry
def weighted_mean(values: Float64Array, period: int) -> Float64Array:
    """Linearly weighted average: the newest weighs `period`, the oldest 1."""
    out = np.full(values.shape[0], np.nan)
    weights = 0.5 * period * (period + 1)
    for index in range(first_value(values) + period - 1, values.shape[0]):
        total = 0.0
        for back in range(period):
            total += (period - back) * values[index - back]
        out[index] = total / weights
    return out


@entry
def exponential_mean(values: Float64Array, period: int) -> Float64Array:
    """EMA with alpha 2/(N+1), seeded with the mean of the first N."""
    out = np.full(values.shape[0], np.nan)
    start = first_value(values)
    average = 0.0
    for index in range(start, values.shape[0]):
        average = ema_next(average, values[index], period, index - start + 1)
        if index - start + 1 >= period:
            out[index] = average
    return out


@entry
def exponential_again(values: Float64Array, period: int) -> Float64Array:
    """EMA with alpha 2/(N+1) that starts as the first value, for averages of averages."""
    out = np.full(values.shape[0], np.nan)
    start = first_value(values)
    for index in range(start, values.shape[0]):
        before = values[index] if index == start else out[index - 1]
        out[index] = before + 2.0 / (period + 1.0) * (values[index] - before)
    return out


@entry
def wilder_mean(values: Float64Array, period: int) -> Float64Array:
    """Wilder's average (alpha 1/N), seeded with the mean of the first N."""
    out = np.full(values.shape[0], np.nan)
    start = first_value(values)
    average = 0.0
    for index in range(start, values.shape[0]):
        average = wilder_next(average, values[index], period, index - start + 1)
        if index - start + 1 >= period:
            out[index] = average
    return out


@entry
def deviation(values: Float64Array, period: int) -> Float64Array:
    """Population standard deviation (divisor N) in two passes."""
    out = np.full(values.shape[0], np.nan)
    for index in range(first_value(values) + period - 1, values.shape[0]):
        window = values[index - period + 1 : index + 1]
        centre = 0.0
        for value in window:
            centre += value / period
        total = 0.0
        for value in window:
            total += (value - centre) * (value - centre)
        out[index] = math.sqrt(total / period)
    return out


@entry
def mean_deviation(values: Float64Array, period: int) -> Float64Array:
    """Mean absolute distance of the window's values from the window's mean."""
    out = np.full(values.shape[0], np.nan)
    for index in range(first_value(values) + period - 1, values.shape[0]):
        window = values[index - period + 1 : index + 1]
        centre = 0.0
        for value in window:
            centre += value / period
        total = 0.0
        for value in window:
            total += math.fabs(value - centre)
        out[index] = total / period
    return out


@entry
def highest(values: Float64Array, period: int) -> Float64Array:
    """Greatest value of the window."""
    out = np.full(values.shape[0], np.nan)
    for index in range(first_value(values) + period - 1, values.shape[0]):
        top = values[index]
        for back in range(1, period):
            top = max(top, values[index - back])
        out[index] = top
    return out


@entry
def rows_since_highest(values: Float64Array, period: int) -> Float64Array:
    """Rows since the greatest value of the window (0 = now); the oldest of equals counts."""
    out = np.full(values.shape[0], np.nan)
    for index in range(first_value(values) + period - 1, values.shape[0]):
        best = 0
        for back in range(1, period):
            if values[index - back] >= values[index - best]:
                best = back
        out[index] = best
    return out


@entry
def kaufman_mean(values: Float64Array, period: int, fast: int, slow: int) -> Float64Array:
    """Kaufman's adaptive average; it starts as the value of row `period`."""
    out = np.full(values.shape[0], np.nan)
    start = first_value(values) + period - 1
    if start >= values.shape[0]:
        return out
    fastest, slowest = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    out[start] = values[start]
    for index in range(start + 1, values.shape[0]):
        path = 0.0
        for back in range(period):
            path += math.fabs(values[index - back] - values[index - back - 1])
        net = math.fabs(values[index] - values[index - period])
        root = (net / path if path > 0.0 else 0.0) * (fastest - slowest) + slowest
        out[index] = out[index - 1] + root * root * (values[index] - out[index - 1])
    return out


def lowest(values: Float64Array, period: int) -> Float64Array:
    """Least value of the window."""
    return -highest(-values, period)


def lagged(values: Float64Array, rows: int) -> Float64Array:
    """The value `rows` rows earlier."""
    out = np.full(values.shape[0], np.nan)
    out[rows:] = values[: max(values.shape[0] - rows, 0)]
    return out
