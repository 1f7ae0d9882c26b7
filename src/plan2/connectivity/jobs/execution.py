"""Carries one job out: waits for its turn, follows its child, and keeps what becomes of it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec

from plan2.connectivity.jobs.job import JobKind, JobRow
from plan2.connectivity.jobs.running import RunningJob
from plan2.connectivity.jobs.table import JobTable
from plan2.foundation.clock import Clock
from plan2.foundation.errors import Plan2Error, StoreBusy
from plan2.foundation.events.jobs import JobEnded, JobStarted
from plan2.foundation.events.recording import Record
from plan2.foundation.log import logger
from plan2.foundation.values import NS_PER_SECOND
from plan2.foundation.worker_messages import Failure, Progress
from plan2.foundation.worker_pool import Heard, WorkerJob, WorkerPool
from plan2.foundation.workers import WorkerResult

SAVE_EVERY_S: Final = 3.0
"""How often a running job's progress and log go to the database."""
AGAIN_S: Final = 2.0
"""How long a job's end waits before the database is tried again."""


class Told(msgspec.Struct, frozen=True):
    """Who hears of a job: of each change, and that it is over and kept."""

    changed: Callable[[RunningJob], None]
    over: Callable[[RunningJob], None]


class Execution:
    """Runs jobs through the pool and writes their ends into table and log."""

    def __init__(
        self, pool: WorkerPool, table: JobTable, record: Record, clock: Clock, told: Told
    ) -> None:
        self._pool = pool
        self._table = table
        self._record = record
        self._clock = clock
        self._told = told

    async def carry_out(self, job: RunningJob, kind: JobKind) -> None:
        """The body of a job's task; whoever stops the job does so by `job.stop`."""
        job.has_begun = True
        try:
            await self._run(job, kind)
            row = job.row
            ended = end_of(row, job.stopped_by or row.asked_by)
            self._record(row.tenant_id, f"job:{row.job_id}", ended, actor=ended.by)
            self._told.changed(job)
            await self._keep_end(job)
        finally:
            self._told.over(job)

    async def _run(self, job: RunningJob, kind: JobKind) -> None:
        if job.stopped_as is not None:  # before it came so far
            job.stopped(self._clock.now_ns())
            return
        saving = asyncio.create_task(self._keep_saving(job))
        try:
            result = await self._pool.run(_work(job.row, kind), self._heard(job))
            job.end(result, self._clock.now_ns())
        except Plan2Error as error:  # its command could not be made
            failure = Failure(error.code, error.message, error.remedy)
            job.end(WorkerResult(None, failure, -1, 0.0, []), self._clock.now_ns())
        except asyncio.CancelledError:
            job.stopped(self._clock.now_ns())
        finally:
            saving.cancel()

    def _heard(self, job: RunningJob) -> Heard:
        def begun() -> None:
            job.begin(self._clock.now_ns())
            row = job.row
            started = JobStarted(
                ts_ns=row.started_ns,
                job_id=row.job_id,
                kind=row.kind,
                waited_s=(row.started_ns - row.asked_ns) / NS_PER_SECOND,
                by=row.asked_by,
            )
            self._record(row.tenant_id, f"job:{row.job_id}", started, actor=row.asked_by)
            self._told.changed(job)

        def moved(progress: Progress) -> None:
            job.move(progress)
            self._told.changed(job)

        return Heard(on_turn=begun, on_progress=moved, on_line=job.note)

    async def _keep_saving(self, job: RunningJob) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            if job.is_dirty:
                with contextlib.suppress(StoreBusy):
                    await self._save(job)

    async def _keep_end(self, job: RunningJob) -> None:
        """Keep how it ended, however long the database is away."""
        while True:
            try:
                await self._save(job)
            except StoreBusy as error:
                told = {"tenant_id": job.row.tenant_id, "job": job.row.job_id}
                logger("jobs").warning("job_not_kept", reason=error.message, **told)
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def _save(self, job: RunningJob) -> None:
        job.is_dirty = False
        is_saved = False
        try:
            await self._table.update(job.row, job.log())
            is_saved = True
        finally:
            job.is_dirty |= not is_saved


def end_of(row: JobRow, by: str) -> JobEnded:
    """The fact that a job is over."""
    failure = row.failure
    return JobEnded(
        ts_ns=row.ended_ns,
        job_id=row.job_id,
        kind=row.kind,
        state=str(row.state),
        seconds=(row.ended_ns - row.started_ns) / NS_PER_SECOND if row.started_ns else 0.0,
        code=failure.code if failure is not None else "",
        message=failure.message if failure is not None else "",
        by=by,
    )


def _work(row: JobRow, kind: JobKind) -> WorkerJob:
    return WorkerJob(
        tenant_id=row.tenant_id,
        name=row.kind,
        argv=kind.command(row.parameters),
        timeout_s=kind.timeout_s,
        memory_mb=kind.memory_mb,
    )
