"""Calibration as it could have been known: each fold's line from the folds before it."""

from collections.abc import Sequence

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.models import calibration
from plan2.intelligence.models.calibration import SLOPE_PRIOR_MEAN, Calibration
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.splits import Fold


def fit_calibration(
    dataset: Dataset,
    rows: Int64Array,
    logits: Float64Array,
    slope_prior: float = SLOPE_PRIOR_MEAN,
) -> Calibration:
    """The calibration that these out-of-fold logits support; labels count by uniqueness."""
    return calibration.fit(logits, dataset.up[rows], dataset.uniqueness[rows], slope_prior)


def calibrated_forward(
    dataset: Dataset,
    folds: Sequence[Fold],
    parts: Sequence[Float64Array],
    slope_prior: float = SLOPE_PRIOR_MEAN,
) -> Float64Array:
    """Calibrated log-odds of all tested rows in order, from the raw ones of each fold.

    A fold's calibration uses forecasts of earlier folds that were resolved before it began; the
    first fold has the prior alone.
    """
    result = []
    for number, fold in enumerate(folds):
        earlier = np.concatenate([np.empty(0, np.int64), *(f.test for f in folds[:number])])
        logits = np.concatenate([np.empty(0), *parts[:number]])
        is_known = dataset.labels["t1"][earlier] < dataset.labels["t0"][fold.test[0]]
        line = fit_calibration(dataset, earlier[is_known], logits[is_known], slope_prior)
        result.append(line.slope * parts[number] + line.intercept)
    return np.concatenate(result)
