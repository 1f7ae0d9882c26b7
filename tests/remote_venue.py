"""A remote terminal under the terminal contract: a host around any engine, on its own thread.

The market moves only while a test waits: each poll of the engine spends one permit. A step is over
when the host's answer to a question has come, which it gives after everything it had to tell.
"""

import asyncio
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

from mt5_venue import STEP_NS, STEPS_MAX, Mt5Venue
from plan2.connectivity.channels.memory import channel_pair
from plan2.dataflow.terminals.port import TerminalListener, TerminalPosition
from plan2.dataflow.terminals.remote.engine import HostEngine, Polled
from plan2.dataflow.terminals.remote.host import HostOptions, TerminalHost
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import LiveClock
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import Side, TickBlock
from remote_world import PATIENCE_S
from terminal_venue import Venue

FINE_STEPS = 50
"""Single steps before a long wait goes on in bunches."""
BUNCH = 200
STRIDE_NS = 10 * STEP_NS
"""Market time of a step; as long as from one recorded quote to the next."""


class Stepped:
    """An engine whose market goes on by one step per permit; one caller at a time."""

    def __init__(self, engine: HostEngine, step: Callable[[], None]) -> None:
        self.lock = threading.RLock()
        self.ticks_told = 0
        self._engine = engine
        self._step = step
        self._present_ns = 0
        self._permits = 0

    def grant(self, permits: int) -> None:
        """Let the market go on by so many steps."""
        with self.lock:
            self._permits += permits

    @property
    def is_still(self) -> bool:
        """Whether every permit was spent, and what came of it is on its way."""
        with self.lock:
            return self._permits == 0

    def poll(self) -> Polled:
        """Go on if that is permitted; what the engine says then."""
        with self.lock:
            if self._permits:
                self._step()
            polled = self._engine.poll()
            self.ticks_told += len(polled.ticks)
            self._present_ns = max((tick.ts_ns for tick in polled.ticks), default=self._present_ns)
            self._permits = max(0, self._permits - 1)
            return polled

    def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock | None:
        """What lies before the market's present: a live terminal never has more."""
        with self.lock:
            return self._engine.history(symbol, start_ts_ns, min(end_ts_ns, self._present_ns))

    def __getattr__(self, name: str) -> Callable[..., object]:
        call = getattr(self._engine, name)

        def locked(*arguments: object) -> object:
            with self.lock:
                return call(*arguments)

        return locked


class HostedTerminal(RemoteTerminal):
    """A remote terminal that brings its host along, over a channel in memory."""

    def __init__(self, engine: Stepped) -> None:
        super().__init__("remote", LiveClock())
        self._engine = engine
        self._folder = tempfile.TemporaryDirectory()
        self._host: TerminalHost | None = None
        self._tasks: list[asyncio.Task[object]] = []

    async def start(self, listener: TerminalListener) -> None:
        """Start the host, wait for it, then listen."""
        ours, theirs = channel_pair()
        folder = Path(self._folder.name)
        options = HostOptions(folder=folder, name="desk-7", version="0.0.test", poll_s=0.0002)
        made = cast("HostEngine", self._engine)
        self._host = TerminalHost(lambda: made, options, LiveClock(), SeededIds("host"))
        self._host.start()
        self._tasks = [
            asyncio.create_task(self._host.serve(theirs)),
            asyncio.create_task(self.attach(ours)),
        ]
        await self.wait_ready(PATIENCE_S)
        await super().start(listener)

    async def stop(self) -> None:
        """Stop listening, then the host."""
        await super().stop()
        host, self._host = self._host, None
        if host is not None:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await host.stop()
            self._folder.cleanup()


class RemoteVenue(Mt5Venue):
    """The MetaTrader 5 engine over the twin, behind a host and a link."""

    can_break = False  # a break is heard later here, and its tests ask at once

    def __init__(self, is_hedging: bool) -> None:
        super().__init__(is_hedging)
        self._stepped = Stepped(self._polled._engine, self._move)
        self.terminal = HostedTerminal(self._stepped)
        self._move()  # the host polls before anybody waits, so there must be quotes

    async def until(self, is_done: Callable[[], bool]) -> None:
        """Step until the condition holds."""
        steps = 0
        while steps < STEPS_MAX:
            bunch = 1 if steps < FINE_STEPS else BUNCH
            self._stepped.grant(bunch)
            await self._settle()
            if is_done():
                return
            steps += bunch
        raise AssertionError("what the test waits for never came")

    def person_opens(self, symbol: str, side: Side, lots: float) -> None:
        """A person buys or sells while the engine looks away."""
        with self._stepped.lock:
            super().person_opens(symbol, side, lots)

    def person_closes(self, position: TerminalPosition) -> None:
        """A person closes a position while the engine looks away."""
        with self._stepped.lock:
            super().person_closes(position)

    def _move(self) -> None:
        self.clock.advance_to(self.clock.now_ns() + STRIDE_NS)

    async def _settle(self) -> None:
        """Wait until everything that the engine told so far was heard."""
        async with asyncio.timeout(PATIENCE_S):
            while not (self.links and self._stepped.is_still):  # noqa: ASYNC110 - another thread
                await asyncio.sleep(0)
            await self.terminal.account()
            while len(self.ticks) < self._stepped.ticks_told:  # noqa: ASYNC110 - another thread
                await asyncio.sleep(0)


def remote(is_hedging: bool = True) -> Venue:
    """For the table of venues."""
    return RemoteVenue(is_hedging)
