"""A job while it waits or runs: its row, its log, and the task that carries it out."""

import asyncio
from collections import deque

import msgspec

from plan2.connectivity.jobs.job import LINE_MAX, LOG_LINES, UNDER_WAY, JobLog, JobRow, JobStatus
from plan2.foundation.worker_messages import Progress
from plan2.foundation.workers import WorkerResult


class RunningJob:
    """What is known of a job that is under way.

    Attributes:
        row: how it stands. task: carries it out; None until it is kept.
        has_begun: the task got as far as its first step.
        stopped_as: what it is to be when it was told to stop; None while nobody did.
        stopped_by: who told it.
        is_dirty: something changed since it was last kept.
    """

    def __init__(self, row: JobRow) -> None:
        self.row = row
        self.task: asyncio.Task[None] | None = None
        self.has_begun = False
        self.stopped_as: JobStatus | None = None
        self.stopped_by = ""
        self.is_dirty = False
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._count = 0

    def log(self) -> JobLog:
        """Its newest lines."""
        return JobLog(lines=tuple(self._lines), dropped=self._count - len(self._lines))

    def note(self, line: str) -> None:
        """Take a line of its log."""
        self._lines.append(_one_line(line))
        self._count += 1
        self.is_dirty = True

    def begin(self, now_ns: int) -> None:
        """It got its turn."""
        self._change(state=JobStatus.RUNNING, started_ns=now_ns)

    def move(self, progress: Progress) -> None:
        """It said how far it is; a new message is a line of the log as well."""
        message = _one_line(progress.message)
        if message and message != self.row.message:
            self.note(f"{_share(progress.fraction):4.0%} {message}")
        self._change(fraction=_share(progress.fraction), message=message)

    def end(self, result: WorkerResult, now_ns: int) -> None:
        """It ended by itself, or its time or memory was used up."""
        failure = result.failure
        if failure is None:
            self._change(state=JobStatus.DONE, ended_ns=now_ns, fraction=1.0, result=result.value)
            return
        self.note(failure.message)
        self._change(state=JobStatus.FAILED, ended_ns=now_ns, failure=failure)

    def stop(self, state: JobStatus, by: str) -> None:
        """Tell it to stop; the first word counts, and one that is over stays as it is."""
        if self.stopped_as is not None or self.row.state not in UNDER_WAY:
            return
        self.stopped_as, self.stopped_by = state, by
        # A task that is cancelled before its first step would leave nothing behind.
        if self.task is not None and self.has_begun:
            self.task.cancel()

    def stopped(self, now_ns: int) -> None:
        """It did stop; without a word, because Plan2 itself is ending."""
        self._change(state=self.stopped_as or JobStatus.INTERRUPTED, ended_ns=now_ns)

    def _change(self, **members: object) -> None:
        self.row = msgspec.structs.replace(self.row, **members)
        self.is_dirty = True


def _one_line(text: str) -> str:
    """A line without what could steer a terminal or the database refuses, of bounded length."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:LINE_MAX]


def _share(fraction: float) -> float:
    return min(max(fraction, 0.0), 1.0) if fraction == fraction else 0.0  # noqa: PLR0124 - NaN
