"""Simple rules at the same events, with the same costs and sizes: what a model has to beat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.training import metrics
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.logistic import fit_logistic
from plan2.intelligence.training.forward_calibration import calibrated_forward
from plan2.intelligence.training.outcomes import Outcomes, taken, trades_on
from plan2.intelligence.training.splits import Fold

SHIFTS = 500

Change = Callable[[Float64Array], Float64Array]
"""From mids of bars to their changes, both float64[m]."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How one rule did on the same events, costs and sizes: hit rate and mean net result in R."""

    accuracy: float
    net_r_mean: float
    log_loss: float | None = None


@dataclass(frozen=True, slots=True)
class Baselines:
    """What simple rules said at the same events: a side of +1 or -1 each, and a logistic model.

    last_direction, momentum, majority: int64[n]. logistic: float64[n] probabilities.
    """

    majority: Int64Array
    last_direction: Int64Array
    momentum: Int64Array
    logistic: Float64Array

    def sides(self) -> dict[str, Int64Array]:
        """The side that each rule takes at every event; holding the symbol is always long."""
        return {
            "majority": self.majority,
            "last_direction": self.last_direction,
            "momentum": self.momentum,
            "buy_and_hold": np.ones(len(self.majority), np.int64),
            "logistic": np.where(self.logistic >= 0.5, 1, -1),
        }


def baselines_of(dataset: Dataset, folds: Sequence[Fold], horizon_bars: int) -> Baselines:
    """The rules' forecasts of the tested rows; what has to be fitted sees the fold's training rows.

    Momentum is the sign of an exponentially weighted mean of past changes of the mid, with a
    half-life of half the horizon. The logistic model is calibrated as every family is.
    """
    rows = np.concatenate([fold.test for fold in folds])
    logits = [fit_logistic(dataset, fold.train).logits(dataset, fold.test) for fold in folds]
    return Baselines(
        majority=np.concatenate([_majority(dataset, fold) for fold in folds]),
        last_direction=_at_events(dataset, rows, _last_change),
        momentum=_at_events(dataset, rows, lambda mid: _smoothed_change(mid, horizon_bars / 2.0)),
        logistic=1.0 / (1.0 + np.exp(-calibrated_forward(dataset, folds, logits))),
    )


def baseline_scores(
    baselines: Baselines, outcomes: Outcomes, random_side: Score
) -> dict[str, Score]:
    """Every rule's score; doing nothing is right never and pays nothing."""
    up = outcomes.up
    scores = {
        name: Score(
            accuracy=float(((side > 0) == (up > 0)).mean()),
            net_r_mean=float(outcomes.results(side).mean()),
            log_loss=float(metrics.log_losses(baselines.logistic, up).mean())
            if name == "logistic"
            else None,
        )
        for name, side in baselines.sides().items()
    }
    flat = Score(accuracy=0.0, net_r_mean=0.0)
    return {**scores, "random_side": random_side, "flat": flat}


def baseline_days(baselines: Baselines, outcomes: Outcomes) -> list[Float64Array]:
    """Net result in R of every rule per weekday, doing nothing included: float64[T] each.

    One position per symbol at a time, as for a model. The logistic model has probabilities and so
    trades only where it is worth it; the others have none and take every event.
    """
    every = np.ones(len(outcomes), np.bool_)
    days = [
        trades_on(baselines.logistic, outcomes).daily()[1]
        if name == "logistic"
        else taken(side, every, outcomes).daily()[1]
        for name, side in baselines.sides().items()
    ]
    return [*days, np.zeros(len(days[0]))]


def random_side(
    side: Int64Array, outcomes: Outcomes, rng: np.random.Generator
) -> tuple[Score, float]:
    """How the same sides do at other times, and how often they pay as much there.

    The sides are moved around the circle of events by random distances, so they keep how they
    cluster and how many are long, and lose what they knew about their own event.
    """
    n, up = len(outcomes), outcomes.up > 0
    long = outcomes.results(np.ones(n, np.int64))
    short = outcomes.results(-np.ones(n, np.int64))
    paid = float(outcomes.results(side).mean())
    hits, means = np.empty(SHIFTS), np.empty(SHIFTS)
    for k, distance in enumerate(rng.integers(1, max(2, n), SHIFTS)):
        is_long = np.roll(side, distance) > 0
        hits[k] = (is_long == up).mean()
        means[k] = np.where(is_long, long, short).mean()
    score = Score(accuracy=float(hits.mean()), net_r_mean=float(means.mean()))
    return score, float((means >= paid - 1e-12).sum() + 1) / (SHIFTS + 1)


def _majority(dataset: Dataset, fold: Fold) -> Int64Array:
    side = 1 if dataset.up[fold.train].mean() >= 0.5 else -1
    return np.full(len(fold.test), side, np.int64)


def _at_events(dataset: Dataset, rows: Int64Array, change_of: Change) -> Int64Array:
    """The sign of a change of the mid that was known at each event; up when there is none."""
    side = np.empty(len(rows), np.int64)
    for code, samples in enumerate(dataset.series):
        mine = np.flatnonzero(dataset.symbol[rows] == code)
        bars = samples.event_bar[dataset.event[rows[mine]]]
        side[mine] = np.where(change_of(samples.mid)[bars] >= 0.0, 1, -1)
    return side


def _last_change(mid: Float64Array) -> Float64Array:
    return np.diff(mid, prepend=mid[:1])


def _smoothed_change(mid: Float64Array, half_life_bars: float) -> Float64Array:
    """Exponentially weighted mean of the changes up to each bar, float64[m]."""
    keep = 0.5 ** (1.0 / max(half_life_bars, 1e-9))
    smoothed, mean = np.empty(len(mid)), 0.0
    for bar, change in enumerate(_last_change(mid)):
        mean = keep * mean + (1.0 - keep) * change
        smoothed[bar] = mean
    return smoothed
