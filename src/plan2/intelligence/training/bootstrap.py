"""Stationary block bootstrap: honest intervals for means of overlapping events.

Politis and Romano (1994): blocks start anywhere, have geometric lengths and wrap around the end.
Events that follow each other share part of their outcome, so the mean block is at least as long as
the number of events inside one horizon. Block sums come from running totals, so the cost does not
depend on the block length.
"""

import msgspec
import numpy as np
from numba import njit

from plan2.foundation.errors import require
from plan2.foundation.values import Float64Array, Int64Array

REPETITIONS = 2_000


class Interval(msgspec.Struct, frozen=True):
    """A figure with the 2.5 % and 97.5 % points of its bootstrap distribution."""

    value: float
    low: float
    high: float


def interval_of(value: float, samples: Float64Array) -> Interval:
    """The figure and its central 95 % bootstrap interval."""
    low, high = np.quantile(samples, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def block_length(t0: Int64Array, horizon_ns: int) -> float:
    """Mean number of events that start within one horizon of an event, itself included."""
    reach = np.searchsorted(t0, t0 + horizon_ns, side="right")
    return max(1.0, float(np.mean(reach - np.arange(len(t0)))))


def resampled_means(
    columns: Float64Array, block: float, rng: np.random.Generator, repetitions: int = REPETITIONS
) -> Float64Array:
    """Bootstrap distribution of the column means: float64[repetitions, k].

    Args:
        columns: float64[n, k] in time order; the same resample serves all columns, so ratios and
            differences of means may be formed afterwards.
        block: mean block length in rows, at least 1.
        rng: source of the seed; the draws themselves are splitmix64, the same on every platform.
        repetitions: number of resamples.
    """
    require(len(columns) > 0, "a bootstrap needs at least one row")
    require(block >= 1.0, f"a mean block is at least one row long, found {block}")
    totals = np.vstack([np.zeros((1, columns.shape[1])), np.cumsum(columns, axis=0)])
    seed = np.uint64(rng.integers(0, 2**63))
    means: Float64Array = _means(totals, min(block, float(len(columns))), seed, repetitions)
    return means


@njit(cache=True, nogil=True)  # so that a thread beside trading may draw
def _means(totals: Float64Array, block: float, seed: np.uint64, repetitions: int) -> Float64Array:
    n, k = totals.shape[0] - 1, totals.shape[1]
    sums = np.zeros((repetitions, k))
    for repetition in range(repetitions):
        filled = 0
        while filled < n:
            seed, start_draw = _uniform(seed)
            seed, length_draw = _uniform(seed)
            start = int(start_draw * n)
            length = min(_geometric(length_draw, block), n - filled)
            stop = start + length
            for column in range(k):
                if stop <= n:
                    total = totals[stop, column] - totals[start, column]
                else:
                    total = totals[n, column] - totals[start, column] + totals[stop - n, column]
                sums[repetition, column] += total
            filled += length
    sums /= n
    return sums


@njit(cache=True)
def _geometric(uniform: float, mean: float) -> int:
    """A geometric length of this mean, at least 1, by inversion."""
    if mean <= 1.0:
        return 1
    return int(1.0 + np.log(1.0 - uniform) / np.log(1.0 - 1.0 / mean))


@njit(cache=True)
def _uniform(state: np.uint64) -> tuple[np.uint64, float]:
    """The next state and a uniform number in [0, 1): splitmix64 (Steele, Lea, Flood 2014)."""
    state = np.uint64(state + np.uint64(0x9E3779B97F4A7C15))
    z = state
    z = np.uint64((z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9))
    z = np.uint64((z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB))
    z = np.uint64(z ^ (z >> np.uint64(31)))
    return state, np.float64(z >> np.uint64(11)) * 2.0**-53
