"""Outcomes of live forecasts, acted and abstained alike, joined as ticks arrive.

Events are chosen as in training (CUSUM over closed bars) and labelled by the same functions. One
event per horizon is marked independent: only those feed tests and detectors, because overlapping
labels share their outcome and make every detector an alarm machine (specification, ml.md §8).
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from plan2.foundation.events.learning import (
    ForecastSampled,
    OutcomeRecorded,
    SampledForecast,
)
from plan2.foundation.ids import derived_id
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.learning.live_labels import LiveLabeller
from plan2.intelligence.learning.notes import BarNote
from plan2.intelligence.training.assemble import EVENT_THRESHOLD
from plan2.intelligence.training.labels import (
    LABEL,
    LONG,
    SHORT,
    LabelRows,
    LabelRules,
    Row,
    Status,
    Tape,
    costs_of,
    open_events,
)
from plan2.intelligence.training.sampling import CusumSampler

RESOLVED, UNTRADEABLE = "resolved", "untradeable"
INTERRUPTED, LOST = "interrupted", "lost"
_WORDS = {
    Status.RESOLVED: (RESOLVED, ""),
    Status.UNTRADEABLE: (UNTRADEABLE, "the barrier is not worth the cost"),
    Status.INTERRUPTED: (INTERRUPTED, "the feed had a hole within the horizon"),
    Status.PENDING: (LOST, "more ticks came within the horizon than may be held"),
}
GRACE_S = 60
"""An outcome is joined within the horizon and this; later counts as unmatched."""

Forecasts = Callable[[], tuple[SampledForecast, ...]]
"""Asks everybody for a forecast; only called at an event."""


class SymbolOutcomes:
    """One symbol's live events, from the forecast to the outcome.

    Attributes:
        matched, unmatched: joined in time; lost, or joined later than horizon + 60 s.
    """

    def __init__(self, instrument: Instrument, rules: LabelRules) -> None:
        self.symbol = instrument.symbol
        self.matched = self.unmatched = 0
        self._instrument = instrument
        self._rules = rules
        self._sampler = CusumSampler(EVENT_THRESHOLD)
        self._labeller: LiveLabeller | None = None
        self._waiting: dict[int, ForecastSampled] = {}
        self._next_independent_ns = 0

    @property
    def waiting(self) -> int:
        """Events without an outcome yet."""
        return len(self._waiting)

    @property
    def ticks_held(self) -> int:
        """Ticks that the waiting events need."""
        return self._labeller.ticks_held if self._labeller is not None else 0

    def take(
        self, note: BarNote, ask: Forecasts
    ) -> tuple[ForecastSampled | None, list[OutcomeRecorded]]:
        """Add a bar's ticks: the event at its close, if there is one, and outcomes that are in."""
        labeller = self._labeller_at(float(note.tape.bid[0]))
        sampled = self._sample(note, ask)
        opened = np.zeros(0, LABEL)
        if sampled is not None:
            opened = self._open(sampled, note)
            self._waiting[sampled.ts_ns] = sampled
        rows = labeller.take(note.tape, opened)
        is_waiting = sampled is not None and sampled.ts_ns not in rows["t0"]  # worth its cost
        if sampled is not None and is_waiting and sampled.is_independent:
            self._next_independent_ns = sampled.ts_ns + sampled.horizon_s * NS_PER_SECOND
        # The closing tick ends a silence of any length; how late we are is told by the one before.
        return sampled, self._outcomes(rows, int(note.tape.ts_ns[-2:][0]))

    def rebuild(self, waiting: Sequence[ForecastSampled], tape: Tape) -> list[OutcomeRecorded]:
        """Go on with events of an earlier run, given the ticks since; what is lost says so.

        The tape must begin at or before the oldest event; events before its first tick are lost.
        """
        first_ns = int(tape.ts_ns[0]) if len(tape.ts_ns) else None
        kept = [each for each in waiting if first_ns is not None and each.ts_ns >= first_ns]
        known = {each.ts_ns for each in kept}
        lost = [each for each in waiting if each.ts_ns not in known]
        outcomes = [self._lost(each, "its ticks could not be had again") for each in lost]
        if not kept:
            return outcomes
        self._waiting.update((each.ts_ns, each) for each in kept)
        independent = [each for each in kept if each.is_independent]
        if independent:
            last = max(independent, key=lambda each: each.ts_ns)
            self._next_independent_ns = last.ts_ns + last.horizon_s * NS_PER_SECOND
        labeller = self._labeller_at(float(tape.bid[0]))
        rows = labeller.take(tape, _reopened(kept))
        return outcomes + self._outcomes(rows, 0)  # the time without us is nobody's delay

    def lose_all(self, reason: str) -> list[OutcomeRecorded]:
        """Give up every waiting event: ticks are missing that would decide it."""
        if self._labeller is not None:
            self._labeller.give_up()
        lost = [self._lost(each, reason) for each in self._waiting.values()]
        self._waiting.clear()
        return lost

    def _labeller_at(self, bid: float) -> LiveLabeller:
        if self._labeller is None:
            self._labeller = LiveLabeller(self._rules, costs_of(self._instrument, bid))
        return self._labeller

    def _sample(self, note: BarNote, ask: Forecasts) -> ForecastSampled | None:
        moment, tick = note.moment, note.closing
        sigma = moment.sigma if moment.ready else np.nan
        is_event = self._sampler.sample(
            np.array([tick.mid]), np.array([sigma]), np.array([moment.gap_reset])
        )
        if not is_event[0]:
            return None
        row = self._row(tick.ts_ns, tick.bid, tick.ask, sigma)[0]
        return ForecastSampled(
            ts_ns=tick.ts_ns,
            sample_id=derived_id("sample", tick.symbol, tick.ts_ns, tick.seq),
            symbol=tick.symbol,
            mid=float(row["mid"]),
            spread=float(row["spread"]),
            sigma=float(row["sigma"]),
            barrier=float(row["barrier"]),
            horizon_s=self._rules.horizon_s,
            is_independent=tick.ts_ns >= self._next_independent_ns,
            forecasts=ask(),
        )

    def _open(self, sampled: ForecastSampled, note: BarNote) -> LabelRows:
        tick = note.closing
        return self._row(tick.ts_ns, tick.bid, tick.ask, sampled.sigma)

    def _row(self, ts_ns: int, bid: float, ask: float, sigma: float) -> LabelRows:
        tape = Tape(np.array([ts_ns]), np.array([bid]), np.array([ask]))
        return open_events(tape, np.array([sigma]), self._rules)

    def _outcomes(self, rows: LabelRows, seen_ns: int) -> list[OutcomeRecorded]:
        return [self._outcome(row, seen_ns) for row in rows if int(row["t0"]) in self._waiting]

    def _outcome(self, row: Row, seen_ns: int) -> OutcomeRecorded:
        sampled = self._waiting.pop(int(row["t0"]))
        status, reason = _WORDS[Status(int(row["status"]))]
        due_ns = sampled.ts_ns + (sampled.horizon_s + GRACE_S) * NS_PER_SECOND
        is_matched = status in {RESOLVED, UNTRADEABLE} and seen_ns <= due_ns
        self.matched += is_matched
        self.unmatched += not is_matched and status != INTERRUPTED
        return outcome_of(sampled, row, status, reason)

    def _lost(self, sampled: ForecastSampled, reason: str) -> OutcomeRecorded:
        self.unmatched += 1
        return outcome_of(sampled, np.zeros(1, LABEL)[0], LOST, reason)


def outcome_of(sampled: ForecastSampled, row: Row, status: str, reason: str) -> OutcomeRecorded:
    """The stored fact of a label; results are zero unless it is resolved."""
    is_known = status == RESOLVED
    unit = sampled.barrier if is_known else 1.0  # what is not known is zero in any unit
    return OutcomeRecorded(
        ts_ns=int(row["t1"]) if is_known else sampled.ts_ns,
        sample_id=sampled.sample_id,
        symbol=sampled.symbol,
        sampled_ts_ns=sampled.ts_ns,
        status=status,
        reason=reason,
        side=int(row["side"]),
        net_r_long=float(row["net"][LONG] / unit),
        net_r_short=float(row["net"][SHORT] / unit),
        cost_r=float((row["gross"][LONG] - row["net"][LONG]) / unit),
        hold_long_s=float(row["hold_s"][LONG]),
        hold_short_s=float(row["hold_s"][SHORT]),
        is_independent=sampled.is_independent and is_known,
        forecasts=sampled.forecasts,
    )


def _reopened(waiting: Iterable[ForecastSampled]) -> LabelRows:
    """Pending rows from what was stored when the events began."""
    samples = list(waiting)
    rows = np.zeros(len(samples), LABEL)
    for row, sampled in zip(rows, samples, strict=True):
        row["t0"] = row["t1"] = sampled.ts_ns
        row["mid"], row["spread"] = sampled.mid, sampled.spread
        row["sigma"], row["barrier"] = sampled.sigma, sampled.barrier
    return rows
