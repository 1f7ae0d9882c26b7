"""Local times of London, New York and Tokyo from UTC, in compiled integer arithmetic.

Day counts and civil dates follow Howard Hinnant's "chrono-compatible low-level date algorithms".
Summer time follows the rules in force since 2007 (United States) and 1996 (European Union); the
years before 2007 would be an hour off in New York for some weeks of spring and autumn.
"""

import math

from plan2.intelligence.features.kernels import kernel
from plan2.intelligence.features.state import MINUTES_PER_WEEK, Calendar, Values

DAY_S = 86_400
HOUR_S = 3_600
MINUTE_NS = 60_000_000_000
TOKYO_OFFSET_S = 9 * HOUR_S
ROLLOVER_HOUR = 17
# Days after the first of March.
MARCH_8, MARCH_25, OCTOBER_25, NOVEMBER_1 = 7, 24, 238, 245


@kernel
def weekday_of(day: int) -> int:
    """Weekday (Monday 0 … Sunday 6) of a day counted from 1970-01-01, a Thursday."""
    return (day + 3) % 7


@kernel
def year_of(day: int) -> int:
    """Civil year of a day counted from 1970-01-01."""
    shifted = day + 719_468
    era = shifted // 146_097
    day_of_era = shifted - era * 146_097
    leap_days = day_of_era // 1_460 - day_of_era // 36_524 + day_of_era // 146_096
    year_of_era = (day_of_era - leap_days) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    return year_of_era + era * 400 + (1 if day_of_year >= 306 else 0)


@kernel
def first_of_march(year: int) -> int:
    """Days from 1970-01-01 to the first of March, after which leap days do not matter."""
    return 365 * year + year // 4 - year // 100 + year // 400 - 719_468


@kernel
def sunday_on_or_after(day: int) -> int:
    """The first Sunday not before a day."""
    return day + 6 - weekday_of(day)


@kernel
def new_york_offset_s(utc_s: int) -> int:
    """Seconds to add to UTC; summer from 2nd Sunday of March to 1st Sunday of November, 2:00."""
    year = year_of(utc_s // DAY_S)
    begins = sunday_on_or_after(first_of_march(year) + MARCH_8) * DAY_S + 7 * HOUR_S
    ends = sunday_on_or_after(first_of_march(year) + NOVEMBER_1) * DAY_S + 6 * HOUR_S
    return -4 * HOUR_S if begins <= utc_s < ends else -5 * HOUR_S


@kernel
def london_offset_s(utc_s: int) -> int:
    """Seconds to add to UTC; summer between the last Sundays of March and October, 1:00 UTC."""
    year = year_of(utc_s // DAY_S)
    begins = sunday_on_or_after(first_of_march(year) + MARCH_25) * DAY_S + HOUR_S
    ends = sunday_on_or_after(first_of_march(year) + OCTOBER_25) * DAY_S + HOUR_S
    return HOUR_S if begins <= utc_s < ends else 0


@kernel
def is_session(shifted_s: int) -> float:
    """1.0 in the first nine hours of a Monday to Friday whose midnight is the session's open."""
    is_open = weekday_of(shifted_s // DAY_S) < 5 and shifted_s % DAY_S < 9 * HOUR_S
    return 1.0 if is_open else 0.0


@kernel
def refresh_calendar(calendar: Calendar, ts_ns: int) -> bool:
    """Bring offsets, trading day and minute of the New York week up to date; true if changed."""
    minute = ts_ns // MINUTE_NS
    if minute == calendar.minute:
        return False
    calendar.minute = minute
    utc_s = minute * 60
    hour = utc_s // HOUR_S
    if hour != calendar.hour:
        calendar.hour = hour
        calendar.london_offset_s = london_offset_s(utc_s)
        calendar.new_york_offset_s = new_york_offset_s(utc_s)
    local_s = utc_s + calendar.new_york_offset_s
    calendar.trading_day = (local_s + (24 - ROLLOVER_HOUR) * HOUR_S) // DAY_S
    calendar.week_minute = (weekday_of(local_s // DAY_S) * DAY_S + local_s % DAY_S) // 60
    return True


@kernel
def write_calendar(calendar: Calendar, values: Values) -> None:
    """The calendar features of the current minute."""
    utc_s = calendar.minute * 60
    day_turn = 2.0 * math.pi * (utc_s % DAY_S) / DAY_S
    week_minute = weekday_of(utc_s // DAY_S) * 1_440 + utc_s % DAY_S // 60
    week_turn = 2.0 * math.pi * week_minute / MINUTES_PER_WEEK
    values.minute_of_day_sin = math.sin(day_turn)
    values.minute_of_day_cos = math.cos(day_turn)
    values.minute_of_week_sin = math.sin(week_turn)
    values.minute_of_week_cos = math.cos(week_turn)
    local_s = utc_s + calendar.new_york_offset_s
    values.session_tokyo = is_session(utc_s + TOKYO_OFFSET_S - 9 * HOUR_S)
    values.session_london = is_session(utc_s + calendar.london_offset_s - 8 * HOUR_S)
    values.session_new_york = is_session(local_s - 8 * HOUR_S)
    until = (ROLLOVER_HOUR * HOUR_S - local_s) % DAY_S
    values.minutes_to_rollover = (until if until > 0 else DAY_S) / 60.0
