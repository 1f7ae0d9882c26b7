"""A job as it is kept: what was asked, how far it is, and how it ended."""

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from plan2.connectivity.identity.right_table import Route
from plan2.foundation.events.base import Event
from plan2.foundation.worker_messages import Failure

LOG_LINES: Final = 500
"""Lines of a job's log that are kept, the newest."""
LINE_MAX: Final = 500
"""Characters of one of them."""

Parameters = Mapping[str, Any]  # plain data whose shape the kind owns


class JobStatus(enum.StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Plan2 ended, or the tenant was closed, while it waited or ran; it may be started again."""


UNDER_WAY: Final = frozenset({JobStatus.WAITING, JobStatus.RUNNING})
REPEATABLE: Final = frozenset(JobStatus) - UNDER_WAY


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """One job of a tenant; times are nanoseconds UTC, 0 for what was not yet.

    Attributes:
        parameters: what its kind was asked for, as plain data.
        asked_by: an actor, such as `user:…` or `system`.
        fraction: 0 to 1. message: what it does, or did last.
        result: plain data of a job that is done. failure: why one failed.
    """

    tenant_id: str
    job_id: str
    kind: str
    parameters: Parameters
    state: JobStatus
    asked_by: str
    asked_ns: int
    started_ns: int = 0
    ended_ns: int = 0
    fraction: float = 0.0
    message: str = ""
    result: Any = None  # the kind's child owns the shape
    failure: Failure | None = None


class JobLog(msgspec.Struct, frozen=True, kw_only=True):
    """What a job wrote: its newest lines, and how many older ones were dropped."""

    lines: tuple[str, ...] = ()
    dropped: int = 0


class JobKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of work that may be asked for.

    Attributes:
        command: the child's command line for parameters that were checked.
        right: the route whose rule says who may start it.
        timeout_s: how long it may run. memory_mb: resident MiB that it may take, 0 = no limit.
        asked: the command as a fact for the log, from a new job; None for kinds without one.
    """

    name: str
    command: Callable[[Parameters], tuple[str, ...]]
    right: Route
    timeout_s: float
    memory_mb: int = 0
    asked: Callable[[JobRow], Event] | None = None
