"""Processes that run trials: each opens the data once and is told which points to run.

With one process everything happens here. What a trial comes to depends on nothing but the point,
the window and the flow, so it does not matter where it runs; results come in the order asked.
Trials differ in what they cost (one that trades often takes several times as long), so a process
that is ready takes the next few points, and what it found is taken in while others still work.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import Final, Self

import msgspec
import psutil

from plan2.foundation.workers import NICE, ONE_THREAD
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.score import Score
from plan2.intelligence.research.subject import Conditions, Subject, Window

_HELD: Final[list[Subject]] = []
"""In a child: the one subject that it was started with."""

PARTS: Final = 8
"""Shares of each process: the last one that works keeps the others waiting for an eighth of its
own work at most; more of them, and asking would cost more than waiting."""

_SCORES: Final = msgspec.msgpack.Decoder(list[Score])
"""Packed, scores take a third of the time to send that pickled ones do."""

Asked = tuple[Mapping[str, float], Window, Conditions]


class TrialWorkers:
    """Runs trials in so many processes."""

    def __init__(self, subject: Subject, processes: int) -> None:
        self.processes = processes
        self._subject = subject
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self.processes > 1:
            self._pool = ProcessPoolExecutor(
                self.processes,
                # Started anew, not forked: numeric libraries do not survive a fork with threads.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_hold,
                initargs=(self._subject,),
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def scores(self, points: Sequence[Point], window: Window) -> list[Score]:
        """Each point in short, in order."""
        if self._pool is None or len(points) < 2:
            return self._subject.scores(points, window)
        parts = _parts(points, PARTS * self.processes)
        futures = [self._pool.submit(_scores, part, window) for part in parts]
        return [score for future in futures for score in _SCORES.decode(future.result())]

    def runs(self, asked: Sequence[Asked]) -> list[BacktestRun]:
        """Whole runs, in order."""
        if self._pool is None:
            return [self._subject.run(*each) for each in asked]
        return list(self._pool.map(_run, asked))


def _parts(points: Sequence[Point], count: int) -> list[Sequence[Point]]:
    size = -(-len(points) // count)
    return [points[start : start + size] for start in range(0, len(points), size)]


def _hold(subject: Subject) -> None:
    os.environ.update(ONE_THREAD)
    low = psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else NICE
    psutil.Process().nice(low)
    _HELD.append(subject)


def _scores(points: Sequence[Point], window: Window) -> bytes:
    return msgspec.msgpack.encode(_HELD[0].scores(points, window))


def _run(asked: Asked) -> BacktestRun:
    point, window, conditions = asked
    return _HELD[0].run(point, window, conditions)
