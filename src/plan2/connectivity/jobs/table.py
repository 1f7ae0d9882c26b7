"""Jobs in the tenant's own schema (migration 0009)."""

from collections.abc import Collection
from typing import Any, Final, Protocol

import msgspec

from plan2.connectivity.jobs.job import UNDER_WAY, JobLog, JobRow, JobStatus
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId
from plan2.foundation.worker_messages import Failure

KEPT_MAX: Final = 500
"""Jobs of a tenant that are kept; the oldest that are over make room."""

SELECT: Final = (
    "select job_id, kind, parameters, state, asked_by, asked_ns, started_ns, ended_ns, fraction, "
    "message, result, failure from job "
)
FIND: Final = SELECT + "where job_id = %s"
LIST: Final = SELECT + "where kind = %s or %s = '' order by asked_ns desc, job_id limit %s"
INSERT: Final = (
    "insert into job (job_id, kind, parameters, state, asked_by, asked_ns) "
    "values (%s, %s, %s::json, %s, %s, %s)"
)
UPDATE: Final = (
    "update job set state = %s, started_ns = %s, ended_ns = %s, fraction = %s, message = %s, "
    "result = %s::json, failure = %s::json, log = %s::json, log_dropped = %s where job_id = %s"
)
INTERRUPT: Final = (
    "update job set state = 'interrupted', ended_ns = %s "
    "where state = any(%s) and not job_id = any(%s) returning job_id"
)
TRIM: Final = (
    "delete from job where state <> all(%s) and job_id in "
    "(select job_id from job order by asked_ns desc, job_id offset %s)"
)
OPEN_STATES: Final = sorted(str(state) for state in UNDER_WAY)


class JobTable(Protocol):
    """Where jobs are kept."""

    async def insert(self, job: JobRow) -> None:
        """Keep a new job; durable when this returns."""
        ...

    async def update(self, job: JobRow, log: JobLog) -> None:
        """Keep how a job stands."""
        ...

    async def find(self, tenant_id: TenantId, job_id: str) -> JobRow | None:
        """A job of a tenant."""
        ...

    async def listed(self, tenant_id: TenantId, kind: str, limit: int) -> list[JobRow]:
        """The newest jobs, of one kind or of all."""
        ...

    async def log(self, tenant_id: TenantId, job_id: str) -> JobLog | None:
        """What a job wrote, as it was last kept."""
        ...

    async def interrupt(
        self, tenant_id: TenantId, now_ns: int, alive: Collection[str]
    ) -> list[str]:
        """Mark what an earlier run left under way, except `alive`; their ids."""
        ...


class PostgresJobs:
    """Implements `JobTable`."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def insert(self, job: JobRow) -> None:
        """Keep a new job; durable when this returns. Very old ones make room."""
        values = (
            job.job_id, job.kind, _json(job.parameters), str(job.state), job.asked_by, job.asked_ns,
        )  # fmt: skip
        async with self._unit(TenantId(job.tenant_id)) as uow:
            await uow.raw.execute(INSERT, values)
            await uow.raw.execute(TRIM, (OPEN_STATES, KEPT_MAX))

    async def update(self, job: JobRow, log: JobLog) -> None:
        """Keep how a job stands, and its log."""
        values = (
            str(job.state),
            job.started_ns,
            job.ended_ns,
            job.fraction,
            job.message,
            _json(job.result),
            _json(job.failure),
            _json(log.lines),
            log.dropped,
            job.job_id,
        )
        async with self._unit(TenantId(job.tenant_id)) as uow:
            await uow.raw.execute(UPDATE, values)

    async def find(self, tenant_id: TenantId, job_id: str) -> JobRow | None:
        """A job of a tenant."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(FIND, (job_id,))
            row = await cursor.fetchone()
        return _job(tenant_id, row) if row is not None else None

    async def listed(self, tenant_id: TenantId, kind: str, limit: int) -> list[JobRow]:
        """The newest jobs, of one kind or of all."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(LIST, (kind, kind, limit))
            return [_job(tenant_id, row) for row in await cursor.fetchall()]

    async def log(self, tenant_id: TenantId, job_id: str) -> JobLog | None:
        """What a job wrote, as it was last kept."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select log, log_dropped from job where job_id = %s", (job_id,)
            )
            row = await cursor.fetchone()
        return JobLog(lines=tuple(row[0]), dropped=row[1]) if row is not None else None

    async def interrupt(
        self, tenant_id: TenantId, now_ns: int, alive: Collection[str]
    ) -> list[str]:
        """Mark what an earlier run left under way, except `alive`; their ids."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(INTERRUPT, (now_ns, OPEN_STATES, list(alive)))
            return [row[0] for row in await cursor.fetchall()]


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _job(tenant_id: TenantId, row: tuple[Any, ...]) -> JobRow:  # values of several SQL types
    return JobRow(
        tenant_id=tenant_id,
        job_id=row[0],
        kind=row[1],
        parameters=row[2],
        state=JobStatus(row[3]),
        asked_by=row[4],
        asked_ns=row[5],
        started_ns=row[6],
        ended_ns=row[7],
        fraction=row[8],
        message=row[9],
        result=row[10],
        failure=msgspec.convert(row[11], Failure) if row[11] is not None else None,
    )
