"""Jobs in PostgreSQL: kept whole, interrupted, trimmed, and each tenant's own."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from integration.postgres_fixture import Postgres
from plan2.connectivity.jobs import table
from plan2.connectivity.jobs.job import JobLog, JobRow, JobStatus
from plan2.connectivity.jobs.table import PostgresJobs
from plan2.foundation.clock import LiveClock
from plan2.foundation.values import TenantId
from plan2.foundation.worker_messages import Failure

ACME, OTHER = TenantId("jobs_acme"), TenantId("jobs_other")


@pytest.fixture
async def jobs(postgres: Postgres) -> AsyncIterator[PostgresJobs]:
    """The table of two fresh tenants."""
    for tenant in (ACME, OTHER):
        postgres.migrator.ensure_tenant(tenant, LiveClock().now_ns())
    database = postgres.open()
    for tenant in (ACME, OTHER):
        async with database.uow(tenant) as uow:
            await uow.raw.execute("delete from job")
    yield PostgresJobs(database.uow)
    await database.close()


def job(job_id: str, asked_ns: int = 1, tenant: TenantId = ACME) -> JobRow:
    """A job that was just asked for."""
    return JobRow(
        tenant_id=tenant, job_id=job_id, kind="train", parameters={"symbols": ["EURUSD"], "n": 2},
        state=JobStatus.WAITING, asked_by="user:ann", asked_ns=asked_ns,
    )  # fmt: skip


async def test_a_job_comes_back_as_it_was_kept(jobs: PostgresJobs) -> None:
    """Parameters, result, failure, log and all figures."""
    await jobs.insert(job("a"))
    assert await jobs.find(ACME, "a") == job("a")
    assert await jobs.log(ACME, "a") == JobLog()
    done = msgspec.structs.replace(
        job("a"), state=JobStatus.DONE, started_ns=2, ended_ns=3, fraction=1.0, message="done",
        result={"verdict": "insufficient evidence", "figure": None, "nul": "\x00"},
    )  # fmt: skip
    log = JobLog(lines=("one", "two \x00"), dropped=7)
    await jobs.update(done, log)
    assert await jobs.find(ACME, "a") == done
    assert await jobs.log(ACME, "a") == log
    failed = msgspec.structs.replace(
        done, state=JobStatus.FAILED, result=None, failure=Failure("worker_timeout", "Late.", "")
    )
    await jobs.update(failed, log)
    assert await jobs.find(ACME, "a") == failed


async def test_what_was_under_way_is_interrupted(jobs: PostgresJobs) -> None:
    """Waiting and running ones that nobody has alive; what is over stays as it is."""
    for number, state in enumerate(JobStatus):
        await jobs.insert(job(state, asked_ns=number))
        await jobs.update(msgspec.structs.replace(job(state), state=state), JobLog())
    await jobs.insert(job("alive"))
    assert sorted(await jobs.interrupt(ACME, 99, ["alive"])) == ["running", "waiting"]
    found = await jobs.find(ACME, "running")
    assert found is not None
    assert (found.state, found.ended_ns) == (JobStatus.INTERRUPTED, 99)
    assert await jobs.interrupt(ACME, 100, ["alive"]) == []


async def test_the_newest_come_first_and_the_oldest_make_room(
    jobs: PostgresJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is over only the newest few are kept; what waits is never dropped."""
    monkeypatch.setattr(table, "KEPT_MAX", 3)
    await jobs.insert(job("waits", asked_ns=0))
    for number in range(1, 6):
        name = f"j{number}"
        await jobs.insert(job(name, asked_ns=number))
        await jobs.update(msgspec.structs.replace(job(name), state=JobStatus.DONE), JobLog())
    await jobs.insert(job("last", asked_ns=9))
    listed = [each.job_id for each in await jobs.listed(ACME, "", 10)]
    assert listed == ["last", "j5", "j4", "waits"]
    assert [each.job_id for each in await jobs.listed(ACME, "train", 1)] == ["last"]
    assert await jobs.listed(ACME, "backtest", 10) == []


async def test_tenants_see_their_own(jobs: PostgresJobs) -> None:
    """The same id in two tenants is two jobs."""
    await jobs.insert(job("a"))
    assert await jobs.find(OTHER, "a") is None
    assert await jobs.log(OTHER, "a") is None
    await jobs.insert(job("a", tenant=OTHER))
    await jobs.interrupt(OTHER, 5, [])
    found = await jobs.find(ACME, "a")
    assert found is not None
    assert found.state is JobStatus.WAITING
