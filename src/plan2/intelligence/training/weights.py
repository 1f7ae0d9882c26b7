"""How much each label is worth: average uniqueness times time decay, and the effective count.

Overlapping labels share their outcome. An event's uniqueness is the mean, over its life, of one
divided by the number of events alive (López de Prado, Advances in Financial Machine Learning,
ch. 4.4), computed in continuous time. The sum of uniqueness is the effective number of labels.
"""

import numpy as np

from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array


def uniqueness(t0: Int64Array, t1: Int64Array) -> Float64Array:
    """Average uniqueness of events alive on [t0, t1]: 1 when alone, 1/k for k identical ones.

    Args:
        t0: int64[n], starts, UTC ns.
        t1: int64[n], ends, t1 ≥ t0. An event of no length counts as one nanosecond long.
    """
    if len(t0) == 0:
        return np.empty(0)
    end = np.maximum(t1, t0 + 1)
    times, position = np.unique(np.concatenate([t0, end]), return_inverse=True)
    start, stop = position[: len(t0)], position[len(t0) :]
    change = np.bincount(start, minlength=len(times)) - np.bincount(stop, minlength=len(times))
    alive = np.cumsum(change)[:-1]
    span = np.diff(times).astype(np.float64)
    share = np.concatenate([[0.0], np.cumsum(span / np.maximum(alive, 1))])
    result: Float64Array = (share[stop] - share[start]) / (end - t0)
    return result


def time_decay(t0: Int64Array, half_life_days: float) -> Float64Array:
    """Weight by age, 1 for the newest; an infinite half-life gives equal weights."""
    if len(t0) == 0:
        return np.empty(0)
    age_days = (t0.max() - t0) / NS_PER_DAY
    result: Float64Array = 0.5 ** (age_days / half_life_days)
    return result
