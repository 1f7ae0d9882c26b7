"""The honest verdict on out-of-sample forecasts: proper scores, intervals, baselines, flags.

Skill is measured against the best constant forecast in hindsight, the strictest one. A verdict of
skill needs a 95 % interval above zero and as many effective events as the observed accuracy needs
to be shown at all; everything between that and proven absence is "insufficient evidence".
"""

import enum
from collections.abc import Sequence

import msgspec
import numpy as np

from plan2.foundation.values import NS_PER_SECOND, Float64Array, Int64Array
from plan2.intelligence.training import metrics
from plan2.intelligence.training.baselines import (
    Baselines,
    Score,
    baseline_days,
    baseline_scores,
    random_side,
)
from plan2.intelligence.training.bootstrap import (
    Interval,
    block_length,
    interval_of,
    resampled_means,
)
from plan2.intelligence.training.multiple_testing import (
    daily_sharpe,
    deflated_sharpe,
    overfitting_probability,
    superior_ability,
)
from plan2.intelligence.training.outcomes import (
    Outcomes,
    Trades,
    TradeSummary,
    stress_intervals,
    summary_of,
    trades_on,
)
from plan2.intelligence.training.trials import Trial

LEAK_ACCURACY = 0.55
LEAK_EVENTS = 500
LEAK_SHARPE = 3.0
LEAK_SHARPE_TRADES = 200
EVENTS_MIN = 100
SECONDS_PER_DAY = 86_400


class Verdict(enum.StrEnum):
    """What the evidence allows to say."""

    SKILL = "skill"
    NO_SKILL = "no skill"
    INSUFFICIENT = "insufficient evidence"


class Flag(enum.StrEnum):
    """Something a person should know before believing a report.

    PLANTED_EDGE: as good as a leak would make it, and explained by what is planted in the simulated
    market: whoever knows that would be right as often, or more.
    """

    LEAK_SUSPECT = "LEAK_SUSPECT"
    PLANTED_EDGE = "PLANTED_EDGE"
    UNCALIBRATED = "UNCALIBRATED"


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One family's, or the ensemble's, out-of-sample report.

    `n` events count `n_eff` independent ones; `n_required` is how many the observed accuracy would
    need to be shown. `random_side_p` is the chance that random sides at the same times pay as much.
    `calibration_null` is the error that a perfect forecaster stays below in 95 of 100 cases.
    `stress` is the mean net result in R of a trade by multiple of the real cost ("1", "1.5", "2")
    and with entries one tick "late"; empty for few trades. `dsr`, `pbo`, `spa_p`
    (`multiple_testing`) and `trials`, the tries on the question so far, are None when there is
    nothing to compute them from, and so is the skill on the sealed block until it is opened.
    `skill_vs_champion` (`rival`) is of the ensemble alone, None without a champion or with too few
    events that neither had a part in. `lead_on_planted` is by how much more often the forecasts are
    right than whoever knows what is planted in a simulated market, None where that is not known.
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
    stress: dict[str, Interval]
    skill_vs_logistic: Interval
    baselines: dict[str, Score]
    verdict: Verdict
    flags: tuple[Flag, ...]
    dsr: float | None
    pbo: float | None
    spa_p: float | None
    trials: int | None
    sealed_log_loss_skill: float | None = None
    skill_vs_champion: Interval | None = None
    lead_on_planted: Interval | None = None

    @property
    def planted_accuracy(self) -> float | None:
        """How often whoever knows what is planted in a simulated market is right."""
        lead = self.lead_on_planted
        return None if lead is None else self.accuracy.value - lead.value


def evaluate(
    p: Float64Array,
    outcomes: Outcomes,
    baselines: Baselines,
    horizon_s: int,
    seed: int,
    tried: Sequence[Trial] = (),
) -> Evaluation:
    """Judge probabilities of up, float64[n], of events without a part in them, among `tried`."""
    rng = np.random.default_rng(seed)
    side = np.where(p >= 0.5, 1, -1)
    columns = _per_event(p, side, outcomes, baselines)
    block = block_length(outcomes.labels["t0"], horizon_s * NS_PER_SECOND)
    means, samples = columns.mean(axis=0), resampled_means(columns, block, rng)
    n_eff = float(outcomes.weight.sum())
    accuracy = interval_of(float(means[5]), samples[:, 5])
    skill = _skill(means[[0, 1]], samples[:, [0, 1]])
    taken = trades_on(p, outcomes)
    trades = summary_of(taken)
    error, null = metrics.calibration_error(p, outcomes.up), metrics.calibration_null(p, n_eff, rng)
    required = metrics.required_events(accuracy.value)
    random, random_side_p = random_side(side, outcomes, rng)
    dsr, pbo = _corrected(taken, tried)
    lead = _against_planted(side, outcomes, block, seed)
    return Evaluation(
        n=len(p),
        n_eff=n_eff,
        n_required=required if np.isfinite(required) else None,
        base_rate=float(outcomes.up.mean()),
        log_loss=float(means[0]),
        log_loss_skill=skill,
        brier_skill=_skill(means[[3, 4]], samples[:, [3, 4]]),
        accuracy=accuracy,
        auc=metrics.auc(p, outcomes.up),
        calibration_error=error,
        calibration_null=null,
        net_r=interval_of(float(means[6]), samples[:, 6]),
        random_side_p=random_side_p,
        trades=trades,
        stress=stress_intervals(taken, horizon_s, rng),
        skill_vs_logistic=_skill(means[[0, 2]], samples[:, [0, 2]]),
        baselines=baseline_scores(baselines, outcomes, random),
        verdict=verdict_of(skill, n_eff, required),
        flags=flags_of(accuracy.value, n_eff, trades, error > null, lead),
        dsr=dsr,
        pbo=pbo,
        spa_p=_superior(taken, baselines, horizon_s, seed),
        trials=len(tried) or None,
        lead_on_planted=lead,
    )


def _per_event(
    p: Float64Array, side: Int64Array, outcomes: Outcomes, baselines: Baselines
) -> Float64Array:
    """What the intervals are made of, float64[n, 7]: losses, hits and results in R."""
    up = outcomes.up
    constant = np.full(len(p), up.mean())
    return np.column_stack(
        [
            metrics.log_losses(p, up),
            metrics.log_losses(constant, up),
            metrics.log_losses(baselines.logistic, up),
            metrics.brier_losses(p, up),
            metrics.brier_losses(constant, up),
            (side > 0) == (up > 0),
            outcomes.results(side),
        ]
    ).astype(np.float64)


def verdict_of(skill: Interval, n_eff: float, n_required: float) -> Verdict:
    """Skill, its absence, or not enough evidence for either."""
    if skill.high < 0.0 and n_eff >= EVENTS_MIN:
        return Verdict.NO_SKILL
    if skill.low > 0.0 and n_eff >= max(EVENTS_MIN, n_required):
        return Verdict.SKILL
    return Verdict.INSUFFICIENT


def flags_of(
    accuracy: float,
    n_eff: float,
    trades: TradeSummary,
    is_uncalibrated: bool,
    lead: Interval | None = None,
) -> tuple[Flag, ...]:
    """Results too good to be believed without a leak audit, and a miscalibration beyond chance.

    `lead`: on whoever knows what is planted, where that is known. Forecasts that are no better than
    that by more than chance explains need no leak to be so good.
    """
    is_too_accurate = accuracy > LEAK_ACCURACY and n_eff >= LEAK_EVENTS
    is_too_profitable = (
        trades.sharpe is not None
        and trades.sharpe > LEAK_SHARPE
        and trades.trades >= LEAK_SHARPE_TRADES
    )
    flags = []
    if is_too_accurate or is_too_profitable:
        is_explained = lead is not None and lead.low <= 0.0
        flags.append(Flag.PLANTED_EDGE if is_explained else Flag.LEAK_SUSPECT)
    if is_uncalibrated:
        flags.append(Flag.UNCALIBRATED)
    return tuple(flags)


def _against_planted(
    side: Int64Array, outcomes: Outcomes, block: float, seed: int
) -> Interval | None:
    """By how much more often these sides are right than whoever knows what is planted.

    Where nothing is planted, a coin decides: half a hit. The bootstrap draws both hits of an event
    together.
    """
    if outcomes.planted is None:
        return None
    truth = np.where(outcomes.up > 0, 1.0, -1.0)
    knowing = np.where(outcomes.planted == 0.0, 0.5, outcomes.planted == truth)
    ahead = ((side == truth) - knowing)[:, None]
    samples = resampled_means(ahead, block, np.random.default_rng(seed))
    return interval_of(float(ahead.mean()), samples[:, 0])


def _skill(means: Float64Array, samples: Float64Array) -> Interval:
    """One minus the ratio of the model's mean loss to the constant's."""
    if means[1] == 0.0:
        return Interval(0.0, 0.0, 0.0)
    ratios = samples[:, 0] / np.maximum(samples[:, 1], 1e-12)
    return interval_of(float(1.0 - means[0] / means[1]), 1.0 - ratios)


def _superior(taken: Trades, baselines: Baselines, horizon_s: int, seed: int) -> float | None:
    """The largest p-value of Hansen's test against each simple rule's daily results."""
    rules = baseline_days(baselines, taken.outcomes)
    return superior_ability(taken.daily()[1], rules, horizon_s / SECONDS_PER_DAY, seed)


def _corrected(taken: Trades, tried: Sequence[Trial]) -> tuple[float | None, float | None]:
    """Deflated Sharpe ratio among all tries; overfitting among those tested on the same days."""
    if not tried:
        return None, None
    first, daily = taken.daily()
    dsr = deflated_sharpe(daily, [daily_sharpe(each.results) or 0.0 for each in tried])
    results = [each.on(first, len(daily)) for each in tried]
    columns = [result for result in results if result is not None]
    return dsr, overfitting_probability(np.column_stack(columns)) if columns else None
