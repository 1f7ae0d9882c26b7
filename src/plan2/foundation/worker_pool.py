"""Who may run a worker and when: few at a time, tenants in turn.

A job that fails is a value. Cancelling the caller takes a waiting job out of the queue and kills
one that runs.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.fair_queue import FairQueue
from plan2.foundation.worker_messages import Progress
from plan2.foundation.workers import WorkerResult, run_worker


class WorkerJob(msgspec.Struct, frozen=True, kw_only=True):
    """A command to be run as a worker; `name` is what pages call it.

    Attributes:
        timeout_s: of the run itself; waiting does not count.
        memory_mb: resident MiB that the run may take; 0 sets no limit.
    """

    tenant_id: str
    name: str
    argv: tuple[str, ...]
    timeout_s: float
    memory_mb: int = 0


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Who hears of a job while it waits and runs; called on the event loop.

    Attributes:
        on_turn: it begins to run. on_progress: how far it is. on_line: what it writes.
    """

    on_turn: Callable[[], None] = lambda: None
    on_progress: Callable[[Progress], None] = lambda _: None
    on_line: Callable[[str], None] = lambda _: None


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """A job that waits or runs; `since_ns` UTC of that state, `pid` 0 while there is none."""

    tenant_id: str
    name: str
    state: Literal["waiting", "running"]
    since_ns: int
    pid: int
    fraction: float
    message: str


class _Ticket:
    """One job's place in the queue and what is known of it."""

    def __init__(self, job: WorkerJob, since_ns: int) -> None:
        self.job = job
        self.turn = asyncio.Event()
        self.since_ns = since_ns
        self.pid = 0
        self.progress = Progress(0.0, "")

    def state(self) -> JobState:
        return JobState(
            tenant_id=self.job.tenant_id,
            name=self.job.name,
            state="running" if self.turn.is_set() else "waiting",
            since_ns=self.since_ns,
            pid=self.pid,
            fraction=self.progress.fraction,
            message=self.progress.message,
        )


class WorkerPool:
    """Runs jobs of all tenants.

    Args:
        slots: workers at a time. One tenant may have all but one of them, so that a long job of
            one does not make the others wait for its end.
        clock: UTC, for the list.
        weight_of: how many turns a tenant gets to one of another.
    """

    def __init__(
        self,
        slots: int,
        clock: Clock,
        weight_of: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self._slots = slots
        self._slots_each = max(slots - 1, 1)
        self._clock = clock
        self._queue: FairQueue[_Ticket] = FairQueue(weight_of)
        self._running: list[_Ticket] = []

    async def run(self, job: WorkerJob, heard: Heard | None = None) -> WorkerResult:
        """Wait for a turn, run the job as a worker, and wait for its result, as `run_worker`."""
        ticket = _Ticket(job, self._clock.now_ns())
        self._queue.add(job.tenant_id, ticket)
        self._start_next()
        try:
            await ticket.turn.wait()
            return await self._run(ticket, heard or Heard())
        finally:
            self._end(ticket)

    def jobs_of(self, tenant_id: str) -> int:
        """How many jobs of a tenant wait or run."""
        return self._queue.waiting(tenant_id) + self._running_of(tenant_id)

    def jobs(self) -> Sequence[JobState]:
        """Every job that runs or waits."""
        waiting = (ticket for _, ticket in self._queue.items())
        return [ticket.state() for ticket in (*self._running, *waiting)]

    async def _run(self, ticket: _Ticket, heard: Heard) -> WorkerResult:
        def noted(progress: Progress) -> None:
            ticket.progress = progress
            heard.on_progress(progress)

        def started(pid: int) -> None:
            ticket.pid = pid

        job = ticket.job
        heard.on_turn()
        return await run_worker(
            job.argv, noted, job.timeout_s, started, on_line=heard.on_line, memory_mb=job.memory_mb
        )

    def _start_next(self) -> None:
        """Give turns as long as there are slots and somebody who may use one."""
        while len(self._running) < self._slots:
            taken = self._queue.take(lambda who: self._running_of(who) < self._slots_each)
            if taken is None:
                return
            ticket = taken[1]
            ticket.since_ns = self._clock.now_ns()
            self._running.append(ticket)
            ticket.turn.set()

    def _end(self, ticket: _Ticket) -> None:
        if ticket.turn.is_set():
            self._running.remove(ticket)
        else:
            self._queue.remove(ticket.job.tenant_id, ticket)
        self._start_next()

    def _running_of(self, tenant_id: str) -> int:
        return sum(ticket.job.tenant_id == tenant_id for ticket in self._running)
