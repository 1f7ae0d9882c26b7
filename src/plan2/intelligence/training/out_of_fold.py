"""Forecasts that no forecast event had a part in: walk forward, fit, calibrate on what came before.

Everything that is fitted (scalers, trees, nets, calibration, baselines) is fitted inside the
training rows of its fold. The calibration of a fold uses the out-of-fold forecasts of earlier folds
that were resolved before it began; the first fold has the prior alone.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.models.calibration import SLOPE_PRIOR_MEAN
from plan2.intelligence.training.baselines import Baselines, baselines_of
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family, FittedModel
from plan2.intelligence.training.forward_calibration import calibrated_forward
from plan2.intelligence.training.paths import path_losses
from plan2.intelligence.training.seal import visible_rows
from plan2.intelligence.training.splits import Fold, walk_forward
from plan2.intelligence.training.stacking import Pool, Stack, earned_stack

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
    last fold. stack: learnt weights of the families in their order here, where they were earned.
    priors: of families whose calibration starts from the slope of the champion's model.
    """

    rows: Int64Array
    logits: dict[str, Float64Array]
    calibrated: dict[str, Float64Array]
    baselines: Baselines
    fitted: dict[str, FittedModel]
    stack: Stack | None = None
    priors: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def prior_of(self, family: str) -> float:
        """The mean of the prior on the slope of a family's calibration."""
        return self.priors.get(family, SLOPE_PRIOR_MEAN)

    def blended(self, logits: Mapping[str, Float64Array]) -> Float64Array:
        """One log-odds of all families' as it is served: the mean, or by the stack's weights."""
        columns = np.column_stack([logits[name] for name in self.calibrated])
        return columns.mean(axis=1) if self.stack is None else columns @ self.stack.weights

    def blend_weights(self) -> dict[str, float]:
        """How much each family counts beside the others, 1.0 in a plain mean."""
        if self.stack is None:
            return dict.fromkeys(self.calibrated, 1.0)
        relative = (self.stack.weights * len(self.stack.weights)).tolist()
        return dict(zip(self.calibrated, relative, strict=True))

    def probabilities(self) -> dict[str, Float64Array]:
        """Family, and "ensemble" for the blend of all log-odds → probability of up, float64[n]."""
        mean = np.mean(list(self.calibrated.values()), axis=0)
        blend = mean if self.stack is None else self.stack.logits
        logits = {**self.calibrated, ENSEMBLE: blend}
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
    calibrated = {name: calibrated_forward(dataset, folds, parts) for name, parts in raw.items()}
    return OutOfFold(
        rows=np.concatenate([fold.test for fold in folds]),
        logits={name: np.concatenate(parts) for name, parts in raw.items()},
        calibrated=calibrated,
        baselines=baselines_of(dataset, folds, horizon_bars),
        fitted=fitted,
    )


def with_priors(
    dataset: Dataset, folds: Sequence[Fold], forecasts: OutOfFold, slopes: Mapping[str, float]
) -> OutOfFold:
    """The same forecasts, calibrated from the champion's slopes where that was better.

    Better is a lower loss walking forward, where the first fold has the prior alone. `slopes` maps
    families to the slope of the model that a new one would follow.
    """
    edges = np.cumsum([len(fold.test) for fold in folds])[:-1]
    up, weight = dataset.up[forecasts.rows], dataset.uniqueness[forecasts.rows]
    calibrated, priors = dict(forecasts.calibrated), dict(forecasts.priors)
    for name in sorted(set(slopes) & set(calibrated)):
        parts = np.split(forecasts.logits[name], edges)
        other = calibrated_forward(dataset, folds, parts, slopes[name])
        losses = path_losses(1.0 / (1.0 + np.exp(-np.array([other, calibrated[name]]))), up, weight)
        if losses[0] < losses[1]:
            calibrated[name], priors[name] = other, slopes[name]
    return dataclasses.replace(forecasts, calibrated=calibrated, priors=priors)


def with_stack(
    dataset: Dataset, folds: Sequence[Fold], forecasts: OutOfFold, embargo_ns: int
) -> OutOfFold:
    """The same forecasts, blended by learnt weights where these have been earned."""
    pool = _pool_of(dataset, folds, forecasts.calibrated)
    return dataclasses.replace(forecasts, stack=earned_stack(pool, embargo_ns))


def _pool_of(
    dataset: Dataset, folds: Sequence[Fold], calibrated: Mapping[str, Float64Array]
) -> Pool:
    rows = np.concatenate([fold.test for fold in folds])
    return Pool(
        logits=np.column_stack(list(calibrated.values())),
        up=dataset.up[rows],
        weight=dataset.uniqueness[rows],
        t0=dataset.labels["t0"][rows],
        t1=dataset.labels["t1"][rows],
        edges=tuple(itertools.accumulate((len(fold.test) for fold in folds[:-1]), initial=0)),
    )
