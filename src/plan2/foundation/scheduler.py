"""Recurring work by name: backups, retention, retraining; visible, never overlapping, in UTC.

A thin layer over APScheduler: a job is a coroutine function without arguments, it runs on the event
loop (heavy work belongs into `workers`), and what happened last is kept and shown. A failed job
makes the scheduler's health DEGRADED until the job succeeds again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Final

import msgspec
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from plan2.foundation.clock import Clock
from plan2.foundation.errors import ConfigError, InputError, require
from plan2.foundation.health import Health, Status
from plan2.foundation.secret import redact_text

GRACE_S: Final = 300
"""A job that could not start in time still runs when it is at most this late."""


class JobState(msgspec.Struct, frozen=True):
    """One row of the list of jobs; times in microseconds UTC, 0 = never.

    `result` of the last run: `""` (not yet), `ok`, `failed`, `missed` or `still_running`.
    """

    name: str
    when: str
    next_run_us: int
    last_run_us: int
    result: str
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """Recurring work.

    Attributes:
        name: unique, snake_case.
        command: what to do; runs on the event loop.
        when: a cron line in UTC (`"30 3 * * *"`), or `"every 90 s"`.
    """

    name: str
    command: Callable[[], Awaitable[None]]
    when: str


class Scheduler:
    """Runs jobs at their times; add them all before `start()`.

    Args:
        clock: stamps the list of jobs; the times of runs follow the machine's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._last: dict[str, JobState] = {}
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE_S},
        )

    def add(self, job: Job) -> None:
        """Declare a job.

        Raises:
            ConfigError: `when` is neither a cron line nor `every N s`.
        """
        require(job.name not in self._jobs, f"scheduler job {job.name} is added twice")
        trigger = _trigger(job)
        self._jobs[job.name] = job
        self._last[job.name] = JobState(job.name, job.when, 0, 0, "", "")
        self._scheduler.add_job(self._run, trigger, [job], id=job.name)

    async def start(self) -> None:
        """Begin to run jobs."""
        self._scheduler.add_listener(self._on_skip, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._scheduler.start()

    async def stop(self) -> None:
        """Run nothing more; a job under way is cancelled."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
            await asyncio.sleep(0)  # shutdown takes effect in the loop's next turn

    async def run_now(self, name: str) -> None:
        """Run a job at once, outside its times, and wait for it.

        Raises:
            InputError: no such job.
            Exception: whatever the job raised; it counts as the job's last run.
        """
        job = self._jobs.get(name)
        if job is None:
            raise InputError(
                f"There is no job {name!r}.", remedy=f"The jobs are {', '.join(self._jobs)}."
            )
        await self._run(job)

    def jobs(self) -> list[JobState]:
        """Every job with its next and last run, in the order they were added."""
        return [
            msgspec.structs.replace(last, next_run_us=self._next_run_us(name))
            for name, last in self._last.items()
        ]

    def check(self) -> Health:
        """DEGRADED while the last run of any job failed."""
        failed = [state for state in self._last.values() if state.result == "failed"]
        metrics = {"jobs": float(len(self._last)), "failed": float(len(failed))}
        if failed:
            text = "; ".join(f"Job {state.name} failed: {state.detail}" for state in failed)
            return Health(Status.DEGRADED, text, metrics)
        return Health(Status.OK, "", metrics)

    def _next_run_us(self, name: str) -> int:
        entry = self._scheduler.get_job(name)
        due = getattr(entry, "next_run_time", None)  # absent until the scheduler runs
        return int(due.timestamp() * 1_000_000) if due is not None else 0

    async def _run(self, job: Job) -> None:
        """Run a job and keep its outcome, whatever it is.

        A coroutine method, because APScheduler puts anything else that is callable into a thread.
        """
        with contextlib.ExitStack() as outcome:
            outcome.push(lambda _kind, error, _trace: self._keep_outcome(job.name, error))
            await job.command()

    def _keep_outcome(self, name: str, error: BaseException | None) -> None:
        if error is None:
            self._keep(name, "ok", "")
        else:
            self._keep(name, "failed", redact_text(f"{type(error).__name__}: {error}"))

    def _on_skip(self, event: JobEvent) -> None:
        overlaps = event.code == EVENT_JOB_MAX_INSTANCES
        self._keep(event.job_id, "still_running" if overlaps else "missed", "")

    def _keep(self, name: str, result: str, detail: str) -> None:
        self._last[name] = msgspec.structs.replace(
            self._last[name],
            last_run_us=self._clock.now_ns() // 1_000,
            result=result,
            detail=detail,
        )


def _trigger(job: Job) -> BaseTrigger:
    words = job.when.split()
    try:
        if words[:1] == ["every"] and words[2:] == ["s"]:
            seconds = float(words[1])
            if seconds <= 0:
                raise ValueError("the interval must be above zero")
            return IntervalTrigger(seconds=seconds, timezone=UTC)
        return CronTrigger.from_crontab(job.when, timezone=UTC)
    except ValueError as error:
        raise ConfigError(
            f"Job {job.name}: {job.when!r} is not a time table: {error}.",
            remedy='Write a cron line in UTC like "30 3 * * *", or "every 90 s".',
        ) from error
