"""Logistic regression with an L2 penalty on the same features: the baseline that matters.

Scaling and filling are fitted inside the training rows: columns are standardised by their own mean
and deviation, clipped at ±5, and undefined values become 0, the mean.
"""

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.models.logit_fit import fit_logit
from plan2.intelligence.training.dataset import Dataset

PENALTY = 0.05
CLIP = 5.0


class FittedLogistic:
    """A line through standardised features."""

    def __init__(self, mean: Float64Array, deviation: Float64Array, line: Float64Array) -> None:
        self._mean = mean
        self._deviation = deviation
        self._line = line

    def logits(self, dataset: Dataset, rows: Int64Array) -> Float64Array:
        """Raw log-odds of up, float64[len(rows)]."""
        scaled = _scaled(dataset.values[rows], self._mean, self._deviation)
        logits: Float64Array = scaled @ self._line[:-1] + self._line[-1]
        return logits


def fit_logistic(dataset: Dataset, rows: Int64Array) -> FittedLogistic:
    """Fit on these rows; slopes pay `PENALTY` per effective label, the intercept is free."""
    raw = np.where(np.isfinite(dataset.values[rows]), dataset.values[rows], np.nan)
    is_known = np.isfinite(raw)
    count = np.maximum(is_known.sum(axis=0), 1)
    mean = np.where(is_known, raw, 0.0).sum(axis=0) / count
    variance = (np.where(is_known, raw - mean, 0.0) ** 2).sum(axis=0) / count
    deviation = np.where(variance > 0.0, np.sqrt(variance), 1.0)
    design = np.column_stack([_scaled(raw, mean, deviation), np.ones(len(rows))])
    weights = dataset.weight[rows]
    precision = np.full(design.shape[1], PENALTY * float(weights.sum()))
    precision[-1] = 0.0
    line, _ = fit_logit(design, dataset.up[rows], weights, np.zeros_like(precision), precision)
    return FittedLogistic(mean, deviation, line)


def _scaled(values: Float64Array, mean: Float64Array, deviation: Float64Array) -> Float64Array:
    scaled = np.clip((values - mean) / deviation, -CLIP, CLIP)
    return np.where(np.isfinite(scaled), scaled, 0.0)
