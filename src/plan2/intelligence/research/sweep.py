"""Trying many parameters: which points, in which order, until when; every one is written down."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from plan2.foundation.clock import Clock
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_MS
from plan2.intelligence.research.proposals import Proposals, proposals_of
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.score import value_of
from plan2.intelligence.research.subject import Subject, Window
from plan2.intelligence.research.sweep_plan import SweepPlan
from plan2.intelligence.research.trial_ledger import TrialLedger, Tried, key_of, setting_of
from plan2.intelligence.research.trial_workers import TrialWorkers

BATCH_STOPPING: Final = 16
"""Trials between two looks at whether to stop; always so many, so that the same are tried."""
BATCH_MAX: Final = 4_096
BATCH_NS: Final = 500 * NS_PER_MS
"""How long a batch should take: often enough to be told of, rarely enough to cost nothing."""
FIRST_PART: Final = 1 / 3
PARTS_MIN: Final = 8
"""A median of fewer trials says nothing."""

Observer = Callable[[list[Tried], int], None]
"""Hears of all trials so far and of how many there will be at most, after each batch."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, where its trials are written down, and what measures the time it takes."""

    subject: Subject
    ledger: TrialLedger
    clock: Clock


class Sweep:
    """One sweep over a window; `run` may be called again after it was interrupted."""

    def __init__(self, question: Question, window: Window, plan: SweepPlan) -> None:
        plan.check(question.subject.flow)
        self._window = window
        self._plan = plan
        self._ledger = question.ledger
        self._clock = question.clock
        self._setting = setting_of(question.subject, window)
        self._known = {key_of(trial.point): trial for trial in self._ledger.of(self._setting)}

    def run(self, workers: TrialWorkers, observe: Observer) -> list[Tried]:
        """Try until the plan says that it is enough; in the order tried, earlier ones first."""
        started_ns = self._clock.now_ns()
        trials = self._earlier()
        source = proposals_of(self._plan, [(trial.point, self._value(trial)) for trial in trials])
        size = BATCH_STOPPING if self._looks_often() else workers.processes
        observe(trials, source.total)
        while not self._is_enough(trials, started_ns):
            begun_ns = self._clock.now_ns()
            points = source.next(min(size, source.total - len(trials)))
            if not points:
                break
            batch = self._tried(points, workers, trials)
            self._ledger.add(self._setting, tuple(batch))
            trials += batch
            self._tell(source, batch)
            observe(trials, source.total)
            if not self._looks_often():
                size = _better_size(size, self._clock.now_ns() - begun_ns)
        return trials

    def _earlier(self) -> list[Tried]:
        """What an interrupted run of the same plan tried; of a grid or draws its own points."""
        known = list(self._known.values())
        if self._plan.method == "tpe":
            names = {each.name for each in self._plan.ranges}
            return [trial for trial in known if set(trial.point) == names][: self._plan.trials]
        source = proposals_of(self._plan, ())
        own = {key_of(point) for point in source.next(source.total)}
        return [trial for trial in known if key_of(trial.point) in own]

    def _tried(
        self, points: list[Point], workers: TrialWorkers, before: list[Tried]
    ) -> list[Tried]:
        if not self._plan.median_stop:
            scores = workers.scores(points, self._window)
            return [Tried(point=p, score=s) for p, s in zip(points, scores, strict=True)]
        first = _first_part(self._window)
        parts = workers.scores(points, first)
        values = [value_of(score, self._plan.metric) for score in parts]
        seen = [trial.part for trial in before if trial.part is not None]
        seen += [value for value in values if value is not None]
        limit = median(seen) if len(seen) >= PARTS_MIN else -math.inf
        goes_on = [value is not None and value >= limit for value in values]
        chosen = [point for point, stays in zip(points, goes_on, strict=True) if stays]
        whole = iter(workers.scores(chosen, self._window))
        return [
            Tried(point=p, score=next(whole) if stays else part, is_whole=stays, part=value)
            for p, part, value, stays in zip(points, parts, values, goes_on, strict=True)
        ]

    def _tell(self, source: Proposals, batch: list[Tried]) -> None:
        for trial in batch if source.learns else ():
            source.tell(trial.point, self._value(trial))

    def _value(self, trial: Tried) -> float | None:
        return value_of(trial.score, self._plan.metric) if trial.is_whole else None

    def _looks_often(self) -> bool:
        return self._plan.median_stop or self._plan.patience > 0

    def _is_enough(self, trials: list[Tried], started_ns: int) -> bool:
        minutes, patience = self._plan.minutes, self._plan.patience
        took_ns = self._clock.now_ns() - started_ns
        if minutes is not None and took_ns >= minutes * NS_PER_MINUTE:
            return True
        if not patience or len(trials) <= patience:
            return False
        values = [self._value(trial) for trial in trials]
        ranked = [-math.inf if value is None else value for value in values]
        return max(ranked[-patience:]) <= max(ranked[:-patience])


def _first_part(window: Window) -> Window:
    length = window.end_ns - window.start_ns
    return Window(window.start_ns, window.start_ns + int(length * FIRST_PART))


def _better_size(size: int, took_ns: int) -> int:
    wanted = size * BATCH_NS / max(took_ns, 1)
    return max(1, min(BATCH_MAX, int(wanted), size * 8))
