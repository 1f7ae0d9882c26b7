"""Plays a source of ticks to one listener, at a multiple of real time or as fast as it can.

Invariants: the clock stands at a tick's time when the listener hears of it. At most `SLICE_NS` of
work happens before the loop gets its turn, so a web page stays alive at full speed. When the gate
is closed (somebody downstream is behind) nothing is played; nothing is ever skipped but idle time.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from plan2.dataflow.sources import MergedTicks, TickSource
from plan2.foundation.clock import SimulatedClock, stopwatch_ns
from plan2.foundation.errors import require
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Tick

SLICE_NS = 5 * NS_PER_MS
ROWS = 1024
"""Ticks turned into values at once."""
GATE_EVERY = 64
"""Ticks between two looks at the gate."""
GATE_PAUSE_S = 0.002
NAP_S = 0.05
"""The longest wait before looking again whether somebody paused, stopped or changed the speed."""
LAG_MAX_NS = NS_PER_SECOND
"""Further behind the wall than this, lost time is forgotten instead of being made up in a burst."""


class Pacing(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a replay runs.

    Attributes:
        speed: market seconds per second; None = as fast as the listener can.
        idle_skip_s: a longer market time without any tick is skipped (a closed weekend).
    """

    speed: float | None = None
    idle_skip_s: float = 900.0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a replay stands; `state` is ready, playing, paused, stopped or finished."""

    state: str
    ts_ns: int
    ticks: int
    speed: float | None


@dataclass(frozen=True, slots=True)
class Wall:
    """The passing of real time; tests put their own in its place."""

    now_ns: Callable[[], int] = stopwatch_ns
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Pace:
    """Which market time is due now; time 0 of both axes moves with every interruption."""

    def __init__(self, pacing: Pacing, wall: Wall) -> None:
        self.speed = pacing.speed
        self._idle_skip_ns = int(pacing.idle_skip_s * NS_PER_SECOND)
        self._wall = wall
        self._wall_zero_ns = 0
        self._market_zero_ns = 0

    def begin(self, ts_ns: int) -> None:
        """Let `ts_ns` be due at this moment."""
        self._wall_zero_ns = self._wall.now_ns()
        self._market_zero_ns = ts_ns

    def due_ns(self) -> int:
        """The market time that is due."""
        speed = self.speed
        if speed is None:
            return 2**63 - 1
        return self._market_zero_ns + int((self._wall.now_ns() - self._wall_zero_ns) * speed)

    def wait_s(self, ts_ns: int) -> float:
        """Real seconds until `ts_ns` is due; 0 when it is, when time is skipped or forgotten."""
        if self.speed is None:
            return 0.0
        ahead_ns = ts_ns - self.due_ns()
        if ahead_ns > self._idle_skip_ns or ahead_ns < -LAG_MAX_NS * self.speed:
            self.begin(ts_ns)
            return 0.0
        return max(0.0, ahead_ns / self.speed / NS_PER_SECOND)


class Player:
    """One replay, once.

    Args:
        source: what is played. clock: moved to each tick's time before it is delivered.
        pacing: how fast. gate: false while the player has to wait for somebody downstream.
    """

    def __init__(
        self,
        source: TickSource,
        clock: SimulatedClock,
        pacing: Pacing | None = None,
        gate: Callable[[], bool] = lambda: True,
        wall: Wall | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._gate = gate
        self._wall = wall or Wall()
        self._pace = Pace(pacing or Pacing(), self._wall)
        self._state = "ready"
        self._go_on = asyncio.Event()
        self._go_on.set()
        self._ticks = 0

    @property
    def progress(self) -> Progress:
        """Where the replay stands."""
        return Progress(
            state=self._state if self._go_on.is_set() else "paused",
            ts_ns=self._clock.now_ns(),
            ticks=self._ticks,
            speed=self._pace.speed,
        )

    def pause(self) -> None:
        """Play nothing until `resume`; before `run`, not even the first tick."""
        if self._state in {"ready", "playing"}:
            self._go_on.clear()

    def resume(self) -> None:
        """Go on after `pause`; the time in between does not count."""
        if not self._go_on.is_set():
            self._pace.begin(self._clock.now_ns())
            self._go_on.set()

    def stop(self) -> None:
        """End the replay: no tick is delivered after this call returns."""
        if self._state != "finished":
            self._state = "stopped"
        self._go_on.set()

    def set_speed(self, speed: float | None) -> None:
        """Change the pace from here on; None = as fast as the listener can."""
        require(speed is None or (speed > 0 and math.isfinite(speed)), f"speed {speed} must be > 0")
        self._pace.speed = speed
        self._pace.begin(self._clock.now_ns())

    async def run(
        self,
        deliver: Callable[[Tick], None],
        start_ns: int,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        """Play from `start_ns` until the source ends or `stop`; `on_end` hears of the source's end.

        What `deliver` raises ends the replay and reaches the caller.
        """
        if self._state == "stopped":
            return
        require(self._state == "ready", f"a player plays once; this one is {self._state}")
        self._state = "playing"
        self._clock.advance_to(max(start_ns, self._clock.now_ns()))
        self._pace.begin(start_ns)
        for block in self._source.blocks(start_ns):
            await self._play_block(block, deliver)
            if self._has_stopped():
                return
        self._state = "finished"
        if on_end is not None:
            on_end()

    def _has_stopped(self) -> bool:
        return self._state == "stopped"

    async def _play_block(self, block: MergedTicks, deliver: Callable[[Tick], None]) -> None:
        await self._wall.sleep(0)
        for row in range(0, len(block), ROWS):
            if not self._has_stopped():
                await self._play(block.ticks(row, row + ROWS), deliver)

    async def _play(self, ticks: list[Tick], deliver: Callable[[Tick], None]) -> None:
        done = 0
        while done < len(ticks):
            await self._until_due(ticks[done].ts_ns)
            if self._has_stopped():
                return
            done = self._play_slice(ticks, done, deliver)

    async def _until_due(self, ts_ns: int) -> None:
        """Give the loop its turn, then wait for permission and for time to come."""
        await self._wall.sleep(0)
        while not self._has_stopped():
            if not self._go_on.is_set():
                await self._go_on.wait()
            elif not self._gate():
                await self._wall.sleep(GATE_PAUSE_S)
            elif wait_s := self._pace.wait_s(ts_ns):
                await self._wall.sleep(min(wait_s, NAP_S))
            else:
                return

    def _play_slice(self, ticks: list[Tick], first: int, deliver: Callable[[Tick], None]) -> int:
        """Deliver ticks that are due for a few milliseconds; returns the next one's place."""
        now_ns, advance_to = self._wall.now_ns, self._clock.advance_to
        deadline_ns, due_ns = now_ns() + SLICE_NS, self._pace.due_ns()
        for place in range(first, len(ticks)):
            tick = ticks[place]
            if place > first and (
                self._has_stopped()
                or not self._go_on.is_set()
                or tick.ts_ns > due_ns
                or now_ns() >= deadline_ns
                or (place % GATE_EVERY == 0 and not self._gate())
            ):
                return place
            advance_to(tick.ts_ns)
            deliver(tick)
            self._ticks += 1
        return len(ticks)
