"""A host in a child process of ours: started, watched, killed when stuck, started again.

One child at a time: the next one is started when the last one is gone for good. The terminal's own
patience is the watchdog: when it gives a silent link up, the child behind it is killed. A selector
loop of Windows cannot wait for a process or a pipe, so threads do. What only a person can settle
ends it all: starting the child again would change nothing.
"""

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import IO, Final

import msgspec
import numpy as np

from plan2.connectivity.channels.channel import Channel, CloseCode
from plan2.connectivity.channels.framed import LoopbackListener
from plan2.dataflow.terminals.remote.child import Errand
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.errors import ConfigError
from plan2.foundation.log import logger

TAIL_LINES: Final = 20
LINE_MAX_BYTES: Final = 64 * 1024
LOG_WITHIN_S: Final = 1.0
SAID: Final = "Error: "
"""How the command line begins the sentence that a process ends with."""
LOG_IN: Final = "Log the terminal in to the expected account, or configure the other one by name."


class LocalOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the parent is, seconds.

    Attributes:
        start_s: for a child to come up and connect.
        orderly_s: for it to end by itself when told to.
        pause_first_s, pause_max_s: between two starts; doubled after each failure, with jitter.
        steady_after_s: a child that lived so long forgives earlier failures.
    """

    start_s: float = 60.0
    orderly_s: float = 5.0
    pause_first_s: float = 0.5
    pause_max_s: float = 60.0
    steady_after_s: float = 60.0


class LocalHost:
    """Keeps one child running for a terminal.

    Args:
        terminal: gets the child's link.
        argv: the command of the child, which reads an errand (see `child.py`).
        settings: JSON that the child's engine needs; may hold secrets.
        rng: the jitter of the pauses.
        options: see there.
    """

    def __init__(
        self,
        terminal: RemoteTerminal,
        argv: Sequence[str],
        settings: bytes,
        rng: np.random.Generator,
        options: LocalOptions | None = None,
    ) -> None:
        self._terminal = terminal
        self._argv = list(argv)
        self._settings = settings
        self._rng = rng
        self._options = options or LocalOptions()
        self._child: _Child | None = None
        self._log = logger("local_host")

    @property
    def pid(self) -> int:
        """The child's process id; 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    async def run(self) -> None:
        """Keep a child running until cancelled; returns when the last one is gone.

        Raises:
            ConfigError: a person must act; no child runs any more.
        """
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began_s = loop.time()
            try:
                reason = await self._run_once()
            except ConfigError as error:
                self._terminal.explain(str(error))
                raise
            is_steady = loop.time() - began_s > self._options.steady_after_s
            failures = 1 if is_steady else failures + 1
            pause_s = self._pause_s(failures)
            self._log.warning("terminal_host_ended", reason=reason, pause_s=pause_s)
            self._terminal.explain(reason)
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> str:
        """Start a child and serve it to its end; returns why it ended.

        Raises:
            ConfigError: it ended for a reason that lasts, or its account is not the expected one.
        """
        listener = await LoopbackListener.open()
        errand = Errand(listener.port, listener.secret.reveal(), msgspec.Raw(self._settings))
        child = self._child = _Child(self._argv, msgspec.json.encode(errand) + b"\n")
        channel: Channel | None = None
        try:
            child.start()
            channel = await self._accept(listener, child)
            reason = "the terminal host did not come up"
            if channel is not None:
                reason = await self._terminal.attach(channel)
        finally:
            listener.close()
            await self._end(child, channel)
            self._child = None
        if child.exit_code == ConfigError.exit_code:
            raise ConfigError(child.last_words.removeprefix(SAID) or reason)
        if self._terminal.refusal:
            raise ConfigError(f"{self._terminal.refusal}.", remedy=LOG_IN)
        return reason if channel is not None else child.last_words or reason

    async def _accept(self, listener: LoopbackListener, child: "_Child") -> Channel | None:
        """The child's link; None when it died or did not connect in time."""
        accepting = asyncio.create_task(listener.accept())
        ending = asyncio.create_task(child.ended.wait())
        try:
            await asyncio.wait(
                {accepting, ending},
                timeout=self._options.start_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            return accepting.result() if accepting.done() else None
        finally:
            accepting.cancel()
            ending.cancel()

    async def _end(self, child: "_Child", channel: Channel | None) -> None:
        """See the child gone: let it end by itself, then kill it, then wait as long as it takes."""
        if channel is not None:
            await channel.close(CloseCode.GOING_AWAY, "the parent ends this link")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.ended.wait(), self._options.orderly_s)
        child.kill()
        await child.ended.wait()

    def _pause_s(self, failures: int) -> float:
        doubled: float = self._options.pause_first_s * 2 ** min(failures - 1, 20)
        jitter = float(self._rng.uniform(0.5, 1.0))
        return min(doubled, self._options.pause_max_s) * jitter


class _Child:
    """A process, and the threads that start it, wait for it and pass its log on."""

    def __init__(self, argv: list[str], errand: bytes) -> None:
        self.ended = asyncio.Event()
        self.pid = 0
        self._argv = argv
        self._errand = errand
        self._loop = asyncio.get_running_loop()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_killed = False
        self._lock = threading.Lock()

    @property
    def last_words(self) -> str:
        """The last line of its log."""
        return self._tail[-1] if self._tail else ""

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None before that, or when it could not be started."""
        return self._process.returncode if self._process is not None else None

    def start(self) -> None:
        """Begin to start it; `ended` is set when it is gone or could not be started."""
        threading.Thread(target=self._follow, name="terminal-host", daemon=True).start()

    def kill(self) -> None:
        """Kill it if it is there, now or as soon as it is; harmless when it is gone."""
        with self._lock:
            self._is_killed = True
            if self._process is not None:
                self._process.kill()

    def _follow(self) -> None:
        try:
            with self._lock:
                if not self._is_killed:
                    self._process = _spawn(self._argv)
        except OSError as error:
            self._tail.append(f"Cannot start {self._argv[0]}: {error.strerror}.")
        if self._process is not None:
            self.pid = self._process.pid
            self._watch(self._process)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self.ended.set)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Give it its errand and wait for its end; its input stays open meanwhile."""
        reading = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
        reading.start()
        if process.stdin is not None:
            with contextlib.suppress(OSError):  # it died at once; its log says why
                process.stdin.write(self._errand)
                process.stdin.flush()
        process.wait()
        reading.join(LOG_WITHIN_S)  # not for ever: a grandchild may hold the other end
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()

    def _read(self, log: IO[bytes] | None) -> None:
        """Pass its log on to ours, but for the sentence it ends with, and keep the end of it."""
        for line in iter(lambda: log.readline(LINE_MAX_BYTES) if log is not None else b"", b""):
            text = line.decode(errors="replace").rstrip()
            self._tail.append(text)
            if not text.startswith(SAID):
                sys.stderr.write(text + "\n")


def _spawn(argv: list[str]) -> subprocess.Popen[bytes]:
    """A process of its own group, so that Ctrl+C reaches us first and we end it in order."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        creationflags=flags,
        start_new_session=True,
    )
