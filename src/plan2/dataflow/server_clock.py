"""A broker's server clock: what its wall time is in UTC, for whole columns at once.

MetaTrader writes times of its server without a zone. Most FX brokers run the "New York close"
clock, New York time plus seven hours, so that the trading day ends at 17:00 in New York.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MINUTE, Int64Array

NEW_YORK: Final = "America/New_York"
GRAIN_NS: Final = 15 * NS_PER_MINUTE
"""All offsets in use today change on quarters of an hour, so one lookup serves a quarter."""

NO_SUCH_TIME: Final = -(2**63)
"""Marks a wall time that the clock skips when summer time begins."""

_ZONE_SHIFT: Final = re.compile(
    r"(newyork|utc|gmt)?\s*(?:([+-])(\d{1,2})(?::?(\d{2}))?)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ServerClock:
    """Wall time = local time of `zone` (None: UTC) + `shift_ns`."""

    name: str
    zone: str | None
    shift_ns: int

    @staticmethod
    def parse(text: str) -> "ServerClock":
        """Read `newyork+7`, `UTC`, `UTC+2`, `UTC-5` or a zone name such as `Europe/Athens`.

        Raises:
            InputError: it is none of these.
        """
        found = _ZONE_SHIFT.fullmatch(text.strip())
        if found and text.strip():
            base, sign, hours, minutes = found.groups()
            shift_ns = int(hours or 0) * NS_PER_HOUR + int(minutes or 0) * NS_PER_MINUTE
            shift_ns = -shift_ns if sign == "-" else shift_ns
            if (base or "").lower() == "newyork":
                return ServerClock(f"New York {_signed(shift_ns)}", NEW_YORK, shift_ns)
            return ServerClock(f"UTC{_signed(shift_ns)}" if shift_ns else "UTC", None, shift_ns)
        clock = ServerClock(text, text or "none given", 0)
        try:
            clock.from_utc(np.zeros(1, np.int64))
        except (pl.exceptions.PolarsError, ValueError):
            raise InputError(
                f"Time zone {text!r} is not known.",
                remedy="Use newyork+7 (most MT5 brokers), UTC, UTC+2 or, say, Europe/Athens.",
            ) from None
        return clock

    def to_utc(self, local_ns: Int64Array) -> Int64Array:
        """Wall times, ns as if they were UTC, to real UTC ns.

        Of a wall time that happens twice (summer time ends) the first is meant; one that never
        happens becomes `NO_SUCH_TIME`.
        """
        shifted = local_ns - self.shift_ns
        if self.zone is None:
            return shifted
        grains = _Grains(shifted)
        naive = pl.Series(grains.starts_ns).cast(pl.Datetime("ns"))
        aware = naive.dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")
        utc = aware.dt.convert_time_zone("UTC").to_physical()
        moved: Int64Array = (utc - pl.Series(grains.starts_ns)).fill_null(0).to_numpy()
        skipped: Int64Array = utc.is_null().cast(pl.Int64).to_numpy()
        return np.where(grains.spread(skipped) == 1, NO_SUCH_TIME, shifted + grains.spread(moved))

    def from_utc(self, ts_ns: Int64Array) -> Int64Array:
        """UTC ns to wall times, ns as if they were UTC."""
        if self.zone is None:
            return ts_ns + self.shift_ns
        grains = _Grains(ts_ns)
        utc = pl.Series(grains.starts_ns).cast(pl.Datetime("ns", "UTC"))
        local = utc.dt.convert_time_zone(self.zone).dt.replace_time_zone(None).to_physical()
        moved: Int64Array = (local - pl.Series(grains.starts_ns)).to_numpy()
        return ts_ns + grains.spread(moved) + self.shift_ns


class _Grains:
    """The quarters of an hour that a column of times passes through, in order."""

    def __init__(self, times_ns: Int64Array) -> None:
        quarters = times_ns // GRAIN_NS
        first = np.flatnonzero(np.diff(quarters, prepend=quarters[:1] - 1))
        self.starts_ns: Int64Array = quarters[first] * GRAIN_NS
        self._lengths = np.diff(first, append=len(times_ns))

    def spread(self, values: Int64Array) -> Int64Array:
        """One value for each quarter, repeated for each time in it."""
        return np.repeat(values, self._lengths)


def _signed(shift_ns: int) -> str:
    hours, rest_ns = divmod(abs(shift_ns), NS_PER_HOUR)
    minutes = f":{rest_ns // NS_PER_MINUTE:02d}" if rest_ns else ""
    return f"{'-' if shift_ns < 0 else '+'}{hours}{minutes}"
