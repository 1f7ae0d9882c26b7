"""What a sweep found: the best, what it is worth after so many tries, and how steep it stands."""

import itertools
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from plan2.intelligence.research.heat_map import HeatMap, heat_map
from plan2.intelligence.research.neighbours import cliff_of
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.score import METRICS, Score, value_of
from plan2.intelligence.research.sweep_plan import SweepPlan
from plan2.intelligence.research.trial_ledger import TrialLedger, Tried
from plan2.intelligence.training.multiple_testing import (
    DAYS_MIN,
    deflated_sharpe,
    overfitting_probability,
)

ROWS_MAX: Final = 2_000
"""Trials in the table, the best; the ledger has all of them."""
ROWS_PARTIAL: Final = 50
HEAT_MAPS_MAX: Final = 6
OVERFITTING_TRIALS_MAX: Final = 1_000
"""The probability of overfitting needs a table of every choice of days times every trial."""
DEFLATED_MIN: Final = 0.95
OVERFITTING_MAX: Final = 0.20
"""What a model has to reach as well before it may be called validated."""


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """A trial as the table shows it; `value` is None where the metric cannot be had."""

    point: Point
    value: float | None
    trades: int
    net: float
    max_drawdown: float
    metrics: dict[str, float | None]
    is_whole: bool


class SweepResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a sweep.

    Attributes:
        trials: tried in this sweep; stopped: of them, left early. rows: the best first.
        counted: trials of the question ever, which the deflated value is measured against.
        deflated: the chance that the best is better than the best of so many without skill.
        overfitting: how often the best of half the days was below the median in the other half.
        cliff: share of the best value that its neighbours miss on average, 0 = a plateau.
        days: with quotes.
    """

    metric: str
    method: str
    parameters: tuple[str, ...]
    trials: int
    planned: int
    stopped: int
    counted: int
    days: int
    rows: tuple[TrialRow, ...]
    rows_left_off: int
    best: TrialRow | None
    deflated: float | None
    overfitting: float | None
    cliff: float | None
    heat_maps: tuple[HeatMap, ...]
    verdict: str


def sweep_result(
    plan: SweepPlan, trials: Sequence[Tried], planned: int, ledger: TrialLedger | None
) -> SweepResult:
    """What came of the trials so far.

    Args:
        plan: what was asked for.
        trials: of this sweep.
        planned: how many there will be at most.
        ledger: of the question; None while the sweep goes on, when nothing is judged yet.
    """
    whole = [trial for trial in trials if trial.is_whole]
    ranked = ranked_by(plan.metric, whole)
    values = {id(trial): value_of(trial.score, plan.metric) for trial in whole}
    best = ranked[0] if ranked and values[id(ranked[0])] is not None else None
    pairs = [(trial.point, values[id(trial)]) for trial in whole]
    sharpes = ledger.sharpes() if ledger is not None else []
    deflated = overfitting = None
    if ledger is not None and best is not None:
        deflated = deflated_sharpe(best.score.results, sharpes)
        overfitting = overfitting_of([trial.score for trial in ranked])
    axes = itertools.islice(itertools.combinations(plan.ranges, 2), HEAT_MAPS_MAX)
    stopped = [trial for trial in trials if not trial.is_whole]
    most = ROWS_MAX if ledger is not None else ROWS_PARTIAL
    return SweepResult(
        metric=plan.metric,
        method=plan.method,
        parameters=tuple(each.name for each in plan.ranges),
        trials=len(trials),
        planned=planned,
        stopped=len(stopped),
        counted=len(sharpes),
        days=len(best.score.daily) if best is not None else 0,
        rows=tuple(row_of(trial, plan.metric) for trial in [*ranked, *stopped][:most]),
        rows_left_off=max(0, len(trials) - most),
        best=row_of(best, plan.metric) if best is not None else None,
        deflated=deflated,
        overfitting=overfitting,
        cliff=cliff_of(best.point, pairs, plan.ranges) if best is not None else None,
        heat_maps=tuple(heat_map(x, y, pairs) for x, y in axes),
        verdict=_verdict(best, deflated, overfitting, len(sharpes)) if ledger is not None else "",
    )


def ranked_by(metric: str, trials: Sequence[Tried]) -> list[Tried]:
    """The best first; those without a value last, by what they earned."""
    values = [(value_of(trial.score, metric), trial) for trial in trials]
    known = [(value, trial) for value, trial in values if value is not None]
    unknown = [trial for value, trial in values if value is None]
    known.sort(key=lambda pair: -pair[0])
    return [trial for _, trial in known] + sorted(unknown, key=lambda trial: -trial.score.net)


def row_of(trial: Tried, metric: str) -> TrialRow:
    """A trial as the table shows it."""
    score = trial.score
    return TrialRow(
        point=trial.point,
        value=value_of(score, metric),
        trades=score.trades,
        net=score.net,
        max_drawdown=score.max_drawdown,
        metrics={name: value_of(score, name) for name in METRICS},
        is_whole=trial.is_whole,
    )


def overfitting_of(scores: Sequence[Score]) -> float | None:
    """Probability of overfitting over trials of the same days; of very many, evenly chosen ones."""
    if not scores or len({len(score.daily) for score in scores}) > 1:
        return None
    step = -(-len(scores) // OVERFITTING_TRIALS_MAX)
    return overfitting_probability(np.column_stack([score.results for score in scores[::step]]))


def _verdict(
    best: Tried | None, deflated: float | None, overfitting: float | None, counted: int
) -> str:
    if best is None:
        return "No trial traded enough to be compared: nothing can be said."
    days = len(best.score.daily)
    if deflated is None:
        return (
            f"Insufficient evidence: {days} days with quotes; at least {DAYS_MIN} that vary are "
            f"needed to tell the best of {counted} trials from luck."
        )
    figures = f"{deflated:.0%} sure after {counted} trials on this question"
    if overfitting is not None:
        figures += f", {overfitting:.0%} probability of overfitting"
    is_sound = deflated >= DEFLATED_MIN and (overfitting is None or overfitting <= OVERFITTING_MAX)
    if is_sound and best.score.net > 0.0:
        return f"The best stands out from luck: {figures}. Walk it forward before trusting it."
    return f"The best cannot be told from luck: {figures}."
