"""The broker's wall clock: all times of the package are written in it, as if it were UTC.

Two policies. A configured clock (`newyork+7`, `Europe/Athens`, `UTC+2`) knows its summer time; the
ticks only check it. `measured` takes the offset from fresh ticks: several must agree, a weekend
keeps the last one, and a change (summer time) is taken over once several agree again.

In autumn one local hour comes twice. A time near the present is read with the offset that holds
now, so live data of that hour is right. In history it is the first of the two, and a symbol that
trades through it (no FX symbol does, the change lies in the weekend) has both hours in one. The
measured policy reads history with today's offset: older than the last change, it is an hour off.
"""

from typing import Final

import numpy as np

from plan2.dataflow.server_clock import NO_SUCH_TIME, ServerClock
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND, Int64Array

MEASURED: Final = "measured"
STEP_S: Final = 1_800
"""Offsets of all brokers are whole half hours."""
OFFSET_MAX_S: Final = 14 * 3_600
FRESH_NS: Final = 2 * NS_PER_SECOND
"""Longest pause between two looks for which a changed quote counts as fresh."""
LAG_MAX_S: Final = 60
"""Furthest a fresh quote may lie from a whole half hour: the machine's clock must be this good."""
SAMPLES: Final = 5
NEAR_NS: Final = 30 * NS_PER_MINUTE
QUARTER_NS: Final = 15 * NS_PER_MINUTE
CACHE_MAX: Final = 4_096


class ServerTime:
    """Turns server times into UTC and back.

    Args:
        policy: a clock that `ServerClock.parse` knows, or `measured`.
        offset_s: the offset measured last, None when never.

    Raises:
        InputError: the policy is not understood.
    """

    def __init__(self, policy: str, offset_s: int | None = None) -> None:
        self.offset_s = offset_s
        self._clock = None if policy == MEASURED else ServerClock.parse(policy)
        self._candidate_s = 0
        self._agreeing = 0
        self._quarters: dict[int, int] = {}

    @property
    def is_known(self) -> bool:
        """Whether times can be told; not while a measured offset is missing or in doubt."""
        if self._clock is not None:
            return True
        is_in_doubt = self._agreeing > 0 and self._candidate_s != self.offset_s
        return self.offset_s is not None and not is_in_doubt

    def observe(self, server_ms: int, now_ns: int) -> None:
        """Look at a quote that arrived just now; only call it for such."""
        ahead_s = server_ms / 1_000 - now_ns / NS_PER_SECOND
        offset_s = round(ahead_s / STEP_S) * STEP_S
        if abs(ahead_s - offset_s) > LAG_MAX_S or abs(offset_s) > OFFSET_MAX_S:
            return
        self._agreeing = self._agreeing + 1 if offset_s == self._candidate_s else 1
        self._candidate_s = offset_s
        if self._agreeing >= SAMPLES:
            self.offset_s = offset_s

    def doubt(self, now_ns: int) -> str:
        """Why times cannot be trusted, empty when they can."""
        if self._clock is None:
            return "" if self.is_known else "server_clock: the offset is not measured yet"
        if self._agreeing < SAMPLES:
            return ""
        expected_s = self._offset_ns(now_ns) // NS_PER_SECOND
        if expected_s == self._candidate_s:
            return ""
        return (
            f"server_clock: quotes are at UTC{self._candidate_s / 3600:+g} h, "
            f"{self._clock.name} says UTC{expected_s / 3600:+g} h"
        )

    def to_utc_ns(self, server_ms: int, now_ns: int) -> int:
        """A server time, ms, in UTC ns; one that may be the present is read as such."""
        server_ns = server_ms * 1_000_000
        live_ns = server_ns - self._offset_ns(now_ns)
        if abs(live_ns - now_ns) <= NEAR_NS:
            return live_ns
        return server_ns - self._server_offset_ns(server_ns)

    def column_to_utc(self, server_ms: Int64Array, now_ns: int) -> Int64Array:
        """The same for a column in time order, int64[n] ms to int64[n] ns."""
        server_ns = server_ms * 1_000_000
        live_ns = server_ns - self._offset_ns(now_ns)
        if len(live_ns) == 0 or (
            abs(int(live_ns[0]) - now_ns) <= NEAR_NS and abs(int(live_ns[-1]) - now_ns) <= NEAR_NS
        ):
            return live_ns
        return self._read(server_ns)

    def to_server_s(self, ts_ns: int) -> int:
        """A UTC time in server seconds, rounded down."""
        return (ts_ns + self._offset_ns(ts_ns)) // NS_PER_SECOND

    def _offset_ns(self, ts_ns: int) -> int:
        """Server time minus UTC at a UTC time."""
        if self._clock is None:
            return (self.offset_s or 0) * NS_PER_SECOND
        key = ts_ns // QUARTER_NS
        found = self._quarters.get(key)
        if found is None:
            start = np.array([key * QUARTER_NS])
            found = int(self._clock.from_utc(start)[0] - start[0])
            self._keep(key, found)
        return found

    def _server_offset_ns(self, server_ns: int) -> int:
        """Server time minus UTC at a server time."""
        start_ns = server_ns // QUARTER_NS * QUARTER_NS
        key = -1 - start_ns // QUARTER_NS
        found = self._quarters.get(key)
        if found is None:
            found = start_ns - int(self._read(np.array([start_ns]))[0])
            self._keep(key, found)
        return found

    def _read(self, server_ns: Int64Array) -> Int64Array:
        """Server times to UTC; one that the clock skips is read as if it had not jumped yet."""
        if self._clock is None:
            return server_ns - (self.offset_s or 0) * NS_PER_SECOND
        utc = self._clock.to_utc(server_ns)
        skipped = utc == NO_SUCH_TIME
        if bool(skipped.any()):
            before = self._clock.to_utc(server_ns[skipped] - NS_PER_HOUR)
            utc[skipped] = before + NS_PER_HOUR
        return utc

    def _keep(self, key: int, offset_ns: int) -> None:
        """UTC quarters have keys from 0 up, server quarters from -1 down."""
        if len(self._quarters) >= CACHE_MAX:
            self._quarters.clear()
        self._quarters[key] = offset_ns
