"""Have the features moved away from what the models were trained on? Judged against their own null.

PSI and Kolmogorov–Smirnov have no constant thresholds: slow features differ from window to window
without any drift (ml.md §8, M-13e). So each statistic is held against windows that are drawn in
long blocks from the training period itself, and Benjamini–Hochberg corrects over the features. What
is found widens the novelty veto and nothing else.
"""

import msgspec
import numpy as np

from plan2.foundation.errors import require
from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.training.dataset import BoolArray

BINS = 10
GRID = 32
DRAWS = 20_000
BLOCKS_PER_WINDOW = 3
FALSE_DISCOVERIES = 0.01
_FLOOR = 1e-4


class FeatureShift(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of a window against the training period.

    `psi_limit`: 99 % point of its null. `p`: chance of such a difference without drift, from the
    more surprising of both statistics. `has_drifted`: after correction over all features.
    """

    name: str
    psi: float
    psi_limit: float
    ks: float
    ks_limit: float
    p: float
    has_drifted: bool


def feature_shifts(
    names: tuple[str, ...],
    training: Float64Array,
    window: Float64Array,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> tuple[FeatureShift, ...]:
    """Judge every feature of a window.

    Args:
        names: of the columns.
        training: float64[n, F], bars of the training period in time order; NaN is a value too.
        window: float64[m, F], newest bars; n ≥ 2·m.
        rng: places the blocks; the same for all features of one draw.
        draws: windows drawn for the null.
    """
    length, rows = len(window), len(training)
    require(rows >= 2 * length > 0, f"a window of {length} bars needs twice as many of training")
    block = max(1, length // BLOCKS_PER_WINDOW)
    starts = rng.integers(0, rows - block + 1, (draws, length // block))
    found = [_statistics(training[:, k], window[:, k], starts, block) for k in range(len(names))]
    p = np.array([each[-1] for each in found])
    drifted = benjamini_hochberg(p, FALSE_DISCOVERIES)
    return tuple(
        FeatureShift(
            name=name, psi=psi, psi_limit=psi_limit, ks=ks, ks_limit=ks_limit, p=chance,
            has_drifted=bool(has_drifted),
        )
        for name, (psi, psi_limit, ks, ks_limit, chance), has_drifted in zip(
            names, found, drifted, strict=True
        )
    )  # fmt: skip


def benjamini_hochberg(p: Float64Array, rate: float) -> BoolArray:
    """Which of these p-values are discoveries at a false discovery rate: bool[n].

    Benjamini and Hochberg (1995): the k smallest, for the largest k with p₍ₖ₎ ≤ k·rate/n.
    """
    order = np.argsort(p)
    below = np.flatnonzero(p[order] <= rate * np.arange(1, len(p) + 1) / len(p))
    chosen = np.zeros(len(p), np.bool_)
    if len(below):
        chosen[order[: below[-1] + 1]] = True
    return chosen


def psi_of(expected: Float64Array, observed: Float64Array) -> Float64Array:
    """Population stability index Σ (o − e)·ln(o/e) over the last axis; shares, floored at 1e-4."""
    e, o = np.maximum(expected, _FLOOR), np.maximum(observed, _FLOOR)
    return np.asarray(((o - e) * np.log(o / e)).sum(axis=-1))


def ks_of(expected: Float64Array, observed: Float64Array) -> Float64Array:
    """Greatest distance of the two distribution functions on the grid, over the last axis."""
    return np.asarray(np.abs(np.cumsum(observed - expected, axis=-1)).max(axis=-1))


def _statistics(
    training: Float64Array, window: Float64Array, starts: Int64Array, block: int
) -> tuple[float, float, float, float, float]:
    """PSI with its limit, KS with its limit, and the chance of the more surprising one."""
    results, chances = [], []
    for statistic, bins in ((psi_of, BINS), (ks_of, GRID)):
        edges = _edges(training, bins)
        running = _counts(training, edges)
        expected = _shares(running[-1])
        value = float(statistic(expected, _shares(_counts(window, edges)[-1])))
        drawn = (running[starts + block] - running[starts]).sum(axis=1)
        # Drawn windows are part of the training period, a new one is not: PSI ∝ 1/n + 1/m.
        apart = 1.0 + len(window) / len(training)
        null = statistic(expected, _shares(drawn)) * (apart if bins == BINS else apart**0.5)
        results += [value, float(np.quantile(null, 0.99))]
        chances.append((1.0 + float((null >= value).sum())) / (1.0 + len(null)))
    chance = min(1.0, 2.0 * min(chances))
    return results[0], results[1], results[2], results[3], chance


def _edges(training: Float64Array, bins: int) -> Float64Array:
    """Inner edges of bins of equal mass; equal values share a bin."""
    known = training[~np.isnan(training)]
    if len(known) == 0:
        return np.empty(0)
    return np.unique(np.quantile(known, np.linspace(0.0, 1.0, bins + 1)[1:-1]))


def _counts(values: Float64Array, edges: Float64Array) -> Int64Array:
    """Running counts per bin: int64[n + 1, bins + 1]; the last bin holds what is undefined."""
    bins = len(edges) + 2
    index = np.searchsorted(edges, values, side="left")
    index[np.isnan(values)] = bins - 1
    running = np.zeros((len(values) + 1, bins), np.int64)
    running[1:][np.arange(len(values)), index] = 1
    return np.cumsum(running, axis=0)


def _shares(counts: Int64Array) -> Float64Array:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True), np.float64)
