"""Starts, cancels and follows the jobs of all tenants; what becomes of one is a row and two facts.

A job runs in a child process when it is its tenant's turn. How far it is, is in memory and goes to
the database every few seconds; its end is written until the database takes it. What was under way
when Plan2 ended is `interrupted` at the next start and may be started again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.room import Room
from plan2.connectivity.jobs.execution import Execution, Told, end_of
from plan2.connectivity.jobs.job import REPEATABLE, JobKind, JobLog, JobRow, JobStatus, Parameters
from plan2.connectivity.jobs.running import RunningJob
from plan2.connectivity.jobs.table import KEPT_MAX, JobTable
from plan2.foundation.clock import Clock
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource
from plan2.foundation.values import TenantId
from plan2.foundation.worker_pool import WorkerPool

CLOSE_S: Final = 5.0
"""How long a stop waits for the ends of jobs to be written."""
QUOTA: Final = "jobs"
SYSTEM: Final = "system"
"""Who ends jobs that nobody cancelled."""

Listener = Callable[[str, str], None]
"""(tenant, job): something about it changed; called on the loop, quick, must not raise."""


class JobParts(msgspec.Struct, frozen=True, kw_only=True):
    """What jobs are made of.

    Attributes:
        table: where they are kept. pool: runs them in turn.
        kinds: what may be asked for, by name.
        room: refuses when a tenant's quota is used up. record: takes the facts.
    """

    table: JobTable
    pool: WorkerPool
    kinds: Mapping[str, JobKind]
    room: Room
    record: Record


class Jobs:
    """The jobs of all tenants; `clock` is UTC, `ids` names them."""

    def __init__(self, parts: JobParts, clock: Clock, ids: IdSource) -> None:
        self.kinds = parts.kinds
        self.pool = parts.pool
        self._table = parts.table
        self._room = parts.room
        self._record = parts.record
        self._clock = clock
        self._ids = ids
        self._running: dict[tuple[str, str], RunningJob] = {}
        self._places: dict[str, int] = {}
        self._listeners: list[Listener] = []
        self._execution = Execution(
            parts.pool, parts.table, parts.record, clock, Told(self._tell, self._forget)
        )

    def on_change(self, listener: Listener) -> None:
        """Hear of every change; part of the wiring."""
        self._listeners.append(listener)

    @contextlib.contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Hear of every change while the block lasts."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    # --- what can be done -------------------------------------------------------------------

    async def start(
        self,
        tenant_id: TenantId,
        kind: str,
        parameters: Parameters,
        by: str,
        *,
        asks_room: bool = True,
    ) -> JobRow:
        """Put a job into its tenant's queue; it is kept before this returns.

        Args:
            tenant_id: whose it is.
            kind: one of `kinds`.
            parameters: plain data that the kind's owner has checked.
            by: the actor.
            asks_room: False for what the program needs before anybody can be there.

        Raises:
            RequestRefused: 409 when the tenant's quota is used up.
            StoreBusy: the database does not answer; nothing was started.
        """
        if asks_room:
            self._room(tenant_id, QUOTA)
        found = self.kinds[kind]
        row = JobRow(
            tenant_id=tenant_id,
            job_id=self._ids.next_id("job"),
            kind=kind,
            parameters=dict(parameters),
            state=JobStatus.WAITING,
            asked_by=by,
            asked_ns=self._clock.now_ns(),
        )
        job = self._running[(tenant_id, row.job_id)] = RunningJob(row)
        is_kept = False
        try:
            await self._table.insert(row)
            is_kept = True
        finally:
            if not is_kept:
                del self._running[(tenant_id, row.job_id)]
        if found.asked is not None:
            self._record(tenant_id, f"job:{row.job_id}", found.asked(row), actor=by)
        job.task = asyncio.create_task(self._execution.carry_out(job, found))
        self._tell(job)
        return row

    async def again(self, tenant_id: TenantId, job_id: str, by: str) -> JobRow:
        """Start a job anew that is over, with the same parameters.

        Raises:
            RequestRefused: 404 when there is none, 409 when it is not over; and as `start`.
        """
        row = await self.show(tenant_id, job_id)
        if row.state not in REPEATABLE or row.kind not in self.kinds:
            raise RequestRefused(409, "conflict", f"Job {job_id} is {row.state}, not over.")
        return await self.start(tenant_id, row.kind, row.parameters, by)

    async def cancel(self, tenant_id: TenantId, job_id: str, by: str) -> JobRow:
        """Take a job out of the queue, or kill it; returns when it is over.

        Raises:
            RequestRefused: 404 when there is none, 409 when it is over already.
        """
        job = self._running.get((tenant_id, job_id))
        if job is None or job.row.state in REPEATABLE:
            row = await self.show(tenant_id, job_id)
            raise RequestRefused(409, "conflict", f"Job {job_id} is {row.state}.")
        job.stop(JobStatus.CANCELLED, by)
        await _settled([job])
        return job.row

    @contextlib.contextmanager
    def place(self, tenant_id: str) -> Iterator[None]:
        """Count as one of the tenant's jobs while the block lasts: an export made right here.

        Raises:
            RequestRefused: 409 when the tenant's quota is used up.
        """
        self._room(tenant_id, QUOTA)
        self._places[tenant_id] = self._places.get(tenant_id, 0) + 1
        try:
            yield
        finally:
            self._places[tenant_id] -= 1

    # --- what is known ----------------------------------------------------------------------

    async def listed(
        self, tenant_id: TenantId, limit: int, kind: str = "", state: JobStatus | None = None
    ) -> list[JobRow]:
        """The newest jobs of a tenant, as they stand now."""
        # What the table says of a job that is under way may be some seconds old.
        rows = await self._table.listed(tenant_id, kind, limit if state is None else KEPT_MAX)
        shown = [self._now(row) for row in rows]
        return [row for row in shown if state is None or row.state is state][:limit]

    async def show(self, tenant_id: TenantId, job_id: str) -> JobRow:
        """One job as it stands now.

        Raises:
            RequestRefused: 404 when the tenant has no such job.
        """
        job = self._running.get((tenant_id, job_id))
        row = job.row if job is not None else await self._table.find(tenant_id, job_id)
        if row is None:
            raise _unknown(job_id)
        return row

    async def log(self, tenant_id: TenantId, job_id: str) -> JobLog:
        """What a job wrote so far.

        Raises:
            RequestRefused: 404 when the tenant has no such job.
        """
        job = self._running.get((tenant_id, job_id))
        log = job.log() if job is not None else await self._table.log(tenant_id, job_id)
        if log is None:
            raise _unknown(job_id)
        return log

    async def wait(self, tenant_id: TenantId, job_id: str) -> JobRow:
        """A job once it is over."""
        job = self._running.get((tenant_id, job_id))
        if job is not None:
            await _settled([job])
            return job.row
        return await self.show(tenant_id, job_id)

    def under_way(self, tenant_id: str) -> list[JobRow]:
        """The jobs of a tenant that wait or run, or ended a moment ago."""
        return [job.row for (owner, _), job in self._running.items() if owner == tenant_id]

    def count(self, tenant_id: str) -> float:
        """What a tenant uses of its quota."""
        waiting = sum(row.state not in REPEATABLE for row in self.under_way(tenant_id))
        return float(waiting + self._places.get(tenant_id, 0))

    # --- starts and ends of the program and of tenants --------------------------------------

    async def recover(self, tenant_id: TenantId) -> None:
        """Mark what an earlier run left under way; harmless when repeated.

        Raises:
            StoreBusy: the database does not answer.
        """
        alive = [job_id for owner, job_id in self._running if owner == tenant_id]
        for job_id in await self._table.interrupt(tenant_id, self._clock.now_ns(), alive):
            row = await self._table.find(tenant_id, job_id)
            if row is not None:
                self._record(tenant_id, f"job:{job_id}", end_of(row, SYSTEM))

    def stop_all(self, tenant_id: str | None = None) -> list[RunningJob]:
        """Tell whatever a tenant, or everybody, has under way to end, because it is closed."""
        found = [job for (owner, _), job in self._running.items() if tenant_id in {None, owner}]
        for job in found:
            job.stop(JobStatus.INTERRUPTED, SYSTEM)
        return found

    async def interrupt(self, tenant_id: str | None = None) -> None:
        """As `stop_all`; returns when nothing runs, or after a few seconds."""
        known = self.stop_all(tenant_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await _settled(known)

    # --- telling ----------------------------------------------------------------------------

    def _now(self, row: JobRow) -> JobRow:
        job = self._running.get((row.tenant_id, row.job_id))
        return job.row if job is not None else row

    def _tell(self, job: RunningJob) -> None:
        for listener in self._listeners:
            listener(job.row.tenant_id, job.row.job_id)

    def _forget(self, job: RunningJob) -> None:
        del self._running[(job.row.tenant_id, job.row.job_id)]
        self._tell(job)


async def _settled(jobs: Iterable[RunningJob]) -> None:
    tasks = [job.task for job in jobs if job.task is not None]
    if tasks:
        await asyncio.wait(tasks)


def _unknown(job_id: str) -> RequestRefused:
    return RequestRefused(404, "not_found", f"There is no job {job_id!r}.")
