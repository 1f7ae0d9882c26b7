"""Backtest paths of a combinatorial purged split: several whole histories instead of one.

Each path forecasts every row once, from models that had no part in it; how much the paths differ
says how far a result may be believed (López de Prado, Advances in Financial Machine Learning,
ch. 12). Candidates are chosen by the whole distribution, not by one mean.
"""

from collections.abc import Sequence

import numpy as np

from plan2.foundation.errors import require
from plan2.foundation.values import Float64Array
from plan2.intelligence.training.metrics import log_losses
from plan2.intelligence.training.splits import Fold


def along_paths(folds: Sequence[Fold], parts: Sequence[Float64Array], rows: int) -> Float64Array:
    """Forecasts put together to paths: float64[paths, rows].

    Path p takes the p-th forecast that each row got, in the order of the folds.

    Args:
        folds: of `splits.combinatorial` over rows 0 … rows − 1.
        parts: for each fold the forecasts of its tested rows.
        rows: how many there are.
    """
    tested = np.bincount(np.concatenate([fold.test for fold in folds]), minlength=rows)
    count = int(tested.max())
    require(bool((tested == count).all()), "every path tests every row once")
    paths, seen = np.empty((count, rows)), np.zeros(rows, np.int64)
    for fold, part in zip(folds, parts, strict=True):
        paths[seen[fold.test], fold.test] = part
        seen[fold.test] += 1
    return paths


def path_losses(chances: Float64Array, up: Float64Array, weights: Float64Array) -> Float64Array:
    """Weighted mean log loss of every path, nats: float64[paths].

    Args:
        chances: float64[paths, rows], probabilities of up.
        up: float64[rows], 1 or 0.
        weights: float64[rows], how much each label counts.
    """
    losses = np.array([log_losses(chance, up) for chance in chances])
    mean: Float64Array = losses @ weights / weights.sum()
    return mean


def ranking_loss(losses: Float64Array) -> float:
    """What candidates are ranked by, less is better: mean plus deviation over the paths."""
    return float(losses.mean() + losses.std(ddof=1))


def is_better_on_all(losses: Float64Array, others: Float64Array) -> bool:
    """Whether a candidate is better than another one on every path."""
    return bool(np.all(losses < others))
