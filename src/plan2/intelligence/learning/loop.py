"""The learning loop: bars in, facts out. Deterministic, synchronous, off the tick path.

    bar note → outcomes that are in → ledger (tracks, drift, contests) → an event at this close?
             → forecasts of champion and challengers, stored and waited for

Whoever owns the loop stores the facts it records, carries out the moves it wishes for, and feeds it
again from the store after a restart (`restore`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import numpy as np

from plan2.foundation.events.base import Event
from plan2.foundation.events.learning import (
    CalibrationRefitted,
    FeatureDriftMeasured,
    ForecastSampled,
    OutcomeRecorded,
    RetrainingAsked,
    SampledForecast,
)
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.learning.ledger import Ledger, Metrics, signals_in
from plan2.intelligence.learning.live_labels import LiveLabeller
from plan2.intelligence.learning.notes import BarNote
from plan2.intelligence.learning.outcomes import RESOLVED, SymbolOutcomes
from plan2.intelligence.learning.retraining import Retraining, RetrainingRules
from plan2.intelligence.learning.shadow import (
    CHALLENGER,
    CHAMPION,
    Shadows,
    Worth,
    sampled_forecast,
)
from plan2.intelligence.learning.triggers import RESPONSES, Signal
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.training.bootstrap import resampled_means
from plan2.intelligence.training.labels import Costs, LabelRules, Tape, open_events
from plan2.intelligence.training.sampling import CusumSampler

UNMATCHED_MAX = 0.001
"""Share of outcomes that may fail to be joined in time before somebody is told."""
MATCHES_LEAST = 20

ChampionOf = Callable[[str], str]
"""Candidate id of a symbol's champion; empty when nobody serves it."""


class LoopPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the loop is built from.

    `record` stores a fact. `worth` says why acting would not pay. `refits`: whether champions get
    a live calibration.
    """

    instruments: Mapping[str, Instrument]
    rules: LabelRules
    champion_of: ChampionOf
    metrics: Metrics
    worth: Worth
    record: Callable[[Event], None]
    retraining: RetrainingRules
    refits: bool = True
    seed: int = 1


class LearningLoop:
    """One market's loop.

    Attributes:
        ledger: tracks, watches, contests, calibrations. shadows: the challengers.
        retraining: of the slot made of all symbols. suspend: symbols whose champion must go.
    """

    def __init__(self, plan: LoopPlan) -> None:
        self._plan = plan
        self.outcomes = {
            symbol: SymbolOutcomes(instrument, plan.rules)
            for symbol, instrument in plan.instruments.items()
        }
        self.ledger = Ledger(plan.rules.horizon_s, plan.metrics, plan.seed, refits=plan.refits)
        self.shadows = Shadows()
        self.suspend: dict[str, str] = {}
        self.retraining: Retraining | None = None
        self.now_ns = 0

    def compile(self) -> None:
        """Have everything compiled before the first tick, on a tape of one tick."""
        first = Tape(np.zeros(1, np.int64), np.ones(1), np.ones(1))
        event = open_events(first, np.ones(1), self._plan.rules)
        LiveLabeller(self._plan.rules, Costs()).take(first, event)
        CusumSampler(1.0).sample(np.ones(1), np.ones(1), np.zeros(1, np.bool_))
        resampled_means(np.ones((2, 7)), 1.0, np.random.default_rng(self._plan.seed), 2)

    def take(self, note: BarNote) -> None:
        """A bar closed."""
        self.now_ns = max(self.now_ns, note.closing.ts_ns)
        self._store(self.ledger.on_day(note.symbol, note.closing.ts_ns))
        shadows = self.shadows.advance(note)
        watch = self.outcomes[note.symbol]
        sampled, outcomes = watch.take(note, lambda: self._forecasts(note, shadows))
        self.absorb(outcomes)
        if sampled is not None and not any(o.sample_id == sampled.sample_id for o in outcomes):
            self._plan.record(sampled)

    def lose(self, reason: str) -> None:
        """Ticks were missed: nothing that waits can be decided any more."""
        for watch in self.outcomes.values():
            self.absorb(watch.lose_all(reason))

    def restore(self, stored: Iterable[Event]) -> dict[str, list[ForecastSampled]]:
        """Fold what earlier runs stored, oldest first; the events that still wait, by symbol."""
        waiting: dict[str, ForecastSampled] = {}
        for event in stored:
            if isinstance(event, ForecastSampled):
                waiting[event.sample_id] = event
            elif isinstance(event, OutcomeRecorded):
                waiting.pop(event.sample_id, None)
                self.ledger.absorb(event)
            elif isinstance(event, CalibrationRefitted):
                self.ledger.adopt_line(event)
            elif isinstance(event, FeatureDriftMeasured):
                self.ledger.measured(event)
            elif isinstance(event, RetrainingAsked):
                self._slot(event.ts_ns).asked(event.ts_ns)
        found: dict[str, list[ForecastSampled]] = {symbol: [] for symbol in self.outcomes}
        for sampled in waiting.values():
            if sampled.symbol in found:
                found[sampled.symbol].append(sampled)
        return found

    def measured(self, found: FeatureDriftMeasured) -> None:
        """Features were held against the training period: write it down, and what follows."""
        self._plan.record(found)
        self._store(self.ledger.measured(found))

    def rebuild(self, symbol: str, waiting: list[ForecastSampled], tape: Tape) -> None:
        """Go on waiting for the events of an earlier run; `tape`: the ticks since the oldest."""
        self.absorb(self.outcomes[symbol].rebuild(waiting, tape))

    @property
    def unmatched(self) -> float | None:
        """Share of outcomes not joined in time; None before twenty."""
        lost = sum(watch.unmatched for watch in self.outcomes.values())
        total = lost + sum(watch.matched for watch in self.outcomes.values())
        return lost / total if total >= MATCHES_LEAST else None

    def retraining_cause(self) -> str:
        """Why a candidate should be asked for now; empty when it should not."""
        return self._slot(self.now_ns).cause(self.now_ns) if self.now_ns else ""

    def asked_for_candidate(self, cause: str) -> None:
        """Write down that a candidate was asked for."""
        slot = self._slot(self.now_ns)
        self._plan.record(
            RetrainingAsked(
                ts_ns=self.now_ns, slot=slot.slot, cause=cause, labels_new=slot.labels_new
            )
        )
        slot.asked(self.now_ns)

    def _slot(self, now_ns: int) -> Retraining:
        if self.retraining is None:
            name = ",".join(sorted(self.outcomes))
            self.retraining = Retraining(name, self._plan.retraining, now_ns)
        return self.retraining

    def _forecasts(
        self, note: BarNote, shadows: Sequence[tuple[str, Forecast]]
    ) -> tuple[SampledForecast, ...]:
        worth, tick, found = self._plan.worth, note.closing, []
        serving = self._plan.champion_of(note.symbol)
        if note.forecast is not None and serving:
            found.append(sampled_forecast(serving, CHAMPION, note.forecast, tick, worth))
        found += [
            sampled_forecast(name, CHALLENGER, forecast, tick, worth) for name, forecast in shadows
        ]
        return tuple(found)

    def absorb(self, outcomes: Iterable[OutcomeRecorded]) -> None:
        """Write outcomes down and let everything follow from them, oldest first."""
        for outcome in outcomes:
            self._plan.record(outcome)
            events = self.ledger.absorb(outcome)
            self._store(events)
            self._respond(outcome, signals_in(events))
            if outcome.status == RESOLVED:
                self._slot(outcome.ts_ns).count(self._share(outcome))

    def _respond(self, outcome: OutcomeRecorded, signals: list[Signal]) -> None:
        for signal in signals:
            self._slot(outcome.ts_ns).on_signal(signal)
            if RESPONSES[signal].suspends:
                self.suspend[outcome.symbol] = f"{signal}: losses beyond the validated limits"

    def _share(self, outcome: OutcomeRecorded) -> float:
        """What a label adds to the effective number: its own length against the horizon's."""
        held_s = (outcome.ts_ns - outcome.sampled_ts_ns) / NS_PER_SECOND
        waiting = self.outcomes[outcome.symbol].waiting
        return min(1.0, held_s / self._plan.rules.horizon_s) / (1.0 + waiting)

    def _store(self, events: Iterable[Event]) -> None:
        for event in events:
            self._plan.record(event)
