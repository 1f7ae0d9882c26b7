"""Jobs of tenants: in turn, with low priority, and cancelled for good."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.worker_messages import Progress
from plan2.foundation.worker_pool import Heard, WorkerJob, WorkerPool

PATIENCE_S = 60.0

BODY = """
import os, sys, time
from plan2.foundation.worker_messages import open_channel
channel = open_channel()
order, gate, name = sys.argv[1:]
with open(order, "a") as file:
    file.write(name + "\\n")
channel.progress(0.5, "started")
while not os.path.exists(gate):
    time.sleep(0.002)
channel.result(name)
"""


class Jobs:
    """Jobs that write their name when they start and end when a file appears."""

    def __init__(self, folder: Path, slots: int = 1) -> None:
        self.order = folder / "order"
        self.gate = folder / "gate"
        self.pool = WorkerPool(slots, SimulatedClock(7))

    def start(self, tenant: str, name: str) -> "asyncio.Task[object]":
        """A job in the background."""
        return asyncio.create_task(self._value(tenant, name))

    async def _value(self, tenant: str, name: str) -> object:
        argv = (sys.executable, "-c", BODY, str(self.order), str(self.gate), name)
        job = WorkerJob(tenant_id=tenant, name=name, argv=argv, timeout_s=PATIENCE_S)
        result = await self.pool.run(job)
        return result.value if result.failure is None else result.failure.code

    def started(self) -> list[str]:
        """Names in the order in which they began."""
        return self.order.read_text().split() if self.order.exists() else []

    def states(self) -> list[tuple[str, str]]:
        """Names with their state."""
        return [(job.name, job.state) for job in self.pool.jobs()]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for other processes."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)


async def test_tenants_take_turns(tmp_path: Path) -> None:
    """Three jobs of one and one of another with one slot: the other's is second, not fourth."""
    jobs = Jobs(tmp_path)
    tasks = [jobs.start("alpha", f"a{number}") for number in range(3)]
    await asyncio.sleep(0)
    tasks.append(jobs.start("beta", "b0"))
    await until(lambda: jobs.started() == ["a0"])
    jobs.gate.touch()

    assert await asyncio.gather(*tasks) == ["a0", "a1", "a2", "b0"]
    assert jobs.started() == ["a0", "b0", "a1", "a2"]
    assert jobs.states() == []


async def test_one_tenant_never_has_every_slot(tmp_path: Path) -> None:
    """With two slots a second long job of one waits while another tenant's starts at once."""
    jobs = Jobs(tmp_path, slots=2)
    tasks = [jobs.start("alpha", "a0"), jobs.start("alpha", "a1")]
    await until(lambda: jobs.started() == ["a0"])
    assert sorted(jobs.states()) == [("a0", "running"), ("a1", "waiting")]
    tasks.append(jobs.start("beta", "b0"))
    await until(lambda: jobs.started() == ["a0", "b0"])
    jobs.gate.touch()
    assert await asyncio.gather(*tasks) == ["a0", "a1", "b0"]


async def test_cancelling_frees_the_place(tmp_path: Path) -> None:
    """A waiting job leaves the queue; a running one is killed, and the next starts."""
    jobs = Jobs(tmp_path)
    running, waiting = jobs.start("alpha", "a0"), jobs.start("alpha", "a1")
    await until(lambda: any(job.pid for job in jobs.pool.jobs()))
    last = jobs.start("beta", "b0")
    pid = jobs.pool.jobs()[0].pid
    waiting.cancel()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        await running

    jobs.gate.touch()
    assert await last == "b0"
    assert "a1" not in jobs.started()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert jobs.pool.jobs_of("alpha") == 0


async def test_a_job_cancelled_the_moment_it_gets_its_turn_gives_it_back(tmp_path: Path) -> None:
    """Between the turn and the start nothing is lost: the next job runs."""
    jobs = Jobs(tmp_path)
    jobs.gate.touch()
    first = jobs.start("alpha", "a0")
    await asyncio.sleep(0)  # it has its turn and has not started
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await jobs.start("alpha", "a1") == "a1"


async def test_a_job_shows_its_process_and_progress(tmp_path: Path) -> None:
    """Pid, fraction and message; the process has low priority."""
    jobs = Jobs(tmp_path)
    seen: list[Progress] = []
    argv = (sys.executable, "-c", BODY, str(jobs.order), str(jobs.gate), "a0")
    job = WorkerJob(tenant_id="alpha", name="train", argv=argv, timeout_s=PATIENCE_S)
    task = asyncio.create_task(jobs.pool.run(job, Heard(on_progress=seen.append)))
    await until(lambda: bool(seen))
    [state] = jobs.pool.jobs()

    assert (state.tenant_id, state.name, state.state, state.since_ns) == (
        "alpha", "train", "running", 7,
    )  # fmt: skip
    assert (state.fraction, state.message) == (0.5, "started")
    if os.name != "nt":
        assert psutil.Process(state.pid).nice() >= psutil.Process().nice() + 1
    jobs.gate.touch()
    assert (await task).value == "a0"
