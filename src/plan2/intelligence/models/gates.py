"""The gates of the life cycle as one table: which conditions lead into which state.

Thresholds: specification ml.md §8. A figure that is missing is a condition that is not met; nothing
is assumed. DSR: Bailey & López de Prado 2014. PBO: Bailey et al. 2017.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from plan2.intelligence.models.candidate_files import PARITY_SHARE
from plan2.intelligence.models.lifecycle import Candidate, State

LEAK_SUSPECT: Final = "LEAK_SUSPECT"
PLANTED_EDGE: Final = "PLANTED_EDGE"
PLANTED_ACCURACY: Final = "planted_accuracy"
"""Metric: how often whoever knows what is planted in a simulated market is right."""
SAME_CODE: Final = "same_code"
"""Metric: 1 when the program that trained it is this one, whose canaries the release ran."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What watching a candidate beside the champion has shown.

    `weeks` it was watched, `effective_labels` resolved; `e_value` of the test on paired log-loss
    differences, in favour and against; `skewed`: decisions whose served features differ from the
    replayed ones; `latency_ms`: p99 of its forecasts; `is_better_after_cost`: after the fixed
    horizon not inferior, with a better result after cost. `ids` name the stored facts behind it.
    """

    weeks: float
    effective_labels: float
    e_value: float
    e_value_against: float
    skewed: int
    latency_ms: float
    is_better_after_cost: bool = False
    ids: tuple[str, ...] = ()


class Evidence(Protocol):
    """Where the learning loop says what it has seen."""

    def of(self, candidate_id: str) -> Watched | None:
        """What is known about a candidate that is being watched; from memory."""
        ...


class NoEvidence:
    """Nothing is being watched."""

    def of(self, candidate_id: str) -> Watched | None:  # noqa: ARG002 - nobody is known
        """None."""
        return None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a gate, whether it is met, and with which figure."""

    name: str
    is_met: bool
    sentence: str


Condition = Callable[[Candidate, Watched | None], Finding]


def findings(candidate: Candidate, to: State, watched: Watched | None) -> tuple[Finding, ...]:
    """Every condition of the gate into `to`, met or not; empty when the state has no gate."""
    return tuple(condition(candidate, watched) for condition in GATES.get(to, ()))


def leak_finding(candidate: Candidate, *, is_planted: bool = False) -> Finding:
    """Whether its figures are too good to be believed; nobody may pass over this one.

    `is_planted`: on a market whose structure is planted. There a leak is what knows more than that,
    where it could be measured; where it could not, nothing is held against a candidate.
    """
    if LEAK_SUSPECT in candidate.flags:
        is_measured = PLANTED_ACCURACY in candidate.metrics
        if is_planted and is_measured:
            text = "suspected of a leak: it knows more than is planted in this market; audit it"
        elif is_planted:
            text = "the simulated market has a planted edge; on real data this would stop promotion"
        else:
            text = "suspected of a leak: audit it first"
        return Finding(name="leak", is_met=is_planted and not is_measured, sentence=text)
    if PLANTED_EDGE in candidate.flags:
        text = "the simulated market has a planted edge; on real data this would stop promotion"
        return Finding(name="leak", is_met=is_planted, sentence=text)
    return Finding(name="leak", is_met=True, sentence="no suspicion of a leak")


def _at_least(metric: str, limit: float, words: str) -> Condition:
    return lambda candidate, _: _compare(metric, candidate.metrics.get(metric), limit, words, 1)


def _at_most(metric: str, limit: float, words: str) -> Condition:
    return lambda candidate, _: _compare(metric, candidate.metrics.get(metric), limit, words, -1)


def _above(metric: str, words: str) -> Condition:
    def condition(candidate: Candidate, _: Watched | None) -> Finding:
        found = candidate.metrics.get(metric)
        if found is None:
            return _missing(metric, words)
        text = f"{words} {found:+.4g}, more than 0 is needed"
        return Finding(name=metric, is_met=found > 0.0, sentence=text)

    return condition


def _skill(candidate: Candidate, _: Watched | None) -> Finding:
    """Better than a plain linear model, or than the champion it would follow."""
    words = "lower bound of the skill against logistic regression"
    rivals = {"skill_vs_logistic_low": words, "skill_vs_champion_low": "… against the champion"}
    known = {name: candidate.metrics[name] for name in rivals if name in candidate.metrics}
    if not known:
        return _missing("skill", words)
    best = max(known, key=lambda name: known[name])
    text = f"{rivals[best]} {known[best]:+.4g}, more than 0 is needed"
    return Finding(name="skill", is_met=known[best] > 0.0, sentence=text)


def _same_code(candidate: Candidate, _: Watched | None) -> Finding:
    is_met = candidate.metrics.get(SAME_CODE) == 1.0
    text = "trained by this version of the program, whose canaries ran"
    if not is_met:
        text = "trained by another version of the program: train again"
    return Finding(name="canaries", is_met=is_met, sentence=text)


def _leak(candidate: Candidate, _: Watched | None) -> Finding:
    return leak_finding(candidate)


def _watched(
    name: str, words: str, figure: Callable[[Watched], float], limit: float, sign: int
) -> Condition:
    def condition(_: Candidate, watched: Watched | None) -> Finding:
        return _compare(name, None if watched is None else figure(watched), limit, words, sign)

    return condition


def _wins(_: Candidate, watched: Watched | None) -> Finding:
    """The e-process is decided, or the fixed horizon passed with a better result after cost."""
    words = "e-value in favour against the champion"
    if watched is None:
        return _missing("e_value", words)
    if watched.is_better_after_cost:
        text = f"{words} {watched.e_value:.3g}; not inferior and better after cost"
        return Finding(name="e_value", is_met=True, sentence=text)
    return _compare("e_value", watched.e_value, E_VALUE_MIN, words, 1)


def _compare(name: str, found: float | None, limit: float, words: str, sign: int) -> Finding:
    if found is None or math.isinf(found):  # nothing was measured since the start
        return _missing(name, words)
    need = "at least" if sign > 0 else "at most"
    return Finding(
        name=name,
        is_met=sign * found >= sign * limit,
        sentence=f"{words} {found:.4g}, {need} {limit:g} is needed",
    )


def _missing(name: str, words: str) -> Finding:
    return Finding(name=name, is_met=False, sentence=f"{words}: no evidence yet")


E_VALUE_MIN: Final = 20.0
LATENCY_MAX_MS: Final = 3.0
"""All models, cold (ML-061)."""

GATES: Final[Mapping[State, tuple[Condition, ...]]] = {
    State.VALIDATED: (
        _at_most(PARITY_SHARE, 1.0, "difference of ONNX and trained model, share of the limit"),
        _same_code,
        _skill,
        _at_least("dsr", 0.95, "deflated Sharpe ratio"),
        _at_most("pbo", 0.20, "probability of backtest overfitting"),
        _above("net_r_low_1_5x", "lower bound of the result in R at 1.5 times the cost"),
        _leak,
    ),
    State.CANARY: (
        _watched("weeks", "weeks in the shadow", lambda w: w.weeks, 2.0, 1),
        _watched("labels", "effective labels", lambda w: w.effective_labels, 300.0, 1),
        _watched("skew", "decisions with skewed features", lambda w: float(w.skewed), 0.0, -1),
        _watched("latency", "forecast p99 in ms", lambda w: w.latency_ms, LATENCY_MAX_MS, -1),
        _watched("against", "e-value against it", lambda w: w.e_value_against, E_VALUE_MIN, -1),
        _leak,
    ),
    State.CHAMPION: (_wins, _leak),
}
"""State → what must hold to enter it on the usual way; SHADOW asks for VALIDATED alone."""
