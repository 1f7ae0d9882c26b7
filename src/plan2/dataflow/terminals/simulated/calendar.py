"""The FX week, its three sessions and the daily rollover, without a time-zone database.

Summer time follows the two laws in force since 2007: New York (second Sunday of March 2:00 to first
Sunday of November 2:00, local) and London (last Sundays of March and October, 1:00 UTC). The market
is open from Sunday 17:00 to Friday 17:00 New York time, so it opens and closes on a whole UTC hour.
Days count from the Unix epoch. Weekdays count as the broker does: 0 = Sunday … 6 = Saturday.
"""

import datetime as dt
from functools import lru_cache

from plan2.foundation.errors import InvariantBroken
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR

EPOCH = dt.date(1970, 1, 1)
CLOSE_HOUR = 17
"""The FX day and week turn at this hour, New York time."""
TOKYO_OFFSET_H = 9
SUNDAY, FRIDAY, SATURDAY = 0, 5, 6


def date_of(day: int) -> dt.date:
    """The calendar date of an epoch day."""
    return EPOCH + dt.timedelta(days=day)


def weekday(day: int) -> int:
    """The broker's weekday of an epoch day; 1970-01-01 was a Thursday (4)."""
    return (day + 4) % 7


def new_york_offset_h(ts_ns: int) -> int:
    """Hours to add to UTC for New York wall time: -5, or -4 in summer."""
    start, end = _new_york_summer(date_of(ts_ns // NS_PER_DAY).year)
    return -4 if start <= ts_ns < end else -5


def london_offset_h(ts_ns: int) -> int:
    """Hours to add to UTC for London wall time: 0, or 1 in summer."""
    start, end = _london_summer(date_of(ts_ns // NS_PER_DAY).year)
    return 1 if start <= ts_ns < end else 0


def is_open(ts_ns: int) -> bool:
    """Whether the FX week is in session at this instant; holidays are not modelled."""
    local = ts_ns + new_york_offset_h(ts_ns) * NS_PER_HOUR
    day, hour = weekday(local // NS_PER_DAY), local % NS_PER_DAY // NS_PER_HOUR
    if day == SATURDAY:
        return False
    if day == SUNDAY:
        return hour >= CLOSE_HOUR
    return day != FRIDAY or hour < CLOSE_HOUR


def next_open_ns(ts_ns: int) -> int:
    """The first instant at or after `ts_ns` at which the market is open."""
    while not is_open(ts_ns):
        ts_ns = (ts_ns // NS_PER_HOUR + 1) * NS_PER_HOUR
    return ts_ns


def next_rollover_ns(after_ns: int) -> int:
    """The first 17:00 New York of a Monday … Friday that lies strictly after `after_ns`."""
    local_day = (after_ns + new_york_offset_h(after_ns) * NS_PER_HOUR) // NS_PER_DAY
    for day in range(local_day, local_day + 5):
        moment = _new_york_close_ns(day)
        if moment > after_ns and weekday(day) not in {SUNDAY, SATURDAY}:
            return moment
    raise InvariantBroken(f"no rollover within five days of {after_ns}")


def rollover_weekday(rollover_ns: int) -> int:
    """The New York weekday that ends with this rollover."""
    return weekday((rollover_ns + new_york_offset_h(rollover_ns) * NS_PER_HOUR) // NS_PER_DAY)


def _new_york_close_ns(day: int) -> int:
    close_ns = day * NS_PER_DAY + CLOSE_HOUR * NS_PER_HOUR
    return close_ns - new_york_offset_h(close_ns) * NS_PER_HOUR


@lru_cache(maxsize=64)
def _new_york_summer(year: int) -> tuple[int, int]:
    """First and last instant of New York summer time: 2:00 standard, 2:00 daylight time."""
    march = _sunday_on_or_after(dt.date(year, 3, 8))
    november = _sunday_on_or_after(dt.date(year, 11, 1))
    return march * NS_PER_DAY + 7 * NS_PER_HOUR, november * NS_PER_DAY + 6 * NS_PER_HOUR


@lru_cache(maxsize=64)
def _london_summer(year: int) -> tuple[int, int]:
    """First and last instant of London summer time, both at 1:00 UTC."""
    march = _sunday_on_or_after(dt.date(year, 3, 25))
    october = _sunday_on_or_after(dt.date(year, 10, 25))
    return march * NS_PER_DAY + NS_PER_HOUR, october * NS_PER_DAY + NS_PER_HOUR


def _sunday_on_or_after(date: dt.date) -> int:
    day = (date - EPOCH).days
    return day + (-weekday(day)) % 7
