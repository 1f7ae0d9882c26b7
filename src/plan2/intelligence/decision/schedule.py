"""Scheduled economic events around which models enter nothing, each as it was known at the time.

Prices jump and spreads widen when a figure comes out, and no model has learned the figure. Who asks
about a time is told only what was known then (`dataflow.economic_calendar`), so live trading, a
backtest and a replay are told the same.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

import msgspec

from plan2.dataflow.economic_calendar import HIGH, IMPACTS, Entry
from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.values import NS_PER_MINUTE


class ScheduledEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the economic calendar; `at_ns` is when it takes place, UTC."""

    at_ns: int
    currency: str
    name: str
    impact: str


class Rest(msgspec.Struct, frozen=True):
    """How long before and after an event nothing is entered, ns, and of which impact at least."""

    before_ns: int = 0
    after_ns: int = 0
    least: int = HIGH

    def covers(self, ts_ns: int, at_ns: int) -> bool:
        """Whether a time lies in the rest around an event."""
        return at_ns - self.before_ns <= ts_ns < at_ns + self.after_ns


NO_REST: Final = Rest()


def rest_of(config: DecisionConfig) -> Rest:
    """What the configuration says."""
    return Rest(
        int(config.event_minutes_before * NS_PER_MINUTE),
        int(config.event_minutes_after * NS_PER_MINUTE),
        IMPACTS.index(config.event_least_impact),
    )


class Schedule:
    """The events that concern a symbol; asked only when an entry is wanted."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = sorted(
            entries, key=lambda each: (each.at_ns, -each.impact, each.currency, each.name)
        )
        self._times = [each.at_ns for each in self._entries]

    def near(self, ts_ns: int, rest: Rest) -> ScheduledEvent | None:
        """The nearest event whose rest covers a time; of several the weightiest.

        An event that was not known to be scheduled at that time, or not any more, does not count.
        """
        first = bisect_right(self._times, ts_ns - rest.after_ns)
        last = bisect_right(self._times, ts_ns + rest.before_ns)
        known = [
            each
            for each in self._entries[first:last]
            if each.known_from_ns <= ts_ns < each.known_until_ns and each.impact >= rest.least
        ]
        if not known:
            return None
        found = min(known, key=lambda each: (abs(each.at_ns - ts_ns), -each.impact))
        return ScheduledEvent(
            at_ns=found.at_ns,
            currency=found.currency,
            name=found.name,
            impact=IMPACTS[found.impact],
        )

    def windows(self, rest: Rest) -> list[tuple[int, int]]:
        """All times at which something is near, as spans [start, end) in order, none touching."""
        spans = sorted(
            (
                max(each.at_ns - rest.before_ns, each.known_from_ns),
                min(each.at_ns + rest.after_ns, each.known_until_ns),
            )
            for each in self._entries
            if each.impact >= rest.least
        )
        found: list[tuple[int, int]] = []
        for start, end in spans:
            if start >= end:
                continue
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            else:
                found.append((start, end))
        return found

    def digest(self, rest: Rest) -> str:
        """SHA-256 of the times at which something is near; "" for none."""
        windows = self.windows(rest)
        return hashlib.sha256(msgspec.json.encode(windows)).hexdigest() if windows else ""


NOTHING_SCHEDULED: Final = Schedule()
