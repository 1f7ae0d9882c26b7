"""Champion and challenger side by side, and when the difference is proof.

Every pair comes from one event that both forecast; pairs of one contest lie at least one horizon
apart, over all symbols together, because markets move together. The test may be looked at any time
(`eprocess.PairedTest`). A contest begins anew when the champion it is held against changes.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from plan2.foundation.events.learning import OutcomeRecorded, SampledForecast
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND
from plan2.intelligence.learning.eprocess import PairedTest
from plan2.intelligence.learning.hard_limits import COST_R, LossWatch, loss_limits
from plan2.intelligence.learning.tracking import Scored, scored_of
from plan2.intelligence.models.lifecycle import State
from plan2.intelligence.training.weights import uniqueness

SHADOW_DAYS = 14.0
SHADOW_LABELS = 300.0
SHOWN_VALUES = 400
"""Points kept of the e-value over time; beyond that every other one is dropped."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a contest stands; `mean_difference` nats per event, positive: the challenger is better.

    `champion_r`, `challenger_r`: mean net result per pair in R. `history`: (UTC ns, e-value).
    `loss_limit`: which limit its losses are beyond now ("drawdown", "losing_streak"), or nothing.
    """

    candidate_id: str
    champion_ids: tuple[str, ...]
    pairs: int
    e_value: float
    is_better: bool
    is_worse: bool
    mean_difference: float
    days: float
    labels_effective: float
    champion_r: float
    challenger_r: float
    history: tuple[tuple[int, float], ...] = ()
    loss_limit: str = ""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a standing: where the challenger moves (None = it stays), and why."""

    to: State | None
    verdict: str
    reason: str


class Contest:
    """One challenger against whoever serves its symbols.

    `validated` are its out-of-sample metrics, which say what losses luck explains; a coin's where
    one is missing.
    """

    def __init__(
        self, candidate_id: str, validated: Mapping[str, float] | None = None, seed: int = 1
    ) -> None:
        self.candidate_id = candidate_id
        known = validated or {}
        rng = np.random.default_rng(seed)
        accuracy, cost_r = known.get("accuracy", 0.5), known.get("cost_share", COST_R)
        self._limits = loss_limits(accuracy, cost_r, rng)
        self._restart()

    def _restart(self) -> None:
        self._test = PairedTest()
        self._champions: dict[str, str] = {}
        self._next_pair_ns = 0
        self._first_ns = self._last_ns = 0
        self._effective = 0.0
        self._recent: dict[str, list[Scored]] = {}
        self._results = [0.0, 0.0]
        self._losses = LossWatch(self._limits)
        self._loss_limit = ""
        self._history: list[tuple[int, float]] = []
        self._keep_every = 1

    def update(
        self, outcome: OutcomeRecorded, champion: SampledForecast, challenger: SampledForecast,
        horizon_s: int,
    ) -> None:  # fmt: skip
        """Take a resolved, decided event that both forecast, oldest first."""
        if self._champions.setdefault(outcome.symbol, champion.candidate_id) != (
            champion.candidate_id
        ):
            self._restart()
            self._champions[outcome.symbol] = champion.candidate_id
        theirs = scored_of(outcome, champion, champion.p_up)
        ours = scored_of(outcome, challenger, challenger.p_up)
        self._first_ns = self._first_ns or ours.t0
        self._last_ns = max(self._last_ns, ours.t1)
        self._count(outcome.symbol, ours, horizon_s)
        if ours.t0 < self._next_pair_ns:
            return
        self._next_pair_ns = ours.t0 + horizon_s * NS_PER_SECOND
        self._test.update(_loss(theirs) - _loss(ours))
        self._results[0] += theirs.result if theirs.is_acted else 0.0
        self._results[1] += ours.result if ours.is_acted else 0.0
        if ours.is_acted:
            self._loss_limit = self._losses.update(ours.result)
        self._keep(ours.t1)

    @property
    def standing(self) -> Standing:
        """How it stands now."""
        pairs = max(1, self._test.pairs)
        return Standing(
            candidate_id=self.candidate_id,
            champion_ids=tuple(sorted(set(self._champions.values()))),
            pairs=self._test.pairs,
            e_value=self._test.value,
            is_better=self._test.is_better,
            is_worse=self._test.is_worse,
            mean_difference=self._test.mean,
            days=(self._last_ns - self._first_ns) / NS_PER_DAY,
            labels_effective=self._effective + sum(map(_effective, self._recent.values())),
            champion_r=self._results[0] / pairs,
            challenger_r=self._results[1] / pairs,
            history=tuple(self._history),
            loss_limit=self._loss_limit,
        )

    def _count(self, symbol: str, scored: Scored, horizon_s: int) -> None:
        """Effective labels, in blocks that no label of a later block overlaps much."""
        recent = self._recent.setdefault(symbol, [])
        if recent and scored.t0 > recent[0].t0 + 10 * horizon_s * NS_PER_SECOND:
            self._effective += _effective(recent)
            recent.clear()
        recent.append(scored)

    def _keep(self, ts_ns: int) -> None:
        if self._test.pairs % self._keep_every == 0:
            self._history.append((ts_ns, self._test.value))
        if len(self._history) > SHOWN_VALUES:
            self._history = self._history[::2]
            self._keep_every *= 2


def judge(standing: Standing, state: State, skew_mismatches: int) -> Judgement:
    """Gates of the specification (ml.md §8) for SHADOW and CANARY.

    The automatic way up needs proof. "Not inferior after a fixed time" is left to a person: applied
    by itself it would promote every other equal challenger.
    """
    if standing.is_worse:
        return Judgement(to=State.REJECTED, verdict="worse", reason=_words(standing))
    if state is State.SHADOW:
        return _judge_shadow(standing, skew_mismatches)
    if state is State.CANARY and standing.loss_limit:
        reason = f"losses beyond the validated limits ({standing.loss_limit}); {_words(standing)}"
        return Judgement(to=State.SUSPENDED, verdict="hard_limit", reason=reason)
    if state is State.CANARY and standing.is_better:
        return Judgement(to=State.CHAMPION, verdict="better", reason=_words(standing))
    return Judgement(to=None, verdict="undecided", reason=_words(standing))


def _judge_shadow(standing: Standing, skew_mismatches: int) -> Judgement:
    missing = []
    if standing.days < SHADOW_DAYS:
        missing.append(f"{standing.days:.1f} of {SHADOW_DAYS:.0f} days")
    if standing.labels_effective < SHADOW_LABELS:
        missing.append(f"{standing.labels_effective:.0f} of {SHADOW_LABELS:.0f} effective labels")
    if skew_mismatches:
        missing.append(f"{skew_mismatches} served vectors that a replay does not confirm")
    if missing:
        return Judgement(to=None, verdict="insufficient_evidence", reason=", ".join(missing))
    return Judgement(to=State.CANARY, verdict="not_worse", reason=_words(standing))


def evidence_of(standing: Standing) -> tuple[str, ...]:
    """The figures of a move, as `name=value`."""
    figures = {
        "e_value": standing.e_value,
        "pairs": standing.pairs,
        "mean_difference": standing.mean_difference,
        "days": standing.days,
        "labels_effective": standing.labels_effective,
        "champion_r": standing.champion_r,
        "challenger_r": standing.challenger_r,
    }
    return tuple(f"{name}={value:.6g}" for name, value in figures.items())


def _words(standing: Standing) -> str:
    return (
        f"e-value {standing.e_value:.3g} after {standing.pairs} pairs, mean log-loss difference "
        f"{standing.mean_difference:+.5f} against {', '.join(standing.champion_ids) or 'nobody'}"
    )


def _loss(scored: Scored) -> float:
    p = min(max(scored.p, 1e-6), 1.0 - 1e-6)
    return -math.log(p if scored.up > 0.5 else 1.0 - p)


def _effective(scored: Sequence[Scored]) -> float:
    if not scored:
        return 0.0
    t0 = np.array([each.t0 for each in scored], np.int64)
    t1 = np.array([each.t1 for each in scored], np.int64)
    return float(uniqueness(t0, t1).sum())
