"""How well forecasts did: per candidate, per model, per symbol, always with intervals.

Everything is computed from a bounded window of resolved outcomes when somebody asks. Counts are
effective counts; while there are fewer than the power table demands, the verdict is "insufficient
evidence" and no figure may be read as an edge.
"""

from collections import deque
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from plan2.foundation.events.learning import OutcomeRecorded, SampledForecast
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, Float64Array
from plan2.intelligence.models.calibration import PROBABILITY_EDGE
from plan2.intelligence.models.logit_fit import fit_logit
from plan2.intelligence.training.bootstrap import (
    Interval,
    block_length,
    interval_of,
    resampled_means,
)
from plan2.intelligence.training.metrics import (
    brier_losses,
    log_losses,
    required_events,
)
from plan2.intelligence.training.weights import uniqueness

WINDOW = 2_000
"""Resolved events that are looked back upon."""
LEAST = 30
"""Fewer events than this have no intervals."""
Z_95 = 1.959963984540054
INSUFFICIENT, SHOWN, NONE = "insufficient_evidence", "edge_shown", "no_edge"
SESSIONS = {"asia": (0, 7), "london": (7, 13), "new_york": (13, 21), "late": (21, 24)}
"""Hours UTC by the market that is awake."""


class Scored(NamedTuple):
    """One resolved, decided event as one forecaster saw it; times UTC ns, results in R."""

    t0: int
    t1: int
    p: float
    up: float
    result: float  # of the better side
    cost: float
    is_acted: bool
    is_independent: bool


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Logistic regression of outcomes on the forecast's logit: perfect is slope 1, intercept 0."""

    slope: Interval
    intercept: Interval


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """One bin of equal mass of the reliability diagram."""

    forecast: float
    observed: float
    count: int


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """A forecaster's record over the window; losses in nats, results in R per event.

    `skill`: by how much the log loss is below that of the base rate, as a fraction. `n_required`:
    independent events that the observed accuracy takes to be shown, None without any edge.
    `abstained`: fraction; `abstained_r`: mean result that acting on the abstentions would have had.
    """

    events: int
    n_eff: float
    independent: int
    verdict: str
    n_required: float | None = None
    accuracy: Interval | None = None
    log_loss: Interval | None = None
    skill: Interval | None = None
    brier: Interval | None = None
    net_r: Interval | None = None
    cost_r: float | None = None
    abstained: float | None = None
    abstained_r: Interval | None = None
    calibration: Calibration | None = None
    sessions: dict[str, Calibration] = {}
    reliability: tuple[Bin, ...] = ()


class Track:
    """The window of one forecaster at one symbol; adding is O(1).

    Attributes:
        added: how many outcomes were ever added; tells whether scores are still those of now.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self.added = 0
        self._scored: deque[Scored] = deque(maxlen=window)

    def __len__(self) -> int:
        return len(self._scored)

    def add(self, scored: Scored) -> None:
        """Add the newest outcome; the oldest beyond the window is forgotten."""
        self.added += 1
        self._scored.append(scored)

    def since(self, t0_ns: int) -> list[Scored]:
        """Outcomes of events at or after a time; another thread may add some meanwhile."""
        return [each for each in self._scored.copy() if each.t0 >= t0_ns]

    def accuracy(self) -> float | None:
        """Share of right forecasts; None while the evidence does not carry one."""
        if len(self._scored) < LEAST:
            return None
        right = [(each.p >= 0.5) == (each.up > 0.5) for each in self._scored]
        found = float(np.mean(right))
        return found if _effective(self._scored) >= required_events(found) else None


def scored_of(outcome: OutcomeRecorded, forecast: SampledForecast, p: float) -> Scored:
    """How an outcome looks to one forecaster; `p` is its probability of up."""
    is_long = p >= 0.5
    return Scored(
        outcome.sampled_ts_ns,
        outcome.ts_ns,
        p,
        1.0 if outcome.side > 0 else 0.0,
        outcome.net_r_long if is_long else outcome.net_r_short,
        outcome.cost_r,
        not forecast.abstained,
        outcome.is_independent,
    )


def scores_of(scored: Sequence[Scored], horizon_s: int, rng: np.random.Generator) -> Scores:
    """Figures of resolved events in time order."""
    independent = sum(each.is_independent for each in scored)
    if len(scored) < LEAST:
        return Scores(
            events=len(scored), n_eff=_effective(scored), independent=independent,
            verdict=INSUFFICIENT,
        )  # fmt: skip
    columns = np.array(scored, np.float64)
    p, up, result, cost, acted = (columns[:, k] for k in range(2, 7))
    n_eff = _effective(scored)
    right = np.asarray((p >= 0.5) == (up > 0.5), np.float64)
    base = np.full(len(p), np.clip(up.mean(), 1e-3, 1.0 - 1e-3))
    losses = np.column_stack([right, log_losses(p, up), log_losses(base, up), brier_losses(p, up),
                              result, (1.0 - acted) * result, 1.0 - acted])  # fmt: skip
    t0 = np.array([each.t0 for each in scored], np.int64)
    draws = resampled_means(losses, block_length(t0, horizon_s * NS_PER_SECOND), rng)
    means = losses.mean(axis=0)
    accuracy = interval_of(float(means[0]), draws[:, 0])
    needed = required_events(accuracy.value)
    return Scores(
        events=len(scored),
        n_eff=n_eff,
        independent=independent,
        verdict=verdict_of(accuracy, n_eff),
        n_required=needed if np.isfinite(needed) else None,
        accuracy=accuracy,
        log_loss=interval_of(float(means[1]), draws[:, 1]),
        skill=interval_of(float(1.0 - means[1] / means[2]), 1.0 - draws[:, 1] / draws[:, 2]),
        brier=interval_of(float(means[3]), draws[:, 3]),
        net_r=interval_of(float(means[4]), draws[:, 4]),
        cost_r=float(cost.mean()),
        abstained=float(means[6]),
        abstained_r=_ratio(means[5], means[6], draws[:, 5], draws[:, 6]),
        calibration=calibration_of(scored),
        sessions=_by_session(scored),
        reliability=_reliability(p, up),
    )


def verdict_of(accuracy: Interval, n_eff: float) -> str:
    """What the record shows; too little of it shows nothing."""
    if n_eff < required_events(accuracy.value):
        return INSUFFICIENT
    return SHOWN if accuracy.low > 0.5 else NONE


def calibration_of(scored: Sequence[Scored]) -> Calibration | None:
    """Slope and intercept with their 95 % intervals; overlapping labels count once.

    None with too few events, or when forecasts or outcomes do not vary.
    """
    if len(scored) < LEAST:
        return None
    p = np.clip([each.p for each in scored], PROBABILITY_EDGE, 1.0 - PROBABILITY_EDGE)
    up = np.array([each.up for each in scored])
    logit = np.log(p / (1.0 - p))
    if logit.std() < 1e-9 or up.min() == up.max():
        return None
    line, covariance = fit_logit(
        np.column_stack([logit, np.ones_like(logit)]), up, _uniqueness(scored),
        np.array([1.0, 0.0]), np.array([_FLAT, _FLAT]),
    )  # fmt: skip
    sd = Z_95 * np.sqrt(np.diag(covariance))
    slope, intercept = (Interval(float(c), float(c - w), float(c + w))
                        for c, w in zip(line, sd, strict=True))  # fmt: skip
    return Calibration(slope=slope, intercept=intercept)


_FLAT = 1e-4
"""Precision of a prior that says next to nothing, but keeps separable data finite."""


def _uniqueness(scored: Collection[Scored]) -> Float64Array:
    return uniqueness(
        np.array([each.t0 for each in scored], np.int64),
        np.array([each.t1 for each in scored], np.int64),
    )


def _effective(scored: Collection[Scored]) -> float:
    return float(_uniqueness(scored).sum()) if scored else 0.0


def _by_session(scored: Sequence[Scored]) -> dict[str, Calibration]:
    found = {}
    for name, (first, stop) in SESSIONS.items():
        there = [each for each in scored if first <= each.t0 // NS_PER_HOUR % 24 < stop]
        fitted = calibration_of(there)
        if fitted is not None:
            found[name] = fitted
    return found


def _ratio(top: float, bottom: float, tops: Float64Array, bottoms: Float64Array) -> Interval | None:
    """A mean over part of the events; None when there are none."""
    if bottom == 0.0:
        return None
    kept = bottoms > 0.0
    return interval_of(float(top / bottom), tops[kept] / bottoms[kept])


def _reliability(p: Float64Array, up: Float64Array) -> tuple[Bin, ...]:
    order = np.argsort(p, kind="stable")
    return tuple(
        Bin(forecast=float(p[rows].mean()), observed=float(up[rows].mean()), count=len(rows))
        for rows in np.array_split(order, min(10, len(p) // 10))
    )
