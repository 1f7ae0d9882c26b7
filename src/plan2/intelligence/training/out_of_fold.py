"""Forecasts that no forecast event had a part in: walk forward, fit, calibrate on what came before.

Everything that is fitted (scalers, trees, nets, calibration, baselines) is fitted inside the
training rows of its fold. The calibration of a fold uses the out-of-fold forecasts of earlier folds
that were resolved before it began; the first fold has the prior alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.training.baselines import Baselines, baselines_of
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family, FittedModel
from plan2.intelligence.training.forward_calibration import calibrated_forward
from plan2.intelligence.training.seal import visible_rows
from plan2.intelligence.training.splits import Fold, walk_forward

FOLDS = 3
ENSEMBLE = "ensemble"
TRAIN_ROWS_MIN = 60
TEST_ROWS_MIN = 20

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Forecasts for the tested rows, in time order.

    rows: int64[n] of the data set. logits: family → float64[n], raw. calibrated: family →
    float64[n], calibrated log-odds as they could have been known. fitted: family → the model of the
    last fold.
    """

    rows: Int64Array
    logits: dict[str, Float64Array]
    calibrated: dict[str, Float64Array]
    baselines: Baselines
    fitted: dict[str, FittedModel]

    def probabilities(self) -> dict[str, Float64Array]:
        """Family, and "ensemble" for the mean of all log-odds → probability of up, float64[n]."""
        logits = {**self.calibrated, ENSEMBLE: np.mean(list(self.calibrated.values()), axis=0)}
        return {name: 1.0 / (1.0 + np.exp(-values)) for name, values in logits.items()}


def folds_of(dataset: Dataset, embargo_ns: int) -> tuple[Fold, ...]:
    """Three walk-forward folds after the first 40 % of the events that are not sealed.

    Raises:
        InputError: there are too few events to train and test on.
    """
    rows = visible_rows(dataset)
    t0, t1 = dataset.labels["t0"][rows], dataset.labels["t1"][rows]
    folds = tuple(
        Fold(rows[fold.train], rows[fold.test]) for fold in walk_forward(t0, t1, embargo_ns, FOLDS)
    )
    for fold in folds:
        is_varied = len(fold.train) > 0 and 0 < dataset.up[fold.train].mean() < 1
        if len(fold.train) < TRAIN_ROWS_MIN or len(fold.test) < TEST_ROWS_MIN or not is_varied:
            raise InputError(
                f"{len(dataset)} resolved events are too few to train and test on: a fold has "
                f"{len(fold.train)} training and {len(fold.test)} test events, at least "
                f"{TRAIN_ROWS_MIN} and {TEST_ROWS_MIN} of both outcomes are needed.",
                remedy="Import a longer history, about three days of ticks or more.",
            )
    return folds


def forecast_out_of_fold(
    dataset: Dataset,
    folds: Sequence[Fold],
    families: Sequence[Family],
    horizon_bars: int,
    seed: int,
    step: Step,
) -> OutOfFold:
    """Fit every family on every fold; `step` is told what comes next."""
    raw: dict[str, list[Float64Array]] = {family.name: [] for family in families}
    fitted: dict[str, FittedModel] = {}
    for number, fold in enumerate(folds):
        for family in families:
            step(f"{family.name}, fold {number + 1} of {len(folds)}")
            fitted[family.name] = family.fit(dataset, fold.train, seed)
            raw[family.name].append(fitted[family.name].logits(dataset, fold.test))
    rows = np.concatenate([fold.test for fold in folds])
    return OutOfFold(
        rows=rows,
        logits={name: np.concatenate(parts) for name, parts in raw.items()},
        calibrated={name: calibrated_forward(dataset, folds, parts) for name, parts in raw.items()},
        baselines=baselines_of(dataset, folds, horizon_bars),
        fitted=fitted,
    )
