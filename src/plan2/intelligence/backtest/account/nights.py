"""The broker's day: it turns at 17:00 New York from Monday to Friday, and the week with it.

The same rules as `terminals/simulated/calendar`, in compiled integer arithmetic.
"""

from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.features.kernels import kernel
from plan2.intelligence.features.market_hours import DAY_S, HOUR_S, ROLLOVER_HOUR, new_york_offset_s

SUNDAY, FRIDAY, SATURDAY = 0, 5, 6


@kernel
def broker_weekday(day: int) -> int:
    """0 = Sunday … 6 = Saturday, of a day counted from 1970-01-01, a Thursday."""
    return (day + 4) % 7


@kernel
def next_rollover(after_ns: int) -> int:
    """The first 17:00 New York of a Monday … Friday strictly after a time."""
    after_s = after_ns // NS_PER_SECOND
    day = (after_s + new_york_offset_s(after_s)) // DAY_S
    while True:
        close_s = day * DAY_S + ROLLOVER_HOUR * HOUR_S
        moment_ns = (close_s - new_york_offset_s(close_s)) * NS_PER_SECOND
        weekday = broker_weekday(day)
        if moment_ns > after_ns and weekday not in (SUNDAY, SATURDAY):
            return moment_ns
        day += 1


@kernel
def rollover_weekday(rollover_ns: int) -> int:
    """The New York weekday that ends with this rollover."""
    moment_s = rollover_ns // NS_PER_SECOND
    return broker_weekday((moment_s + new_york_offset_s(moment_s)) // DAY_S)


@kernel
def is_session(ts_ns: int) -> bool:
    """Whether the FX week is in session; holidays are not modelled."""
    moment_s = ts_ns // NS_PER_SECOND
    local_s = moment_s + new_york_offset_s(moment_s)
    weekday, hour = broker_weekday(local_s // DAY_S), local_s % DAY_S // HOUR_S
    if weekday == SATURDAY:
        return False
    if weekday == SUNDAY:
        return hour >= ROLLOVER_HOUR
    return weekday != FRIDAY or hour < ROLLOVER_HOUR
