"""Time as a port: live, or moved by hand; nothing else in Plan2 reads the machine's clock."""

import time
from typing import Protocol

from plan2.foundation.errors import InvariantBroken


class Clock(Protocol):
    """What time it is, in nanoseconds since the Unix epoch, UTC."""

    def now_ns(self) -> int:
        """The current market time, UTC nanoseconds."""
        ...


class LiveClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Wall time, UTC nanoseconds."""
        return time.time_ns()


class SimulatedClock:
    """A clock that only moves forward when told to; replay, backtest and tests use it."""

    __slots__ = ("_now_ns",)

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The time last set, UTC nanoseconds."""
        return self._now_ns

    def advance_to(self, ts_ns: int) -> None:
        """Move to `ts_ns`, which must not lie before the current time."""
        if ts_ns < self._now_ns:  # not `require`: its message would be built on every tick
            raise InvariantBroken(f"clock at {self._now_ns} cannot go back to {ts_ns}")
        self._now_ns = ts_ns


def stopwatch_ns() -> int:
    """Monotonic nanoseconds for measuring durations; never a time stamp."""
    return time.perf_counter_ns()
