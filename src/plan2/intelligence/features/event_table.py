"""The economic calendar as the arrays that compiled features read."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from plan2.dataflow.economic_calendar import FOR_EVER_NS, HIGH, Entry
from plan2.intelligence.features.surroundings import EventTable

LEAST_FIGURES = 8
"""Published figures of an event before a surprise can be called usual."""


class CalendarEvents:
    """The events of all currencies, read once."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)

    def table(self, currencies: Sequence[str]) -> EventTable:
        """Events of high impact for these currencies, by time, and their surprises."""
        found = [
            each for each in self._entries if each.impact == HIGH and each.currency in currencies
        ]
        surprises = sorted(surprises_of(found))
        return EventTable(
            np.array([each.at_ns for each in found], np.int64),
            np.array([each.known_from_ns for each in found], np.int64),
            np.array([each.known_until_ns for each in found], np.int64),
            np.array([published for published, _ in surprises], np.int64),
            np.array([size for _, size in surprises], np.float64),
        )


def surprises_of(entries: Iterable[Entry]) -> list[tuple[int, float]]:
    """When a figure was published, and how far it was from what was expected.

    In units of the root mean square of the same event's earlier surprises: only what was published
    before has a part in it. Events with fewer than eight earlier figures give nothing.
    """
    squares: dict[tuple[str, str], list[float]] = {}
    found = []
    published = [each for each in entries if each.published_ns < FOR_EVER_NS]
    for each in sorted(published, key=lambda entry: (entry.published_ns, entry.name)):
        surprise = each.actual - each.forecast
        if math.isnan(surprise):
            continue
        earlier = squares.setdefault((each.currency, each.name), [])
        usual = math.sqrt(sum(earlier) / len(earlier)) if earlier else 0.0
        if len(earlier) >= LEAST_FIGURES and usual > 0.0:
            found.append((each.published_ns, abs(surprise) / usual))
        earlier.append(surprise * surprise)
    return found
