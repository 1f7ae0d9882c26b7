"""The honest verdict on out-of-sample forecasts: proper scores, intervals, baselines, flags.

Skill is measured against the best constant forecast in hindsight, the strictest one. A verdict of
skill needs a 95 % interval above zero and as many effective events as the observed accuracy needs
to be shown at all; everything between that and proven absence is "insufficient evidence".
"""

import enum
from dataclasses import dataclass

import msgspec
import numpy as np

from plan2.foundation.values import NS_PER_SECOND, Float64Array, Int64Array
from plan2.intelligence.training import metrics
from plan2.intelligence.training.bootstrap import (
    Interval,
    block_length,
    interval_of,
    resampled_means,
)
from plan2.intelligence.training.outcomes import Outcomes, TradeSummary, trade_summary

LEAK_ACCURACY = 0.55
LEAK_EVENTS = 500
LEAK_SHARPE = 3.0
LEAK_SHARPE_TRADES = 200
EVENTS_MIN = 100
PERMUTATIONS = 500


class Verdict(enum.StrEnum):
    """What the evidence allows to say."""

    SKILL = "skill"
    NO_SKILL = "no skill"
    INSUFFICIENT = "insufficient evidence"


class Flag(enum.StrEnum):
    """Something a person should look at before believing a report."""

    LEAK_SUSPECT = "LEAK_SUSPECT"
    UNCALIBRATED = "UNCALIBRATED"


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How one rule did on the same events, costs and sizes: hit rate and mean net result in R."""

    accuracy: float
    net_r_mean: float
    log_loss: float | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One family's, or the ensemble's, out-of-sample report.

    `n` events count `n_eff` independent ones; `n_required` is how many the observed accuracy would
    need to be shown. `random_side_p` is the chance that random sides at the same times pay as much.
    `calibration_null` is the error that a perfect forecaster stays below in 95 of 100 cases.
    """

    n: int
    n_eff: float
    n_required: float | None
    base_rate: float
    log_loss: float
    log_loss_skill: Interval
    brier_skill: Interval
    accuracy: Interval
    auc: float
    calibration_error: float
    calibration_null: float
    net_r: Interval
    random_side_p: float
    trades: TradeSummary
    baselines: dict[str, Score]
    verdict: Verdict
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Baselines:
    """What simple rules said at the same events: a side of +1 or -1 each, and a logistic model.

    last_direction, momentum, majority: int64[n]. logistic: float64[n] probabilities.
    """

    majority: Int64Array
    last_direction: Int64Array
    momentum: Int64Array
    logistic: Float64Array


def evaluate(
    p: Float64Array, outcomes: Outcomes, baselines: Baselines, horizon_s: int, seed: int
) -> Evaluation:
    """Judge probabilities of up, float64[n], that no judged event had a part in."""
    rng = np.random.default_rng(seed)
    up = outcomes.up
    constant = np.full(len(p), up.mean())
    side = np.where(p >= 0.5, 1, -1)
    columns = np.column_stack(
        [
            metrics.log_losses(p, up),
            metrics.log_losses(constant, up),
            metrics.brier_losses(p, up),
            metrics.brier_losses(constant, up),
            (side > 0) == (up > 0),
            outcomes.results(side),
        ]
    ).astype(np.float64)
    block = block_length(outcomes.labels["t0"], horizon_s * NS_PER_SECOND)
    means, samples = columns.mean(axis=0), resampled_means(columns, block, rng)
    n_eff = float(outcomes.weight.sum())
    accuracy = interval_of(float(means[4]), samples[:, 4])
    skill = _skill(means[:2], samples[:, :2])
    trades = trade_summary(p, outcomes)
    error = metrics.calibration_error(p, up)
    null = metrics.calibration_null(p, n_eff, rng)
    required = metrics.required_events(accuracy.value)
    return Evaluation(
        n=len(p),
        n_eff=n_eff,
        n_required=required if np.isfinite(required) else None,
        base_rate=float(constant[0]),
        log_loss=float(means[0]),
        log_loss_skill=skill,
        brier_skill=_skill(means[2:4], samples[:, 2:4]),
        accuracy=accuracy,
        auc=metrics.auc(p, up),
        calibration_error=error,
        calibration_null=null,
        net_r=interval_of(float(means[5]), samples[:, 5]),
        random_side_p=_random_side_p(float(means[5]), outcomes, rng),
        trades=trades,
        baselines=_baseline_scores(baselines, outcomes),
        verdict=verdict_of(skill, n_eff, required),
        flags=flags_of(accuracy.value, n_eff, trades, error > null),
    )


def verdict_of(skill: Interval, n_eff: float, n_required: float) -> Verdict:
    """Skill, its absence, or not enough evidence for either."""
    if skill.high < 0.0 and n_eff >= EVENTS_MIN:
        return Verdict.NO_SKILL
    if skill.low > 0.0 and n_eff >= max(EVENTS_MIN, n_required):
        return Verdict.SKILL
    return Verdict.INSUFFICIENT


def flags_of(
    accuracy: float, n_eff: float, trades: TradeSummary, is_uncalibrated: bool
) -> tuple[Flag, ...]:
    """Results too good to be believed without a leak audit, and a miscalibration beyond chance."""
    is_too_accurate = accuracy > LEAK_ACCURACY and n_eff >= LEAK_EVENTS
    is_too_profitable = (
        trades.sharpe is not None
        and trades.sharpe > LEAK_SHARPE
        and trades.trades >= LEAK_SHARPE_TRADES
    )
    flags = []
    if is_too_accurate or is_too_profitable:
        flags.append(Flag.LEAK_SUSPECT)
    if is_uncalibrated:
        flags.append(Flag.UNCALIBRATED)
    return tuple(flags)


def _skill(means: Float64Array, samples: Float64Array) -> Interval:
    """One minus the ratio of the model's mean loss to the constant's."""
    if means[1] == 0.0:
        return Interval(0.0, 0.0, 0.0)
    ratios = samples[:, 0] / np.maximum(samples[:, 1], 1e-12)
    return interval_of(float(1.0 - means[0] / means[1]), 1.0 - ratios)


def _random_side_p(net_r: float, outcomes: Outcomes, rng: np.random.Generator) -> float:
    long = outcomes.results(np.ones(len(outcomes), np.int64))
    short = outcomes.results(-np.ones(len(outcomes), np.int64))
    as_good = 0
    for _ in range(PERMUTATIONS):
        as_good += float(np.where(rng.random(len(long)) < 0.5, long, short).mean()) >= net_r
    return (as_good + 1) / (PERMUTATIONS + 1)


def _baseline_scores(baselines: Baselines, outcomes: Outcomes) -> dict[str, Score]:
    up = outcomes.up
    sides = {
        "majority": baselines.majority,
        "last_direction": baselines.last_direction,
        "momentum": baselines.momentum,
        "buy_and_hold": np.ones(len(outcomes), np.int64),
        "logistic": np.where(baselines.logistic >= 0.5, 1, -1),
    }
    scores = {
        name: Score(
            accuracy=float(((side > 0) == (up > 0)).mean()),
            net_r_mean=float(outcomes.results(side).mean()),
            log_loss=float(metrics.log_losses(baselines.logistic, up).mean())
            if name == "logistic"
            else None,
        )
        for name, side in sides.items()
    }
    return {**scores, "flat": Score(accuracy=0.0, net_r_mean=0.0)}
