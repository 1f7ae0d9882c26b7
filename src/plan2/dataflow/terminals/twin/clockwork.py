"""The twin's time: the clock that the market follows, and how a call waits.

A wait moves a simulated clock and lets a live one run, so the same code is deterministic in tests
and takes real time in a child process.
"""

import threading
from typing import Final, Protocol

import numpy as np

from plan2.dataflow.server_clock import GRAIN_NS, NO_SUCH_TIME, ServerClock
from plan2.foundation.clock import Clock, SimulatedClock
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MS, NS_PER_SECOND, Int64Array

SHIFTS_MAX: Final = 4_096
"""Quarters of an hour whose offset is remembered."""


class TwinTime(Protocol):
    """What time it is at the trade server, and how to let some of it pass."""

    def now_ns(self) -> int:
        """Market time, UTC nanoseconds."""
        ...

    def wait_ns(self, duration_ns: int) -> None:
        """Return when `duration_ns` of market time have passed."""
        ...


class SteppedTime:
    """Follows a simulated clock; a wait moves the clock forward."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def now_ns(self) -> int:
        """The clock's time, UTC nanoseconds."""
        return self._clock.now_ns()

    def wait_ns(self, duration_ns: int) -> None:
        """Move the clock."""
        if duration_ns > 0:
            self._clock.advance_to(self._clock.now_ns() + duration_ns)


class RunningTime:
    """Market time that runs `speed` times as fast as a live clock; a wait blocks the caller.

    Args:
        clock: the live clock. anchor_ns, market_ns: the market showed `market_ns` at `anchor_ns`.
    """

    def __init__(self, clock: Clock, anchor_ns: int, market_ns: int, speed: float = 1.0) -> None:
        self._clock = clock
        self._anchor_ns = anchor_ns
        self._market_ns = market_ns
        self._speed = speed

    def now_ns(self) -> int:
        """Market time, UTC nanoseconds."""
        return self._market_ns + int((self._clock.now_ns() - self._anchor_ns) * self._speed)

    def wait_ns(self, duration_ns: int) -> None:
        """Block as the real package blocks on its pipe."""
        if duration_ns > 0:
            threading.Event().wait(duration_ns / self._speed / NS_PER_SECOND)


class ServerTime:
    """The broker's wall clock written as if it were UTC: what every time of the package is."""

    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock
        self._shifts: dict[int, int] = {}

    def ms(self, ts_ns: int) -> int:
        """UTC nanoseconds as server milliseconds."""
        return (ts_ns + self._shift_at(ts_ns)) // NS_PER_MS

    def s(self, ts_ns: int) -> int:
        """UTC nanoseconds as server seconds."""
        return (ts_ns + self._shift_at(ts_ns)) // NS_PER_SECOND

    def column_ms(self, ts_ns: Int64Array) -> Int64Array:
        """A column of UTC nanoseconds, in order, as server milliseconds."""
        if len(ts_ns) and ts_ns[0] // GRAIN_NS == ts_ns[-1] // GRAIN_NS:
            return (ts_ns + self._shift_at(int(ts_ns[0]))) // NS_PER_MS
        return self._clock.from_utc(ts_ns) // NS_PER_MS

    def utc_ns(self, server_s: int) -> int:
        """Server seconds as UTC nanoseconds; the first of a repeated hour.

        A time that the clock skips is read with the offset in force an hour before.
        """
        local_ns = server_s * NS_PER_SECOND
        likely_ns = local_ns - self._shift_at(local_ns)
        shift_ns = local_ns - likely_ns
        # No change of the clock near by: neither skipped nor repeated.
        if self._shift_at(likely_ns) == self._shift_at(likely_ns - NS_PER_HOUR) == shift_ns:
            return likely_ns
        found = int(self._clock.to_utc(np.array([local_ns], np.int64))[0])
        if found != NO_SUCH_TIME:
            return found
        return self.utc_ns(server_s - 3_600) + 3_600 * NS_PER_SECOND

    def _shift_at(self, ts_ns: int) -> int:
        """The offset in force, looked up once for each quarter of an hour."""
        grain = ts_ns // GRAIN_NS
        if grain not in self._shifts:
            if len(self._shifts) >= SHIFTS_MAX:
                self._shifts.clear()
            moved = self._clock.from_utc(np.array([ts_ns], np.int64))
            self._shifts[grain] = int(moved[0]) - ts_ns
        return self._shifts[grain]
