"""Falls of equity from a peak, and how far below it every sample is."""

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.backtest.figures.terms import Fall


def drawdown_of(equity: Float64Array, start: float) -> Float64Array:
    """Each sample against the peak before it, as a fraction ≤ 0: float64[n]."""
    fallen: Float64Array = equity / _peaks(equity, start) - 1.0
    return fallen


def falls_of(ts_ns: Int64Array, equity: Float64Array, start: float) -> list[Fall]:
    """Every stretch below a peak, in time order.

    Args:
        ts_ns: int64[n], times of the samples, UTC.
        equity: float64[n], at them.
        start: the first peak.
    """
    below = equity < _peaks(equity, start)
    if not below.any():
        return []
    edges = np.diff(np.concatenate([[False], below, [False]]).astype(np.int8))
    first, after = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    drawdown = drawdown_of(equity, start)
    found = []
    for begin, end in zip(first.tolist(), after.tolist(), strict=True):
        bottom = begin + int(np.argmin(drawdown[begin:end]))
        found.append(
            Fall(
                start_ns=int(ts_ns[max(0, begin - 1)]),
                bottom_ns=int(ts_ns[bottom]),
                end_ns=int(ts_ns[end]) if end < len(ts_ns) else 0,
                depth=float(drawdown[bottom]),
            )
        )
    return found


def _peaks(equity: Float64Array, start: float) -> Float64Array:
    peaks: Float64Array = np.maximum(np.maximum.accumulate(equity), start)
    return peaks
