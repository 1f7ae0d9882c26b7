"""A made-up but regular economic calendar: what is published when, and how it surprises.

The releases of a day depend on the seed and the day alone, so the calendar of any day can be asked
for without the days before. Times follow the local clock of the publishing country.
"""

import hashlib
from functools import lru_cache
from statistics import NormalDist

import msgspec

from plan2.dataflow.terminals.simulated import calendar
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

EVERY_MONTH = frozenset(range(1, 13))


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timetable: a release that may happen on some weekdays of some months.

    Attributes:
        zone: whose wall clock `hour` and `minute` belong to: new_york, london or tokyo.
        weekdays: 0 = Sunday. first_day, last_day: days of the month. chance: probability a day.
        impact: 1 (ordinary) to 3 (the market waits for it).
    """

    name: str
    currency: str
    zone: str
    hour: int
    minute: int
    weekdays: frozenset[int]
    impact: int
    chance: float = 1.0
    first_day: int = 1
    last_day: int = 31
    months: frozenset[int] = EVERY_MONTH


class NewsEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled release; `surprise` is standard normal, positive = its currency gains."""

    ts_ns: int
    currency: str
    name: str
    impact: int
    surprise: float


def _workdays(*days: int) -> frozenset[int]:
    return frozenset(days or range(1, 6))


TIMETABLE = (
    Release(name="US employment", currency="USD", zone="new_york", hour=8, minute=30,
            weekdays=_workdays(5), impact=3, last_day=7),
    Release(name="US inflation", currency="USD", zone="new_york", hour=8, minute=30,
            weekdays=_workdays(3), impact=3, first_day=9, last_day=15),
    Release(name="US data", currency="USD", zone="new_york", hour=8, minute=30,
            weekdays=_workdays(1, 2, 4), impact=1, chance=0.5),
    Release(name="US survey", currency="USD", zone="new_york", hour=10, minute=0,
            weekdays=_workdays(), impact=1, chance=0.3),
    Release(name="Federal Reserve", currency="USD", zone="new_york", hour=14, minute=0,
            weekdays=_workdays(3), impact=3, first_day=16, last_day=22,
            months=frozenset({1, 3, 5, 6, 7, 9, 11, 12})),
    Release(name="Euro area data", currency="EUR", zone="london", hour=9, minute=0,
            weekdays=_workdays(), impact=1, chance=0.35),
    Release(name="European Central Bank", currency="EUR", zone="london", hour=13, minute=15,
            weekdays=_workdays(4), impact=3, first_day=6, last_day=12,
            months=frozenset({1, 3, 4, 6, 7, 9, 10, 12})),
    Release(name="UK data", currency="GBP", zone="london", hour=7, minute=0,
            weekdays=_workdays(), impact=1, chance=0.35),
    Release(name="Bank of England", currency="GBP", zone="london", hour=12, minute=0,
            weekdays=_workdays(4), impact=2, first_day=15, last_day=21,
            months=frozenset({2, 3, 5, 6, 8, 9, 11, 12})),
    Release(name="Japan data", currency="JPY", zone="tokyo", hour=8, minute=50,
            weekdays=_workdays(), impact=1, chance=0.3),
    Release(name="Australia data", currency="AUD", zone="tokyo", hour=9, minute=30,
            weekdays=_workdays(), impact=1, chance=0.3),
    Release(name="New Zealand data", currency="NZD", zone="tokyo", hour=6, minute=45,
            weekdays=_workdays(), impact=1, chance=0.2),
    Release(name="Canada data", currency="CAD", zone="new_york", hour=8, minute=30,
            weekdays=_workdays(), impact=1, chance=0.25),
    Release(name="Swiss data", currency="CHF", zone="london", hour=7, minute=30,
            weekdays=_workdays(), impact=1, chance=0.2),
)  # fmt: skip


@lru_cache(maxsize=64)
def news_of_day(seed: int, day: int) -> tuple[NewsEvent, ...]:
    """The releases whose local date is the epoch day `day`, in order of time."""
    events = (_release_on(release, seed, day) for release in TIMETABLE)
    return tuple(sorted((e for e in events if e is not None), key=lambda event: event.ts_ns))


def news_between(seed: int, start_ns: int, end_ns: int) -> tuple[NewsEvent, ...]:
    """Releases with start ≤ time < end, in order of time."""
    days = range(start_ns // NS_PER_DAY - 1, end_ns // NS_PER_DAY + 2)
    events = (event for day in days for event in news_of_day(seed, day))
    found = (event for event in events if start_ns <= event.ts_ns < end_ns)
    return tuple(sorted(found, key=lambda event: event.ts_ns))


def _release_on(release: Release, seed: int, day: int) -> NewsEvent | None:
    date = calendar.date_of(day)
    due = (
        calendar.weekday(day) in release.weekdays
        and release.first_day <= date.day <= release.last_day
        and date.month in release.months
    )
    if not due or _fraction(seed, day, release.name, "chance") >= release.chance:
        return None
    return NewsEvent(
        ts_ns=_instant_ns(release, day),
        currency=release.currency,
        name=release.name,
        impact=release.impact,
        surprise=NormalDist().inv_cdf(_fraction(seed, day, release.name, "surprise")),
    )


def _instant_ns(release: Release, day: int) -> int:
    local = day * NS_PER_DAY + release.hour * NS_PER_HOUR + release.minute * NS_PER_MINUTE
    if release.zone == "tokyo":
        return local - calendar.TOKYO_OFFSET_H * NS_PER_HOUR
    if release.zone == "london":
        return local - calendar.london_offset_h(local) * NS_PER_HOUR
    return local - calendar.new_york_offset_h(local) * NS_PER_HOUR


def _fraction(*names: object) -> float:
    """A number in (0, 1) that depends on nothing but `names`."""
    text = "\x1f".join(str(name) for name in names)
    word = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    return ((word >> 11) + 0.5) * 2.0**-53
