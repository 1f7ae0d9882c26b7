"""The broker's day ends at 17:00 New York time, summer time included; the week on Sundays."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from plan2.foundation.values import NS_PER_SECOND

NEW_YORK = ZoneInfo("America/New_York")
CLOSE_HOUR = 17
SUNDAY = 6


def next_day_start_ns(ts_ns: int) -> int:
    """The first 17:00 New York after `ts_ns`, UTC nanoseconds."""
    local = datetime.fromtimestamp(ts_ns // NS_PER_SECOND, UTC).astimezone(NEW_YORK)
    close = local.replace(hour=CLOSE_HOUR, minute=0, second=0, microsecond=0)
    if local >= close:
        tomorrow = (local + timedelta(days=1)).date()
        close = datetime(tomorrow.year, tomorrow.month, tomorrow.day, CLOSE_HOUR, tzinfo=NEW_YORK)
    return int(close.timestamp()) * NS_PER_SECOND


def next_week_start_ns(ts_ns: int) -> int:
    """The first Sunday, 17:00 New York, after `ts_ns`, UTC nanoseconds: when markets open."""
    local = datetime.fromtimestamp(ts_ns // NS_PER_SECOND, UTC).astimezone(NEW_YORK)
    sunday = local.date() + timedelta(days=SUNDAY - local.weekday())
    opening = datetime(sunday.year, sunday.month, sunday.day, CLOSE_HOUR, tzinfo=NEW_YORK)
    if local >= opening:
        sunday += timedelta(days=7)
        opening = datetime(sunday.year, sunday.month, sunday.day, CLOSE_HOUR, tzinfo=NEW_YORK)
    return int(opening.timestamp()) * NS_PER_SECOND
