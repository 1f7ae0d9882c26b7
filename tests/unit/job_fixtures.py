# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""A table of jobs in memory, and jobs whose child is a few lines of Python."""

import asyncio
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import msgspec

from plan2.connectivity.identity.room import Room, no_limit
from plan2.connectivity.jobs.job import UNDER_WAY, JobKind, JobLog, JobRow, JobStatus, Parameters
from plan2.connectivity.jobs.service import JobParts, Jobs
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.base import Event
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import TenantId
from plan2.foundation.worker_pool import WorkerPool

PATIENCE_S = 60.0
RIGHT = ("POST", "/api/v1/jobs/train")

BODY = """
import os, sys, time
from plan2.foundation.errors import InputError
from plan2.foundation.worker_messages import open_channel
channel = open_channel()
gate, how = sys.argv[1:]
print("a line of its own", flush=True)
channel.progress(0.25, "half of a half")
while not os.path.exists(gate):
    time.sleep(0.002)
if how == "fail":
    error = InputError("No ticks of EURUSD.", remedy="Import some.")
    channel.failure(error)
    sys.exit(error.exit_code)
channel.result({"verdict": "insufficient evidence", "how": how})
"""


class MemoryJobs:
    """Implements `JobTable`; `is_away` makes it unreachable."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], JobRow] = {}
        self.logs: dict[tuple[str, str], JobLog] = {}
        self.is_away = False

    def _check(self) -> None:
        if self.is_away:
            raise StoreBusy("There is no database here.")

    async def insert(self, job: JobRow) -> None:
        self._check()
        self.rows[(job.tenant_id, job.job_id)] = job

    async def update(self, job: JobRow, log: JobLog) -> None:
        self._check()
        self.rows[(job.tenant_id, job.job_id)] = job
        self.logs[(job.tenant_id, job.job_id)] = log

    async def find(self, tenant_id: TenantId, job_id: str) -> JobRow | None:
        self._check()
        return self.rows.get((tenant_id, job_id))

    async def listed(self, tenant_id: TenantId, kind: str, limit: int) -> list[JobRow]:
        self._check()
        found = [
            row
            for (owner, _), row in self.rows.items()
            if owner == tenant_id and kind in {"", row.kind}
        ]
        return sorted(found, key=lambda row: -row.asked_ns)[:limit]

    async def log(self, tenant_id: TenantId, job_id: str) -> JobLog | None:
        self._check()
        if (tenant_id, job_id) not in self.rows:
            return None
        return self.logs.get((tenant_id, job_id), JobLog())

    async def interrupt(
        self, tenant_id: TenantId, now_ns: int, alive: Collection[str]
    ) -> list[str]:
        self._check()
        found = []
        for (owner, job_id), row in self.rows.items():
            if owner == tenant_id and row.state in UNDER_WAY and job_id not in alive:
                self.rows[(owner, job_id)] = msgspec.structs.replace(
                    row, state=JobStatus.INTERRUPTED, ended_ns=now_ns
                )
                found.append(job_id)
        return found


class Facts:
    """Takes events as `Record` does."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str, Event]] = []

    def __call__(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        self.written.append((tenant_id, actor, event))

    def events(self) -> list[Event]:
        """What was written, in order."""
        return [event for _, _, event in self.written]


class JobRoom:
    """Jobs over a table in memory, whose children wait for a file."""

    def __init__(
        self,
        folder: Path,
        *,
        table: MemoryJobs | None = None,
        room: Room = no_limit,
        kinds: Mapping[str, JobKind] | None = None,
        seed: str = "jobs",
    ) -> None:
        self.gate = folder / "gate"
        self.table = table or MemoryJobs()
        self.facts = Facts()
        self.clock = SimulatedClock(1_000_000_000)
        self.changes: list[tuple[str, str]] = []
        self.jobs = Jobs(
            JobParts(
                table=self.table,
                pool=WorkerPool(1, self.clock),
                kinds=kinds or {"train": JobKind(
                    name="train", command=self.command, right=RIGHT, timeout_s=PATIENCE_S
                )},
                room=room,
                record=self.facts,
            ),
            self.clock,
            SeededIds(seed),
        )  # fmt: skip
        self.jobs.on_change(lambda tenant, job: self.changes.append((tenant, job)))

    def command(self, parameters: Parameters) -> tuple[str, ...]:
        """A child that waits for the gate."""
        return (sys.executable, "-c", BODY, str(self.gate), str(parameters.get("how", "")))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for other processes."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.005)
