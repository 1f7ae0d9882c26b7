"""The broker's day: it ends at 17:00 New York time, summer time included."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from plan2.foundation.values import NS_PER_SECOND

NEW_YORK = ZoneInfo("America/New_York")
CLOSE_HOUR = 17


def next_day_start_ns(ts_ns: int) -> int:
    """The first 17:00 New York after `ts_ns`, UTC nanoseconds."""
    local = datetime.fromtimestamp(ts_ns // NS_PER_SECOND, UTC).astimezone(NEW_YORK)
    close = local.replace(hour=CLOSE_HOUR, minute=0, second=0, microsecond=0)
    if local >= close:
        tomorrow = (local + timedelta(days=1)).date()
        close = datetime(tomorrow.year, tomorrow.month, tomorrow.day, CLOSE_HOUR, tzinfo=NEW_YORK)
    return int(close.timestamp()) * NS_PER_SECOND
