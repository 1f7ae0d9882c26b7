"""What the learning routes answer; times microseconds UTC, results in R, losses in nats."""

import msgspec

from plan2.foundation.events.learning import OutcomeRecorded, SampledForecast
from plan2.intelligence.learning.champion_watch import ChampionWatch, Reading
from plan2.intelligence.learning.contests import Contest
from plan2.intelligence.learning.ledger import CANDIDATE, MODEL, Key, Ledger
from plan2.intelligence.learning.loop import LearningLoop
from plan2.intelligence.learning.tracking import Scores
from plan2.intelligence.learning.triggers import RESPONSES, Signal, size_factor_of
from plan2.interface.screen import number_or_none, to_us


class DetectorItem(msgspec.Struct, frozen=True, kw_only=True):
    """One detector; `limit` is where it alarms."""

    detector: str
    signal: str
    statistic: float | None
    limit: float | None
    events: int
    is_on: bool
    is_second_opinion: bool


class SignalItem(msgspec.Struct, frozen=True, kw_only=True):
    """One signal of the table "what triggers what", and whether it is active."""

    signal: str
    is_active: bool
    responses: list[str]


class SymbolLearning(msgspec.Struct, frozen=True, kw_only=True):
    """How a symbol's champion does; `scores` is None before its first outcome."""

    symbol: str
    candidate_id: str
    size_factor: float
    calibration_version: int
    calibration_slope: float
    calibration_intercept: float
    waiting: int
    matched: int
    unmatched: int
    signals: list[SignalItem]
    detectors: list[DetectorItem]
    scores: Scores | None
    models: dict[str, Scores]


class ContestItem(msgspec.Struct, frozen=True, kw_only=True):
    """A challenger against the champion; `history` pairs times with e-values."""

    candidate_id: str
    champion_ids: list[str]
    state: str
    pairs: int
    e_value: float | None
    proof_at: float
    is_better: bool
    is_worse: bool
    mean_difference: float
    days: float
    labels_effective: float
    champion_r: float
    challenger_r: float
    refused: str
    history_us: list[int]
    history_e: list[float | None]


class Learning(msgspec.Struct, frozen=True, kw_only=True):
    """The whole state of the loop."""

    market_us: int
    is_watching_only: bool
    unmatched_share: float | None
    retraining: str
    labels_new: float
    skew_mismatches: int
    symbols: list[SymbolLearning]
    contests: list[ContestItem]


class OutcomeForecast(msgspec.Struct, frozen=True, kw_only=True):
    """What one candidate had said; `abstained` empty = it would have acted."""

    candidate_id: str
    role: str
    p_up: float
    side: int
    abstained: str
    net_r: float | None


class OutcomeItem(msgspec.Struct, frozen=True, kw_only=True):
    """A sampled event and what became of it."""

    position: int
    sample_id: str
    symbol: str
    sampled_us: int
    resolved_us: int
    status: str
    reason: str
    side: int
    net_r_long: float
    net_r_short: float
    cost_r: float
    is_independent: bool
    forecasts: list[OutcomeForecast]


def symbol_item(loop: LearningLoop, symbol: str) -> SymbolLearning:
    """One symbol; what the loop changes meanwhile may or may not be in it."""
    ledger, outcomes = loop.ledger, loop.outcomes[symbol]
    watch = ledger.watches.get(symbol)
    champion = ledger.champions.get(symbol, "")
    line = ledger.line(symbol)
    return SymbolLearning(
        symbol=symbol,
        candidate_id=champion,
        size_factor=size_factor_of(watch.active) if watch is not None else 1.0,
        calibration_version=line.version,
        calibration_slope=line.slope,
        calibration_intercept=line.intercept,
        waiting=outcomes.waiting,
        matched=outcomes.matched,
        unmatched=outcomes.unmatched,
        signals=_signals(watch),
        detectors=[_detector(each) for each in watch.readings()] if watch is not None else [],
        scores=_scores(ledger, Key(CANDIDATE, champion, symbol)),
        models={
            key.name: ledger.scores(key)
            for key in sorted(ledger.tracks.copy())
            if key.kind == MODEL and key.symbol == symbol
        },
    )


def contest_item(contest: Contest, state: str, refused: str, proof_at: float) -> ContestItem:
    """One contest."""
    standing = contest.standing
    return ContestItem(
        candidate_id=standing.candidate_id,
        champion_ids=list(standing.champion_ids),
        state=state,
        pairs=standing.pairs,
        e_value=number_or_none(standing.e_value),
        proof_at=proof_at,
        is_better=standing.is_better,
        is_worse=standing.is_worse,
        mean_difference=standing.mean_difference,
        days=standing.days,
        labels_effective=standing.labels_effective,
        champion_r=standing.champion_r,
        challenger_r=standing.challenger_r,
        refused=refused,
        history_us=[to_us(ts_ns) for ts_ns, _ in standing.history],
        history_e=[number_or_none(value) for _, value in standing.history],
    )


def outcome_item(position: int, outcome: OutcomeRecorded) -> OutcomeItem:
    """A stored outcome."""
    return OutcomeItem(
        position=position,
        sample_id=outcome.sample_id,
        symbol=outcome.symbol,
        sampled_us=to_us(outcome.sampled_ts_ns),
        resolved_us=to_us(outcome.ts_ns),
        status=outcome.status,
        reason=outcome.reason,
        side=outcome.side,
        net_r_long=outcome.net_r_long,
        net_r_short=outcome.net_r_short,
        cost_r=outcome.cost_r,
        is_independent=outcome.is_independent,
        forecasts=[_forecast(outcome, each) for each in outcome.forecasts],
    )


def _forecast(outcome: OutcomeRecorded, said: SampledForecast) -> OutcomeForecast:
    results = {1: outcome.net_r_long, -1: outcome.net_r_short}
    return OutcomeForecast(
        candidate_id=said.candidate_id,
        role=said.role,
        p_up=said.p_up,
        side=said.side,
        abstained=said.abstained,
        net_r=results.get(said.side) if outcome.status == "resolved" else None,
    )


def _signals(watch: ChampionWatch | None) -> list[SignalItem]:
    active = watch.active if watch is not None else set[Signal]()
    return [
        SignalItem(signal=signal, is_active=signal in active, responses=list(response.words()))
        for signal, response in RESPONSES.items()
    ]


def _detector(reading: Reading) -> DetectorItem:
    return DetectorItem(
        detector=reading.detector,
        signal=reading.signal,
        statistic=number_or_none(reading.statistic),
        limit=number_or_none(reading.limit),
        events=reading.events,
        is_on=reading.is_on,
        is_second_opinion=reading.is_second_opinion,
    )


def _scores(ledger: Ledger, key: Key) -> Scores | None:
    return ledger.scores(key) if key in ledger.tracks else None
