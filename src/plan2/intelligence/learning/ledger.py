"""Everything that follows from outcomes: tracks, watches, contests, calibrations.

The state is a fold over stored outcomes: a restart reads them again and stands where it stood. What
follows from an outcome is returned as events; a fold over the past throws them away, because they
are stored already.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from plan2.foundation.events.base import Event
from plan2.foundation.events.learning import (
    CalibrationRefitted,
    DriftStateChanged,
    FeatureDriftMeasured,
    OutcomeRecorded,
    SampledForecast,
)
from plan2.foundation.events.model import ModelAccuracyUpdated
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND
from plan2.intelligence.learning.abstentions import report_of, week_of
from plan2.intelligence.learning.champion_watch import ChampionWatch, Change
from plan2.intelligence.learning.contests import Contest
from plan2.intelligence.learning.live_calibration import LABELS_MAX, LabelledLogit, refit
from plan2.intelligence.learning.outcomes import RESOLVED
from plan2.intelligence.learning.shadow import CHAMPION
from plan2.intelligence.learning.tracking import (
    Scores,
    Track,
    scored_of,
    scores_of,
)
from plan2.intelligence.learning.triggers import RESPONSES, Signal, size_factor_of
from plan2.intelligence.models.ensemble import IDENTITY, LiveLine

Metrics = Callable[[str], Mapping[str, float]]
"""Validated out-of-sample metrics of a candidate; empty when it is not known."""


class Key(NamedTuple):
    """Whose record, and where: a candidate or a model, and a symbol."""

    kind: str
    name: str
    symbol: str


CANDIDATE, MODEL = "candidate", "model"


class Ledger:
    """Folds outcomes.

    Args:
        horizon_s: of the labels, for block lengths and distances.
        metrics: of candidates, for what a champion is held against.
        seed: of everything random. refits: whether champions get a live calibration.
    """

    def __init__(
        self, horizon_s: int, metrics: Metrics, seed: int = 1, *, refits: bool = True
    ) -> None:
        self.horizon_s = horizon_s
        self._metrics = metrics
        self._seed = seed
        self._refits = refits
        self.tracks: dict[Key, Track] = {}
        self.watches: dict[str, ChampionWatch] = {}
        self.contests: dict[str, Contest] = {}
        self.champions: dict[str, str] = {}
        self.lines: dict[str, LiveLine] = {}
        self._labelled: dict[str, deque[LabelledLogit]] = {}
        self._refitted_day: dict[str, int] = {}
        self._day: dict[str, int] = {}
        self._scores: dict[Key, tuple[int, Scores]] = {}

    # --- outcomes -------------------------------------------------------------------------

    def absorb(self, outcome: OutcomeRecorded) -> list[Event]:
        """Take a stored outcome, oldest first; the events that follow from it."""
        if outcome.status != RESOLVED or outcome.side == 0:
            return []
        champion = _champion_of(outcome)
        for forecast in outcome.forecasts:
            self._track(outcome, forecast)
            if champion is not None and forecast.role != CHAMPION and forecast.side:
                contest = self._contest(forecast.candidate_id)
                contest.update(outcome, champion, forecast, self.horizon_s)
        return [] if champion is None else self._watch(outcome, champion)

    def measured(self, found: FeatureDriftMeasured) -> list[Event]:
        """Take a stored measurement of feature drift; the events that follow from it."""
        symbol, candidate_id = found.symbol, found.candidate_id
        if self.champions.get(symbol) != candidate_id:
            self._begin(symbol, candidate_id)
        changes = self.watches[symbol].features_measured(found.bars, len(found.drifted))
        return [self._told(found.ts_ns, symbol, candidate_id, change) for change in changes]

    def widens_novelty(self, symbol: str) -> bool:
        """Whether situations of a symbol count as more unusual than they look."""
        watch = self.watches.get(symbol)
        return watch is not None and any(RESPONSES[each].widens_novelty for each in watch.active)

    def size_factor(self, symbol: str) -> float:
        """By how much new positions of a symbol are scaled."""
        watch = self.watches.get(symbol)
        return size_factor_of(watch.active) if watch is not None else 1.0

    def line(self, symbol: str) -> LiveLine:
        """The live calibration of a symbol's champion."""
        return self.lines.get(symbol, IDENTITY)

    def scores(self, key: Key) -> Scores:
        """A forecaster's record now; the bootstrap takes its time, so ask from a thread."""
        track = self.tracks.get(key)
        if track is None:
            return scores_of([], self.horizon_s, np.random.default_rng(self._seed))
        known = self._scores.get(key)
        if known is None or known[0] != track.added:
            added, scored = track.added, track.since(0)
            rng = np.random.default_rng(self._seed)
            known = self._scores[key] = (added, scores_of(scored, self.horizon_s, rng))
        return known[1]

    # --- days -----------------------------------------------------------------------------

    def on_day(self, symbol: str, now_ns: int) -> list[Event]:
        """What a new UTC day brings: a refit, and measured accuracies; a new week: a report."""
        day, before = now_ns // NS_PER_DAY, self._day.get(symbol)
        self._day[symbol] = day
        if before is None or before == day:
            return []
        events = [*self._refit(symbol, now_ns), *self._accuracies(symbol, now_ns)]
        champion = self.champions.get(symbol)
        is_new_week = week_of(now_ns) != week_of(before * NS_PER_DAY)
        if is_new_week and champion is not None:
            track = self.tracks[Key(CANDIDATE, champion, symbol)]
            report = report_of(symbol, champion, track, now_ns)
            events += [] if report is None else [report]
        return events

    def adopt_line(self, refitted: CalibrationRefitted) -> None:
        """Take up a live calibration that was stored."""
        symbol = refitted.symbol
        if refitted.calibration_version <= self.line(symbol).version:
            return
        if symbol in self.watches:
            self.watches[symbol].refitted(refitted.slope - refitted.slope_before)
        self.lines[symbol] = LiveLine(
            refitted.calibration_version, refitted.slope, refitted.intercept
        )
        self._refitted_day[symbol] = refitted.ts_ns // NS_PER_DAY

    def _refit(self, symbol: str, now_ns: int) -> list[Event]:
        day = now_ns // NS_PER_DAY
        is_done = self._refitted_day.get(symbol) == day
        if is_done or not self._refits or symbol not in self.champions:
            return []
        found = refit(list(self._labelled[symbol]), self.line(symbol))
        if found is None:
            return []
        self._refitted_day[symbol] = day
        self.lines[symbol] = found.line
        self.watches[symbol].refitted(found.line.slope - found.before.slope)
        return [
            CalibrationRefitted(
                ts_ns=now_ns,
                symbol=symbol,
                candidate_id=self.champions[symbol],
                calibration_version=found.line.version,
                slope=found.line.slope,
                intercept=found.line.intercept,
                slope_before=found.before.slope,
                slope_wanted=found.slope_wanted,
                labels=found.labels,
            )
        ]

    def _accuracies(self, symbol: str, now_ns: int) -> list[Event]:
        """The measured accuracy of each model; nothing that the evidence does not carry."""
        found: list[Event] = []
        for key in [key for key in self.tracks if key.kind == MODEL and key.symbol == symbol]:
            accuracy = self.tracks[key].accuracy()
            if accuracy is None:
                continue
            first_ns = self.tracks[key].since(0)[0].t0
            found.append(
                ModelAccuracyUpdated(
                    ts_ns=now_ns,
                    model_id=key.name,
                    accuracy=accuracy,
                    backtest_period=f"{first_ns // NS_PER_SECOND}/{now_ns // NS_PER_SECOND}",
                )
            )
        return found

    # --- parts of an outcome ----------------------------------------------------------------

    def _track(self, outcome: OutcomeRecorded, forecast: SampledForecast) -> None:
        if forecast.side == 0:
            return
        views = {Key(CANDIDATE, forecast.candidate_id, outcome.symbol): forecast.p_up}
        views |= {Key(MODEL, name, outcome.symbol): p for name, p in forecast.votes.items()}
        for key, p in views.items():
            self.tracks.setdefault(key, Track()).add(scored_of(outcome, forecast, p))

    def _contest(self, candidate_id: str) -> Contest:
        """The contest of a challenger; the first pair begins it."""
        found = self.contests.get(candidate_id)
        if found is None:
            found = Contest(candidate_id, self._metrics(candidate_id), self._seed)
            self.contests[candidate_id] = found
        return found

    def _watch(self, outcome: OutcomeRecorded, champion: SampledForecast) -> list[Event]:
        symbol = outcome.symbol
        if self.champions.get(symbol) != champion.candidate_id:
            self._begin(symbol, champion.candidate_id)
        if outcome.is_independent:
            up = 1.0 if outcome.side > 0 else 0.0
            self._labelled[symbol].append(LabelledLogit(champion.logit, up))
        scored = scored_of(outcome, champion, champion.p_up)
        changes = self.watches[symbol].update(scored)
        name, ts_ns = champion.candidate_id, outcome.ts_ns
        events = [self._told(ts_ns, symbol, name, change) for change in changes]
        if any(change.is_active and RESPONSES[change.signal].refits for change in changes):
            events += self._refit(symbol, ts_ns)
        return events

    def _begin(self, symbol: str, candidate_id: str) -> None:
        """Another champion serves: it is judged by itself alone."""
        is_first = symbol not in self.champions
        self.champions[symbol] = candidate_id
        rng = np.random.default_rng(self._seed)
        self.watches[symbol] = ChampionWatch(self._metrics(candidate_id), rng)
        self._labelled[symbol] = deque(maxlen=LABELS_MAX)
        if not is_first:
            self.lines.pop(symbol, None)
            self._refitted_day.pop(symbol, None)

    def _told(self, ts_ns: int, symbol: str, candidate_id: str, change: Change) -> Event:
        reading = change.reading
        return DriftStateChanged(
            ts_ns=ts_ns,
            symbol=symbol,
            candidate_id=candidate_id,
            signal=change.signal.value,
            is_active=change.is_active,
            detector=reading.detector,
            statistic=reading.statistic,
            limit=reading.limit,
            events=reading.events,
            size_factor=self.size_factor(symbol),
            responses=RESPONSES[change.signal].words() if change.is_active else (),
        )


def _champion_of(outcome: OutcomeRecorded) -> SampledForecast | None:
    found = (each for each in outcome.forecasts if each.role == CHAMPION and each.side)
    return next(found, None)


def signals_in(events: Iterable[Event]) -> list[Signal]:
    """The signals that rose."""
    return [
        Signal(event.signal)
        for event in events
        if isinstance(event, DriftStateChanged) and event.is_active
    ]
