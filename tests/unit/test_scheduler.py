"""Recurring jobs: run at their times, shown with their results, failures visible."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import ConfigError, InputError, InvariantBroken
from plan2.foundation.health import Status
from plan2.foundation.scheduler import Job, JobState, Scheduler

SOON = "every 0.01 s"
NIGHTLY = "30 3 * * *"


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    """A scheduler whose list is stamped with microsecond 7."""
    made = Scheduler(SimulatedClock(7_000))
    yield made
    await made.stop()


class Work:
    """A job that fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures

    async def __call__(self) -> None:
        """Run once."""
        if self.failures:
            self.failures -= 1
            raise OSError("disk full, password=abc")


def only(scheduler: Scheduler) -> JobState:
    """The one job of a scheduler."""
    (state,) = scheduler.jobs()
    return state


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the list has no event to wait for
            await asyncio.sleep(0)


async def test_a_job_runs_at_its_time_and_its_result_is_kept(scheduler: Scheduler) -> None:
    """After a run: ok, stamped by our clock, with a next time."""
    work = Work()
    scheduler.add(Job("backup", work, SOON))
    before = only(scheduler)
    await scheduler.start()
    await until(lambda: only(scheduler).result != "")

    after = only(scheduler)
    assert before == JobState("backup", SOON, 0, 0, "", "")
    assert (after.result, after.detail, after.last_run_us) == ("ok", "", 7)
    assert after.next_run_us > 0


async def test_a_failed_job_degrades_until_it_succeeds(scheduler: Scheduler) -> None:
    """The reason is shown, without secrets; the next success clears it."""
    work = Work(failures=1)
    scheduler.add(Job("backup", work, NIGHTLY))
    with pytest.raises(OSError, match="disk full"):
        await scheduler.run_now("backup")
    failed = scheduler.check()
    await scheduler.run_now("backup")

    assert failed.status is Status.DEGRADED
    assert failed.detail == "Job backup failed: OSError: disk full, password=***"
    assert scheduler.check().status is Status.OK


async def test_a_failure_at_its_time_is_kept_too(scheduler: Scheduler) -> None:
    """Nobody awaits a scheduled run; its error is in the list all the same."""
    work = Work(failures=1_000_000)
    scheduler.add(Job("backup", work, SOON))
    await scheduler.start()
    await until(lambda: only(scheduler).result == "failed")

    assert "disk full" in only(scheduler).detail


async def test_a_job_never_overlaps_itself(scheduler: Scheduler) -> None:
    """While one run is under way the next is skipped and said so."""
    running = 0
    gate = asyncio.Event()

    async def slow() -> None:
        nonlocal running
        running += 1
        await gate.wait()

    scheduler.add(Job("backup", slow, SOON))
    await scheduler.start()
    await until(lambda: only(scheduler).result == "still_running")

    assert running == 1
    gate.set()


async def test_cron_lines_are_utc(scheduler: Scheduler) -> None:
    """03:30 is 12,600 s after midnight UTC, whatever the machine's zone."""
    scheduler.add(Job("backup", Work(), NIGHTLY))
    await scheduler.start()

    assert only(scheduler).next_run_us // 1_000_000 % 86_400 == 12_600


@pytest.mark.parametrize("when", ["", "nightly", "every s", "every x s", "every 0 s", "99 3 * * *"])
async def test_a_wrong_time_table_is_refused(scheduler: Scheduler, when: str) -> None:
    """The message names the job."""
    with pytest.raises(ConfigError, match="backup"):
        scheduler.add(Job("backup", Work(), when))


async def test_names_are_unique_and_known(scheduler: Scheduler) -> None:
    """Twice the same name is a fault of wiring; an unknown one a user's mistake."""
    scheduler.add(Job("backup", Work(), NIGHTLY))

    with pytest.raises(InvariantBroken, match="backup"):
        scheduler.add(Job("backup", Work(), NIGHTLY))
    with pytest.raises(InputError, match="restore"):
        await scheduler.run_now("restore")
