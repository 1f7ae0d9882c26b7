"""Trailing-stop indicators whose state flips sides: parabolic SAR and SuperTrend."""

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.kernels import entry


@entry
def parabolic_sar(
    high: Float64Array, low: Float64Array, step: float, most: float, start: float
) -> Float64Array:
    """Wilder's parabolic stop-and-reverse, float64[n].

    It begins long at the first low. That guess decides everything up to the first reversal, so
    the rows before it are NaN, as in published tables.
    """
    out = np.full(high.shape[0], np.nan)
    if high.shape[0] == 0:
        return out
    rising, reversed_once = True, False
    stop, extreme, factor = low[0], high[0], start
    for index in range(1, high.shape[0]):
        before = max(index - 2, 0)
        stop += factor * (extreme - stop)
        if rising:
            stop = min(stop, low[index - 1], low[before])
        else:
            stop = max(stop, high[index - 1], high[before])
        crossed = low[index] < stop if rising else high[index] > stop
        reached = high[index] if rising else low[index]
        if crossed:
            stop, rising, reversed_once, factor = extreme, not rising, True, start
            extreme = high[index] if rising else low[index]
        elif reached > extreme if rising else reached < extreme:
            extreme = reached
            factor = min(factor + step, most)
        if reversed_once:
            out[index] = stop
    return out


@entry
def super_trend(middle: Float64Array, close: Float64Array, reach: Float64Array) -> Float64Array:
    """The stop below a rising or above a falling market, float64[n].

    `middle` is (high + low)/2, `reach` the ATR times its multiplier (NaN while it warms up). A band
    only tightens until the close before has crossed it.
    """
    out = np.full(close.shape[0], np.nan)
    rising, started = True, False
    upper = lower = 0.0
    for index in range(1, close.shape[0]):
        if np.isnan(reach[index]):
            continue
        above, below = middle[index] + reach[index], middle[index] - reach[index]
        if not started:
            rising, started = close[index] >= middle[index], True
            upper, lower = above, below
        if above < upper or close[index - 1] > upper:
            upper = above
        if below > lower or close[index - 1] < lower:
            lower = below
        rising = close[index] > (lower if rising else upper)
        out[index] = lower if rising else upper
    return out
