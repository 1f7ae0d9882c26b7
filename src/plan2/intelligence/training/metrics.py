"""Scores of probability forecasts; proper scores first, hit rates only with their intervals.

`p` is float64[n], the probability of up; `y` is float64[n], 1 for up and 0 for down.
"""

from math import ceil

import numpy as np

from plan2.foundation.values import Float64Array

CALIBRATION_BINS = 10
NULL_DRAWS = 500
_Z_ONE_SIDED_5 = 1.6448536269514722
_Z_POWER_80 = 0.8416212335729143


def log_losses(p: Float64Array, y: Float64Array) -> Float64Array:
    """Negative log likelihood of each outcome, in nats."""
    kept = np.clip(p, 1e-6, 1.0 - 1e-6)
    losses: Float64Array = -(y * np.log(kept) + (1.0 - y) * np.log1p(-kept))
    return losses


def brier_losses(p: Float64Array, y: Float64Array) -> Float64Array:
    """Squared difference between probability and outcome."""
    losses: Float64Array = (p - y) ** 2
    return losses


def auc(p: Float64Array, y: Float64Array) -> float:
    """Chance that a random up event was given a higher probability than a random down event.

    Mann-Whitney statistic with mean ranks for ties; 0.5 when one class is missing.
    """
    ups = float(y.sum())
    downs = len(y) - ups
    if ups == 0 or downs == 0:
        return 0.5
    _, group, counts = np.unique(p, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2.0)[group]
    return float((ranks[y == 1].sum() - ups * (ups + 1) / 2.0) / (ups * downs))


def calibration_error(p: Float64Array, y: Float64Array, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error over bins of equal mass."""
    order = np.argsort(p, kind="stable")
    total = 0.0
    for rows in np.array_split(order, min(bins, len(p))):
        total += abs(float(p[rows].mean() - y[rows].mean())) * len(rows)
    return total / len(p)


def calibration_null(p: Float64Array, n_eff: float, rng: np.random.Generator) -> float:
    """The 95 % point of the calibration error that a perfect forecaster would show.

    Outcomes are drawn from the forecasts themselves, for as many rows as there are effective
    labels: a perfectly calibrated forecaster's error is far from zero on few labels.
    """
    mass = max(1, round(n_eff / CALIBRATION_BINS))
    drawn = np.sort(rng.choice(p, (NULL_DRAWS, CALIBRATION_BINS * mass)), axis=1)
    outcome = rng.random(drawn.shape) < drawn
    gaps = (drawn - outcome).reshape(NULL_DRAWS, CALIBRATION_BINS, mass).mean(axis=2)
    return float(np.quantile(np.abs(gaps).mean(axis=1), 0.95))


def required_events(accuracy: float) -> float:
    """Independent events needed to show an accuracy above one half.

    One-sided test at 5 % with 80 % power, normal approximation:
    n = ((z₀.₉₅·½ + z₀.₈₀·√(a(1−a))) / (a − ½))²; infinite when there is no edge.
    """
    if accuracy <= 0.5:
        return float("inf")
    spread = np.sqrt(accuracy * (1.0 - accuracy))
    return float(((_Z_ONE_SIDED_5 * 0.5 + _Z_POWER_80 * spread) / (accuracy - 0.5)) ** 2)


def max_drawdown(results: Float64Array) -> float:
    """The deepest fall of the running sum from its peak, as a positive number."""
    curve = np.concatenate([[0.0], np.cumsum(results)])
    return float(np.max(np.maximum.accumulate(curve) - curve))


POWER_TABLE = {
    accuracy: ceil(required_events(accuracy)) for accuracy in (0.51, 0.52, 0.53, 0.54, 0.55)
}
"""Independent events needed to show an accuracy."""
