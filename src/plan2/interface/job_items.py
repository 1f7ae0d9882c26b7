"""Jobs as REST answers them and as the stream carries them."""

from collections.abc import Callable, Collection, Hashable
from typing import Any, Final

import msgspec

from plan2.connectivity.jobs.job import JobRow
from plan2.foundation.worker_messages import Failure
from plan2.interface.screen import for_screen, to_us

VERDICT: Final = "verdict"
"""The member of a result that says in a word what came of it."""


class JobNow(msgspec.Struct, frozen=True, array_like=True):
    """A job that waits or runs; times are microseconds UTC, 0 for what was not yet."""

    job_id: str
    kind: str
    state: str
    fraction: float
    message: str
    asked_us: int
    started_us: int


class JobItem(msgspec.Struct, frozen=True, kw_only=True):
    """A job as lists show it; times are microseconds UTC, 0 for what was not yet.

    `verdict` is the word that the result begins with; `failure` says why a job failed.
    """

    job_id: str
    kind: str
    state: str
    parameters: dict[str, Any]  # any JSON: the kind owns the shape
    asked_by: str
    asked_us: int
    started_us: int
    ended_us: int
    fraction: float
    message: str
    verdict: str
    failure: Failure | None


class JobDetail(JobItem, frozen=True, kw_only=True):
    """A job with its whole result; None while there is none."""

    result: dict[str, Any] | None  # any JSON: the kind's child owns the shape


def job_item(row: JobRow) -> JobItem:
    """A job as lists show it."""
    return JobItem(**_members(row))


def job_detail(row: JobRow) -> JobDetail:
    """A job with its whole result."""
    result = for_screen(row.result)
    return JobDetail(**_members(row), result=result if isinstance(result, dict) else None)


def _members(row: JobRow) -> dict[str, Any]:  # the members of `JobItem`, of several types
    parameters = for_screen(dict(row.parameters))
    result = row.result if isinstance(row.result, dict) else {}
    return {
        "job_id": row.job_id,
        "kind": row.kind,
        "state": str(row.state),
        "parameters": parameters,
        "asked_by": row.asked_by,
        "asked_us": to_us(row.asked_ns),
        "started_us": to_us(row.started_ns),
        "ended_us": to_us(row.ended_ns),
        "fraction": row.fraction,
        "message": row.message,
        "verdict": str(result.get(VERDICT, "")),
        "failure": row.failure,
    }


class JobsSource:
    """Rows of the stream's channel `jobs`, keyed by id; what is over is gone."""

    def __init__(self, rows: Callable[[], list[JobRow]]) -> None:
        self._rows = rows

    def snapshot(self) -> list[Any]:
        """Every job that waits or runs."""
        return [_now(row) for row in self._rows()]

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """These jobs; `[id, None]` for one that is over."""
        found = {row.job_id: _now(row) for row in self._rows()}
        return [found.get(str(key)) or (key, None) for key in keys]


def _now(row: JobRow) -> JobNow:
    return JobNow(
        job_id=row.job_id,
        kind=row.kind,
        state=str(row.state),
        fraction=row.fraction,
        message=row.message,
        asked_us=to_us(row.asked_ns),
        started_us=to_us(row.started_ns),
    )
