"""Workers: real child processes that succeed, fail, crash, hang and are cancelled."""

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from plan2.foundation.worker_messages import Failure, Progress
from plan2.foundation.workers import NICE, WorkerResult, run_worker

SOURCES = Path(__file__).parents[2] / "src"
PATIENCE_S = 60.0
OPEN = "from plan2.foundation.worker_messages import open_channel\nchannel = open_channel()\n"


@pytest.fixture(autouse=True)
def _children_find_plan2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))


async def run(body: str, seen: list[Progress] | None = None) -> WorkerResult:
    """Run Python code as a worker that has opened its channel."""
    progress: list[Progress] = [] if seen is None else seen
    return await run_worker([sys.executable, "-c", OPEN + body], progress.append, PATIENCE_S)


async def test_a_worker_reports_progress_and_a_result() -> None:
    """Plain data comes back; the last progress is never lost."""
    seen: list[Progress] = []
    body = """
channel.progress(0.5, "epoch 1", loss=0.25)
channel.progress(1.0, "epoch 2", loss=0.125)
channel.result({"model_id": "m1", "trees": [1, 2, 3]})
"""
    outcome = await run(body, seen)

    assert outcome.value == {"model_id": "m1", "trees": [1, 2, 3]}
    assert (outcome.failure, outcome.exit_code) == (None, 0)
    assert seen[-1] == Progress(1.0, "epoch 2", {"loss": 0.125})


async def test_what_libraries_print_is_not_a_message() -> None:
    """print() and raw writes to file descriptor 1 end up in the log tail."""
    body = """
import os
print("[0] train-logloss:0.69")
os.write(1, b"raw noise\\n")
channel.result(42)
"""
    outcome = await run(body)

    assert outcome.value == 42
    assert sorted(outcome.stderr_tail) == ["[0] train-logloss:0.69", "raw noise"]


async def test_a_reported_failure_is_a_value() -> None:
    """One of our errors arrives with code, sentence and remedy."""
    body = """
import sys
from plan2.foundation.errors import InputError
error = InputError("No ticks of EURUSD.", remedy="Import some.")
channel.failure(error)
sys.exit(error.exit_code)
"""
    outcome = await run(body)

    assert outcome.failure == Failure("input_invalid", "No ticks of EURUSD.", "Import some.")
    assert (outcome.value, outcome.exit_code) == (None, 3)


async def test_a_crash_brings_the_end_of_its_log() -> None:
    """A traceback's last line and the exit code are in the failure."""
    outcome = await run("raise ValueError('bad column')")

    assert outcome.failure is not None
    assert outcome.failure.code == "worker_crashed"
    assert "code 1" in outcome.failure.message
    assert "bad column" in outcome.failure.message


async def test_a_result_counts_only_with_exit_code_zero() -> None:
    """A child that reports and then dies has not succeeded."""
    outcome = await run("channel.result(1)\nimport os\nos._exit(9)")

    assert outcome.value is None
    assert outcome.failure is not None
    assert outcome.exit_code == 9


async def test_a_message_that_is_too_long_is_refused() -> None:
    """A result beyond the limit becomes a failure that says what to do."""
    body = """
from plan2.foundation import worker_messages
worker_messages.LINE_MAX_BYTES = 1000
channel.result("x" * 1001)
"""
    outcome = await run(body)

    assert outcome.failure is not None
    assert outcome.failure.code == "worker_message_too_long"


async def test_a_command_that_does_not_exist_is_a_failure() -> None:
    """Named, without an exception."""
    outcome = await run_worker(["/nowhere/plan2"], lambda _: None, PATIENCE_S)

    assert outcome.failure is not None
    assert outcome.failure.code == "worker_missing"
    assert "/nowhere/plan2" in outcome.failure.message


HANG_WITH_GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
channel.progress(0.0, str(child.pid))
time.sleep(600)
"""


async def grandchild_pid(seen: asyncio.Queue[Progress]) -> int:
    """The pid that the hanging worker announced."""
    return int((await asyncio.wait_for(seen.get(), PATIENCE_S)).message)


def is_gone(pid: int) -> bool:
    """Whether a process ended (a zombie waiting for its parent has)."""
    try:
        return psutil.Process(pid).status() in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return True


async def until_gone(pids: set[int]) -> None:
    """Wait until the processes that were killed have ended; a kill takes the system a moment."""
    async with asyncio.timeout(10):
        while not all(is_gone(pid) for pid in pids):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)


async def test_cancelling_kills_the_whole_group() -> None:
    """Neither the worker nor what it started survives its caller."""
    seen: asyncio.Queue[Progress] = asyncio.Queue()
    argv = [sys.executable, "-c", OPEN + HANG_WITH_GRANDCHILD]
    task = asyncio.create_task(run_worker(argv, seen.put_nowait, PATIENCE_S))
    pid = await grandchild_pid(seen)
    group = {pid, psutil.Process(pid).ppid()}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert os.getpid() not in group
    await until_gone(group)


async def test_time_is_limited() -> None:
    """Past its time the worker is killed and the failure says so."""
    seen: asyncio.Queue[Progress] = asyncio.Queue()
    argv = [sys.executable, "-c", OPEN + HANG_WITH_GRANDCHILD]
    outcome = await run_worker(argv, seen.put_nowait, 3.0)

    assert outcome.failure is not None
    assert outcome.failure.code == "worker_timeout"
    await until_gone({await grandchild_pid(seen)})


async def test_memory_is_limited() -> None:
    """A worker that takes more than it may is killed, and the failure says how much it took."""
    body = "import time\nkept = bytearray(200 << 20)\ntime.sleep(600)"
    outcome = await run_worker(
        [sys.executable, "-c", OPEN + body], lambda _: None, PATIENCE_S, memory_mb=150
    )

    assert outcome.failure is not None
    assert outcome.failure.code == "worker_memory"
    taken = int(outcome.failure.message.split(" took ")[1].split()[0])
    assert taken > 150
    assert "workers.memory_mb" in outcome.failure.remedy


async def test_lines_are_heard_while_the_worker_runs() -> None:
    """What it prints arrives before it ends, in its order."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    body = (
        "import sys, time\nfor n in range(3):\n    print(f'epoch {n}', flush=True)\ntime.sleep(600)"
    )
    argv = [sys.executable, "-c", OPEN + body]
    task = asyncio.create_task(
        run_worker(argv, lambda _: None, PATIENCE_S, on_line=lines.put_nowait)
    )
    heard = [await asyncio.wait_for(lines.get(), PATIENCE_S) for _ in range(3)]
    assert heard == ["epoch 0", "epoch 1", "epoch 2"]
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


PARENT = """
import asyncio, sys
from plan2.foundation.workers import run_worker
argv = [sys.executable, "-c", sys.argv[1]]
asyncio.run(run_worker(argv, lambda progress: print(progress.message, flush=True), 60))
"""


async def test_a_worker_ends_with_its_parent() -> None:
    """When the parent is killed outright, the child notices the closed pipe and goes."""
    worker_body = OPEN + "import os, time\nchannel.progress(0.0, str(os.getpid()))\ntime.sleep(600)"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, worker_body, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    worker = psutil.Process(int(await asyncio.wait_for(parent.stdout.readline(), PATIENCE_S)))
    parent.kill()
    await parent.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, [worker], 30)

    assert alive == []


async def test_a_worker_is_nice_and_uses_one_numeric_thread() -> None:
    """Trading keeps the cores; the priority is set right after the start."""
    body = """
import os, psutil, sys, time
while psutil.Process().nice() == int(sys.argv[1]):
    time.sleep(0.001)
channel.result([int(psutil.Process().nice()), os.environ["OMP_NUM_THREADS"]])
"""
    mine = str(int(psutil.Process().nice()))
    argv = [sys.executable, "-c", OPEN + body, mine]
    outcome = await run_worker(argv, lambda _: None, PATIENCE_S)

    assert outcome.value[1] == "1"
    if os.name != "nt":
        assert outcome.value[0] == NICE
