"""What the pictures and tables of a report show, as plain numbers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.training.baselines import Baselines
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import FittedModel, Learned
from plan2.intelligence.training.importance import importance_of
from plan2.intelligence.training.metrics import CALIBRATION_BINS, log_losses
from plan2.intelligence.training.out_of_fold import OutOfFold
from plan2.intelligence.training.outcomes import Outcomes, outcomes_of, taken, trades_on
from plan2.intelligence.training.splits import Fold

HISTOGRAM_BINS: Final = 40
BAND_DRAWS: Final = 1_000


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Forecasts of one tenth: their mean, how often up came, and the 95 % band if they are right.

    The band is for as many independent events as the bin is worth (`n_eff`).
    """

    p: float
    observed: float
    low: float
    high: float
    n: int
    n_eff: float


class FoldRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fold: events that were trained on and tested, from when to when (UTC ns) it tested.

    `accuracy` and `log_loss_skill` are by family, "ensemble" among them.
    """

    first_ts_ns: int
    last_ts_ns: int
    train: int
    test: int
    accuracy: dict[str, float]
    log_loss_skill: dict[str, float]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers behind the pictures, by family and "ensemble".

    `equity`: running net result in R after each weekday from `first_weekday` on; "buy and hold" and
    "logistic" are there too. `histogram`: events by forecast, in equal steps between `edges`.
    `importance`: by how much the log loss of the last fold rises when a feature is shuffled, in
    nats. `losses`: mean training loss after each epoch of the last fold's nets.
    """

    first_weekday: int
    equity: dict[str, list[float]]
    reliability: dict[str, list[Bin]]
    edges: list[float]
    histogram: dict[str, list[int]]
    folds: list[FoldRow]
    importance: dict[str, dict[str, float]]
    losses: dict[str, list[float]]


def figures_of(
    dataset: Dataset,
    folds: Sequence[Fold],
    forecasts: OutOfFold,
    feature_names: Sequence[str],
    seed: int,
) -> Figures:
    """Everything that a report draws; `feature_names` are the columns of the data set."""
    rng = np.random.default_rng(seed)
    outcomes = outcomes_of(dataset, forecasts.rows)
    chances = forecasts.probabilities()
    everything = np.concatenate(list(chances.values()))
    edges = np.linspace(float(everything.min()), float(everything.max()) + 1e-9, HISTOGRAM_BINS + 1)
    first, curves = _equity(chances, forecasts.baselines, outcomes)
    return Figures(
        first_weekday=first,
        equity=curves,
        reliability={name: reliability(p, outcomes, rng) for name, p in chances.items()},
        edges=edges.tolist(),
        histogram={name: np.histogram(p, edges)[0].tolist() for name, p in chances.items()},
        folds=_fold_rows(dataset, folds, chances),
        importance=_importance(dataset, folds[-1], forecasts.fitted, feature_names, rng),
        losses={
            name: list(fitted.losses)
            for name, fitted in forecasts.fitted.items()
            if isinstance(fitted, Learned)
        },
    )


def reliability(p: Float64Array, outcomes: Outcomes, rng: np.random.Generator) -> list[Bin]:
    """Ten bins of equal mass with the band that a perfect forecaster stays in."""
    bins = []
    for rows in np.array_split(np.argsort(p, kind="stable"), min(CALIBRATION_BINS, len(p))):
        mean, n_eff = float(p[rows].mean()), float(outcomes.weight[rows].sum())
        count = max(1, round(n_eff))
        low, high = np.quantile(rng.binomial(count, mean, BAND_DRAWS) / count, [0.025, 0.975])
        bins.append(
            Bin(
                p=mean,
                observed=float(outcomes.up[rows].mean()),
                low=float(low),
                high=float(high),
                n=len(rows),
                n_eff=n_eff,
            )
        )
    return bins


def _equity(
    chances: Mapping[str, Float64Array], baselines: Baselines, outcomes: Outcomes
) -> tuple[int, dict[str, list[float]]]:
    always = np.ones(len(outcomes), np.bool_)
    long = baselines.sides()["buy_and_hold"]
    trades = {
        **{name: trades_on(p, outcomes) for name, p in chances.items()},
        "buy and hold": taken(long, always, outcomes),
        "logistic": trades_on(baselines.logistic, outcomes),
    }
    days = {name: each.daily() for name, each in trades.items()}
    first = next(iter(days.values()))[0]
    return first, {name: np.cumsum(net_r).tolist() for name, (_, net_r) in days.items()}


def _fold_rows(
    dataset: Dataset, folds: Sequence[Fold], chances: Mapping[str, Float64Array]
) -> list[FoldRow]:
    ends = np.cumsum([0, *(len(fold.test) for fold in folds)])
    rows = []
    for fold, (start, stop) in zip(folds, pairwise(ends), strict=True):
        up, t0 = dataset.up[fold.test], dataset.labels["t0"][fold.test]
        constant = log_losses(np.full(len(up), up.mean()), up).mean()
        tested = {name: p[start:stop] for name, p in chances.items()}
        rows.append(
            FoldRow(
                first_ts_ns=int(t0[0]),
                last_ts_ns=int(t0[-1]),
                train=len(fold.train),
                test=len(fold.test),
                accuracy={n: float(((p >= 0.5) == (up > 0)).mean()) for n, p in tested.items()},
                log_loss_skill={
                    n: float(1.0 - log_losses(p, up).mean() / constant) if constant > 0.0 else 0.0
                    for n, p in tested.items()
                },
            )
        )
    return rows


def _importance(
    dataset: Dataset,
    fold: Fold,
    fitted: Mapping[str, FittedModel],
    names: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, dict[str, float]]:
    found = {
        family: importance_of(model, dataset, _some(fold.test, rng), names, rng)
        for family, model in fitted.items()
    }
    return {family: table for family, table in found.items() if table}


def _some(rows: Int64Array, rng: np.random.Generator, most: int = 2_000) -> Int64Array:
    """At most so many of the rows, in order."""
    if len(rows) <= most:
        return rows
    return np.sort(rng.choice(rows, most, replace=False))
