"""What a result is worth after many tries: deflated Sharpe ratio, overfitting, superior ability.

Sharpe ratios here are of one day, not annualised; a skewness of 0 and a kurtosis of 3 are normal.
"""

import itertools
from collections.abc import Sequence
from math import ceil, comb, e, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from plan2.foundation.errors import require
from plan2.foundation.values import Float64Array

EULER_MASCHERONI: Final = 0.5772156649015329
DAYS_MIN: Final = 32
"""With fewer days neither a Sharpe ratio nor an overfitting probability says anything."""
_GROUPS: Final = ((64, 16), (DAYS_MIN, 8))
"""Days that are needed for so many groups of the cross-validation."""
SPA_REPETITIONS: Final = 2_000
_CELLS_AT_ONCE: Final = 1_000_000
_NORMAL: Final = NormalDist()

BoolArray = npt.NDArray[np.bool_]


def daily_sharpe(net_r: Float64Array) -> float | None:
    """Mean over standard deviation of daily results; None when they do not vary."""
    deviation = float(net_r.std(ddof=1)) if len(net_r) > 1 else 0.0
    return float(net_r.mean()) / deviation if deviation > 0.0 else None


def expected_best_sharpe(trials: int, variance: float) -> float:
    """The best Sharpe ratio that so many tries without any skill are expected to show.

    Bailey and López de Prado (2014), The Deflated Sharpe Ratio, equation 1; 0 for a single try.

    Args:
        trials: how many independent tries there were, at least 1.
        variance: of the Sharpe ratios of the tries.
    """
    require(trials >= 1, f"a result has at least one trial, found {trials}")
    if trials == 1:
        return 0.0
    usual = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    rare = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * e))
    return sqrt(variance) * ((1.0 - EULER_MASCHERONI) * usual + EULER_MASCHERONI * rare)


def probability_above(
    sharpe: float, benchmark: float, days: int, skewness: float, kurtosis: float
) -> float:
    """The chance that the true Sharpe ratio exceeds a benchmark, given an estimate of it.

    Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier: the probabilistic Sharpe
    ratio. With `expected_best_sharpe` as the benchmark it is the deflated Sharpe ratio (2014).
    """
    spread = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    return _NORMAL.cdf((sharpe - benchmark) * sqrt(days - 1) / sqrt(max(spread, 1e-12)))


def deflated_sharpe(net_r: Float64Array, sharpes: Sequence[float]) -> float | None:
    """The chance that a result is better than the best of as many tries without skill.

    Args:
        net_r: float64[T], results of the days.
        sharpes: the Sharpe ratio of every try on the question, this one among them.

    Returns:
        A probability; None with fewer than `DAYS_MIN` days or without any variation.
    """
    sharpe = daily_sharpe(net_r)
    if sharpe is None or len(net_r) < DAYS_MIN:
        return None
    variance = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    benchmark = expected_best_sharpe(max(1, len(sharpes)), variance)
    scaled = (net_r - net_r.mean()) / net_r.std()
    skewness, kurtosis = float(np.mean(scaled**3)), float(np.mean(scaled**4))
    return probability_above(sharpe, benchmark, len(net_r), skewness, kurtosis)


def overfitting_probability(results: Float64Array) -> float | None:
    """How often the best try of one half of the days is below the median in the other half.

    Combinatorially symmetric cross-validation by Sharpe ratio: Bailey, Borwein, López de Prado and
    Zhu (2017), The Probability of Backtest Overfitting. Days that do not fill a group are left out
    at the start.

    Args:
        results: float64[T, N], one column for each try, one row for each day; tries with the same
            results are one.

    Returns:
        A probability; None with fewer than two tries or `DAYS_MIN` days.
    """
    results = np.unique(results, axis=1)
    groups = next((count for days, count in _GROUPS if len(results) >= days), None)
    if groups is None or results.shape[1] < 2:
        return None
    rows = len(results) // groups
    parts = results[-rows * groups :].reshape(groups, rows, -1)
    sums, squares = parts.sum(axis=1), (parts**2).sum(axis=1)
    halves = itertools.combinations(range(groups), groups // 2)
    inside = np.zeros((comb(groups, groups // 2), groups))
    for row, chosen in enumerate(halves):
        inside[row, list(chosen)] = 1.0
    below = sum(
        int(_is_below_median(piece, sums, squares, rows).sum())
        for piece in np.array_split(inside, ceil(len(inside) * results.shape[1] / _CELLS_AT_ONCE))
    )
    return below / len(inside)


def _is_below_median(
    inside: Float64Array, sums: Float64Array, squares: Float64Array, rows: int
) -> BoolArray:
    """Whether the best try inside is not above the median outside, for each choice of groups."""
    best = np.argmax(_sharpes(inside, sums, squares, rows), axis=1)
    after = _sharpes(1.0 - inside, sums, squares, rows)
    chosen = np.take_along_axis(after, best[:, None], axis=1)
    rank = 0.5 * ((after < chosen).sum(axis=1) + (after <= chosen).sum(axis=1) + 1)
    is_below: BoolArray = rank / (after.shape[1] + 1) <= 0.5
    return is_below


def _sharpes(
    chosen: Float64Array, sums: Float64Array, squares: Float64Array, rows: int
) -> Float64Array:
    """Sharpe ratio of each try over the chosen groups; 0 for one that never changes."""
    count = rows * chosen.sum(axis=1, keepdims=True)
    mean = chosen @ sums / count
    variance = np.maximum(chosen @ squares / count - mean**2, 0.0)
    flat = variance <= 1e-18
    ratios: Float64Array = np.where(flat, 0.0, mean / np.sqrt(np.where(flat, 1.0, variance)))
    return ratios


def superior_ability(
    net_r: Float64Array, baselines: Sequence[Float64Array], block_days: float, seed: int
) -> float | None:
    """The chance of results this good if some baseline were at least as good.

    Hansen (2005), A Test for Superior Predictive Ability, consistent version with a stationary
    bootstrap. A baseline is beaten when its own test rejects; all of them are when the largest
    p-value is small, so that is what is returned.

    Args:
        net_r: float64[T], results of the days; their negatives are the losses.
        baselines: the same for every baseline.
        block_days: mean length of a block, at least the horizon in days.
        seed: of the bootstrap.

    Returns:
        A p-value; None with fewer than `DAYS_MIN` days or without any variation.
    """
    if len(net_r) < DAYS_MIN or daily_sharpe(net_r) is None:
        return None
    # Late, because it brings pandas along.
    from arch.bootstrap import SPA

    block = max(ceil(block_days), ceil(len(net_r) ** (1.0 / 3.0)))
    worst = 0.0
    for other in baselines:
        if np.ptp(other - net_r) <= 1e-12:
            return 1.0  # it does the same as a baseline
        test = SPA(-other, -net_r, block_size=block, reps=SPA_REPETITIONS, seed=seed)
        test.compute()
        worst = max(worst, float(test.pvalues["consistent"]))
    return worst
