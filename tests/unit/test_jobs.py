"""Jobs: kept, followed, cancelled, interrupted, started again; with real children."""

from pathlib import Path

import pytest

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.jobs import execution
from plan2.connectivity.jobs.job import (
    LINE_MAX,
    LOG_LINES,
    JobKind,
    JobRow,
    JobStatus,
    Parameters,
)
from plan2.connectivity.jobs.running import RunningJob
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.events.jobs import JobEnded, JobStarted
from plan2.foundation.values import TenantId
from unit.job_fixtures import PATIENCE_S, RIGHT, JobRoom, until

ACME = TenantId("acme")
ANN = "user:ann"


async def begun(house: JobRoom, how: str = "") -> JobRow:
    """A job whose child has said how far it is."""
    row = await house.jobs.start(ACME, "train", {"how": how}, ANN)
    await until(lambda: house.jobs.under_way(ACME)[0].fraction > 0)
    return row


async def test_a_job_is_kept_and_leaves_two_facts(tmp_path: Path) -> None:
    """Waiting, running with progress and log, done with its result; the facts name who asked."""
    house = JobRoom(tmp_path)
    row = await begun(house)
    assert row.state is JobStatus.WAITING
    assert house.table.rows[(ACME, row.job_id)].state is JobStatus.WAITING
    now = await house.jobs.show(ACME, row.job_id)
    assert (now.state, now.fraction, now.message) == (JobStatus.RUNNING, 0.25, "half of a half")
    log = await house.jobs.log(ACME, row.job_id)
    assert sorted(log.lines) == ["25% half of a half", "a line of its own"]

    house.gate.touch()
    ended = await house.jobs.wait(ACME, row.job_id)
    assert ended.state is JobStatus.DONE
    assert ended.result == {"verdict": "insufficient evidence", "how": ""}
    await until(lambda: not house.jobs.under_way(ACME))
    assert house.table.rows[(ACME, row.job_id)] == ended
    assert house.table.logs[(ACME, row.job_id)].lines == log.lines
    started, over = house.facts.events()
    assert isinstance(started, JobStarted)
    assert isinstance(over, JobEnded)
    assert (over.state, over.by, over.code) == ("done", ANN, "")
    assert set(house.changes) == {(ACME, row.job_id)}


async def test_a_failure_is_kept_with_its_remedy(tmp_path: Path) -> None:
    """What the child says is wrong is on the row, in the log and in the fact."""
    house = JobRoom(tmp_path)
    house.gate.touch()
    row = await house.jobs.start(ACME, "train", {"how": "fail"}, ANN)
    ended = await house.jobs.wait(ACME, row.job_id)
    assert ended.state is JobStatus.FAILED
    assert ended.failure is not None
    assert (ended.failure.code, ended.failure.remedy) == ("input_invalid", "Import some.")
    assert (await house.jobs.log(ACME, row.job_id)).lines[-1] == "No ticks of EURUSD."
    assert house.facts.events()[-1] == JobEnded(
        ts_ns=ended.ended_ns, job_id=row.job_id, kind="train", state="failed", seconds=0.0,
        code="input_invalid", message="No ticks of EURUSD.", by=ANN,
    )  # fmt: skip


async def test_parameters_that_make_no_command_fail_the_job_alone(tmp_path: Path) -> None:
    """A command that cannot be made any more is a failure of that job, not of the program."""

    def refuse(_: Parameters) -> tuple[str, ...]:
        raise InputError("The symbol is gone.")

    kind = JobKind(name="train", command=refuse, right=RIGHT, timeout_s=PATIENCE_S)
    again = JobRoom(tmp_path, kinds={"train": kind})
    row = await again.jobs.start(ACME, "train", {}, ANN)
    ended = await again.jobs.wait(ACME, row.job_id)
    assert ended.failure is not None
    assert ended.failure.message == "The symbol is gone."


async def test_cancelling_names_who_did_it(tmp_path: Path) -> None:
    """A running and a waiting job end as cancelled; a third time is a conflict."""
    house = JobRoom(tmp_path)
    running = await begun(house)
    waiting = await house.jobs.start(ACME, "train", {}, ANN)
    for job in (waiting, running):
        ended = await house.jobs.cancel(ACME, job.job_id, "user:bob")
        assert ended.state is JobStatus.CANCELLED
    assert [event.by for event in house.facts.events() if isinstance(event, JobEnded)] == [
        "user:bob", "user:bob",
    ]  # fmt: skip
    await until(lambda: not house.jobs.under_way(ACME))
    assert house.table.rows[(ACME, running.job_id)].state is JobStatus.CANCELLED
    with pytest.raises(RequestRefused) as refused:
        await house.jobs.cancel(ACME, running.job_id, "user:bob")
    assert refused.value.status == 409


async def test_a_job_cancelled_before_its_first_step_is_cancelled(tmp_path: Path) -> None:
    """Right after the start, before the loop turned: no child, a row that says so."""
    house = JobRoom(tmp_path)
    row = await house.jobs.start(ACME, "train", {}, ANN)
    assert (await house.jobs.cancel(ACME, row.job_id, ANN)).state is JobStatus.CANCELLED
    assert house.jobs.count(ACME) == 0
    assert not any(isinstance(event, JobStarted) for event in house.facts.events())


async def test_what_a_crash_left_is_interrupted_and_can_be_started_again(tmp_path: Path) -> None:
    """A second program over the same table finds the row, marks it, and repeats its parameters."""
    first = JobRoom(tmp_path)
    row = await begun(first, "repeat me")
    second = JobRoom(tmp_path, table=first.table, seed="second")
    await second.jobs.recover(ACME)
    found = await second.jobs.show(ACME, row.job_id)
    assert found.state is JobStatus.INTERRUPTED
    assert [event.state for event in second.facts.events() if isinstance(event, JobEnded)] == [
        "interrupted"
    ]
    fresh = await second.jobs.again(ACME, row.job_id, ANN)
    second.gate.touch()
    ended = await second.jobs.wait(ACME, fresh.job_id)
    assert ended.result == {"verdict": "insufficient evidence", "how": "repeat me"}
    await first.jobs.interrupt()


async def test_recovering_leaves_what_runs_alone(tmp_path: Path) -> None:
    """A tenant that is brought in once more keeps its running job; only what is over repeats."""
    house = JobRoom(tmp_path)
    row = await begun(house)
    await house.jobs.recover(ACME)
    assert (await house.jobs.show(ACME, row.job_id)).state is JobStatus.RUNNING
    with pytest.raises(RequestRefused) as refused:
        await house.jobs.again(ACME, row.job_id, ANN)
    assert refused.value.status == 409
    await house.jobs.interrupt()
    assert house.table.rows[(ACME, row.job_id)].state is JobStatus.INTERRUPTED


async def test_an_end_waits_for_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away when a job ends: how it ended is there once it is back."""
    monkeypatch.setattr(execution, "AGAIN_S", 0.01)
    house = JobRoom(tmp_path)
    row = await begun(house)
    house.table.is_away = True
    house.gate.touch()
    await until(lambda: house.jobs.under_way(ACME)[0].state is JobStatus.DONE)
    assert house.table.rows[(ACME, row.job_id)].state is not JobStatus.DONE
    house.table.is_away = False
    await until(lambda: not house.jobs.under_way(ACME))
    assert house.table.rows[(ACME, row.job_id)].state is JobStatus.DONE


async def test_nothing_starts_that_could_not_be_kept(tmp_path: Path) -> None:
    """Without database there is no job, and none is counted."""
    house = JobRoom(tmp_path)
    house.table.is_away = True
    with pytest.raises(StoreBusy):
        await house.jobs.start(ACME, "train", {}, ANN)
    assert house.jobs.count(ACME) == 0
    assert house.facts.events() == []


async def test_jobs_and_exports_share_the_quota(tmp_path: Path) -> None:
    """Two at a time: a job and an export; the third is refused until one has ended."""
    house: JobRoom

    def room(tenant_id: str, quota: str) -> None:
        assert quota == "jobs"
        if house.jobs.count(tenant_id) >= 2:
            raise RequestRefused(409, "quota_exceeded", "Full.")

    house = JobRoom(tmp_path, room=room)
    await begun(house)
    with house.jobs.place(ACME):
        assert house.jobs.count(ACME) == 2
        with pytest.raises(RequestRefused):
            await house.jobs.start(ACME, "train", {}, ANN)
        with pytest.raises(RequestRefused), house.jobs.place(ACME):
            pass
        with house.jobs.place("other"):
            assert house.jobs.count("other") == 1
    assert house.jobs.count(ACME) == 1
    await house.jobs.interrupt()
    assert house.jobs.count(ACME) == 0


async def test_tenants_do_not_see_each_others_jobs(tmp_path: Path) -> None:
    """A foreign id is a missing id."""
    house = JobRoom(tmp_path)
    row = await begun(house)
    other = TenantId("other")
    assert await house.jobs.listed(other, 10) == []
    for ask in (house.jobs.show, house.jobs.log):
        with pytest.raises(RequestRefused) as refused:
            await ask(other, row.job_id)
        assert refused.value.status == 404
    with pytest.raises(RequestRefused) as refused:
        await house.jobs.cancel(other, row.job_id, "user:eve")
    assert refused.value.status == 404
    assert (await house.jobs.listed(ACME, 10))[0].state is JobStatus.RUNNING
    await house.jobs.interrupt(ACME)
    assert house.table.rows[(ACME, row.job_id)].state is JobStatus.INTERRUPTED


def test_the_log_is_bounded_and_harmless() -> None:
    """Only the newest lines are kept, each of bounded length and without control characters."""
    job = RunningJob(
        JobRow(
            tenant_id=ACME, job_id="j1", kind="train", parameters={}, state=JobStatus.RUNNING,
            asked_by=ANN, asked_ns=1,
        )
    )  # fmt: skip
    for number in range(LOG_LINES + 7):
        job.note(f"\x1b[2J{number} " + "x" * 2_000)
    log = job.log()
    assert (len(log.lines), log.dropped) == (LOG_LINES, 7)
    assert log.lines[0].startswith("[2J7 ")
    assert max(map(len, log.lines)) == LINE_MAX
