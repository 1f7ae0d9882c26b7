"""Heavy work in a child process: training, backtests, reports would freeze the event loop here.

The child speaks JSON lines on its standard output (`worker_messages` holds the messages and the
child's side); its standard error is kept for the report of a failure. It runs at low priority with
one numeric thread, and nothing of it outlives the parent: the whole process group is killed when
the caller is cancelled, or the time or the memory is used up, and the child ends itself when its
parent disappears.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Final

import msgspec
import psutil

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.worker_messages import LINE_MAX_BYTES, Failure, Progress, Result, decode

NICE: Final = 10
TAIL_LINES: Final = 40
KILL_WITHIN_S: Final = 5.0
"""How long a killed child may take to disappear before it is left to the operating system."""
LOOK_EVERY_S: Final = 1.0
"""How often the memory of a child is looked at."""
MEBIBYTE: Final = 1 << 20

ONE_THREAD: Final = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "POLARS_MAX_THREADS",
    ),
    "1",
)
"""Environment of a worker: more numeric threads would take the cores from trading, and other sums
in another order would make another model from the same data."""


class WorkerResult(msgspec.Struct, frozen=True):
    """How a worker ended: exactly one of `value` (when `failure` is None) and `failure` counts.

    `value` is whatever plain data the child reported; `stderr_tail` its last lines of log.
    """

    value: Any  # the verb that the child runs owns the shape
    failure: Failure | None
    exit_code: int
    seconds: float
    stderr_tail: list[str]


async def run_worker(
    argv: Sequence[str],
    on_progress: Callable[[Progress], None],
    timeout_s: float,
    on_start: Callable[[int], None] = lambda _: None,
    *,
    on_line: Callable[[str], None] = lambda _: None,
    memory_mb: int = 0,
) -> WorkerResult:
    """Run a command as a child process and wait for its result.

    Args:
        argv: the command, e.g. `[sys.executable, "-m", "plan2", "train", …]`.
        on_progress: called on the event loop with the newest progress; when messages come faster
            than the loop turns, those in between are skipped.
        timeout_s: after this long the child is killed and the failure is `worker_timeout`.
        on_start: called on the event loop with the process id once the child runs.
        on_line: called on the event loop with each line that is no message.
        memory_mb: above this resident size, MiB, of the child and its descendants it is killed and
            the failure is `worker_memory`; 0 sets no limit.

    Returns:
        The result; a failure is a value here: what the child reported, or `worker_crashed`,
        `worker_timeout`, `worker_memory`, `worker_missing` (the command could not be started).
    """
    started_ns = stopwatch_ns()
    heard = _Heard(on_progress, on_start, on_line)
    child = _Child(argv, asyncio.get_running_loop(), heard, memory_mb)
    threading.Thread(target=child.run, name="worker", daemon=True).start()
    timed_out = False
    try:
        async with asyncio.timeout(timeout_s):
            await child.ended.wait()
    except TimeoutError:
        timed_out = True
    finally:
        if not child.ended.is_set():  # time is up, or the caller was cancelled
            child.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.ended.wait(), KILL_WITHIN_S)
    failure = child.failure()
    if timed_out:
        text = f"The worker did not end within {timeout_s:.0f} s."
        failure = Failure("worker_timeout", text, "")
    value = child.result.value if child.result is not None and failure is None else None
    seconds = (stopwatch_ns() - started_ns) / 1e9
    return WorkerResult(value, failure, child.exit_code, seconds, list(child.stderr_tail))


class _Heard(msgspec.Struct, frozen=True):
    """Who is told what, always on the event loop."""

    on_progress: Callable[[Progress], None]
    on_start: Callable[[int], None]
    on_line: Callable[[str], None]


class _Child:
    """The process, and the threads that start it, read from it, watch it and wait for its end."""

    def __init__(
        self,
        argv: Sequence[str],
        loop: asyncio.AbstractEventLoop,
        heard: _Heard,
        memory_mb: int,
    ) -> None:
        self.ended = asyncio.Event()
        self.result: Result | None = None
        self.exit_code = -1
        self.stderr_tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._argv = argv
        self._loop = loop
        self._heard = heard
        self._memory_mb = memory_mb
        self._gone = threading.Event()
        self._newest: Progress | None = None
        self._reported: Failure | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_killed = False

    def run(self) -> None:
        """Start the process and follow it to its end; the body of the thread."""
        try:
            process = _spawn(self._argv)
        except OSError as error:
            text = f"Cannot start {self._argv[0]}: {error.strerror}."
            self._reported = Failure("worker_missing", text, "")
        else:
            self._process = process
            self._post(lambda: self._heard.on_start(process.pid))
            if self._is_killed:  # cancelled while it was being started
                _kill_tree(process)
            self._follow(process)
        self._gone.set()
        self._post(self.ended.set)

    def kill(self) -> None:
        """Kill the process with all its descendants."""
        self._is_killed = True
        if self._process is not None:
            _kill_tree(self._process)

    def failure(self) -> Failure | None:
        """Why there is no result; None when there is one."""
        if self._reported is not None:
            return self._reported
        if self.result is not None and self.exit_code == 0:
            return None
        tail = " ".join(list(self.stderr_tail)[-3:])
        text = f"The worker ended with code {self.exit_code} and no result. {tail}".strip()
        return Failure("worker_crashed", text, "")

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        with process:  # closes the pipes and waits
            errors = threading.Thread(target=self._read_stderr, args=(process,), daemon=True)
            errors.start()
            if self._memory_mb:
                threading.Thread(target=self._watch, args=(process,), daemon=True).start()
            for line in _lines(process.stdout):
                self._take(line)
            errors.join()
        self.exit_code = process.returncode

    def _take(self, line: bytes) -> None:
        message = decode(line)
        if isinstance(message, Progress):
            is_first = self._newest is None
            self._newest = message
            if is_first:
                self._post(self._deliver)
        elif isinstance(message, Result):
            self.result = message
        elif isinstance(message, Failure):
            self._reported = message
        else:
            self._note(line)

    def _note(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        self.stderr_tail.append(text)
        self._post(lambda: self._heard.on_line(text))

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a child that takes more memory than it may; asks the system, so in a thread."""
        while not self._gone.wait(LOOK_EVERY_S):
            used_mb = _memory_mb(process.pid)
            if used_mb > self._memory_mb:
                text = f"The worker took {used_mb} MiB; {self._memory_mb} MiB are allowed."
                remedy = "Ask for less at a time, or raise workers.memory_mb."
                self._reported = Failure("worker_memory", text, remedy)
                self.kill()
                return

    def _deliver(self) -> None:
        newest, self._newest = self._newest, None
        if newest is not None:
            self._heard.on_progress(newest)

    def _read_stderr(self, process: subprocess.Popen[bytes]) -> None:
        for line in _lines(process.stderr):
            self._note(line)

    def _post(self, callback: Callable[[], object]) -> None:
        """Call on the loop; it may be closed already when the process is going away."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback)


def _lines(stream: IO[bytes] | None) -> Iterator[bytes]:
    return iter(lambda: stream.readline(LINE_MAX_BYTES) if stream is not None else b"", b"")


def _memory_mb(pid: int) -> int:
    """Resident MiB of a process and its descendants; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for member in family:
        with contextlib.suppress(psutil.Error):  # it ended meanwhile
            total += member.memory_info().rss
    return total // MEBIBYTE


def _spawn(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **ONE_THREAD},
        creationflags=flags,
        start_new_session=True,
    )
    with contextlib.suppress(psutil.Error):
        low = psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else NICE
        psutil.Process(process.pid).nice(low)
    return process


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill the child, its descendants, and on POSIX whatever else is in its group."""
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(process.pid)
        for member in [*parent.children(recursive=True), parent]:
            with contextlib.suppress(psutil.Error):
                member.kill()
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
