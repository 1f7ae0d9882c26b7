"""Calendar features against the time zone database."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from features_fixtures import EURUSD
from numba import njit

from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, Int64Array, TickBlock
from plan2.intelligence.features import market_hours
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan

PLAN = default_plan()
NEW_YORK, LONDON, TOKYO = map(ZoneInfo, ("America/New_York", "Europe/London", "Asia/Tokyo"))


@njit
def offsets(hours: Int64Array) -> Int64Array:
    """New York's and London's offsets for hours since 1970."""
    out = np.empty((2, hours.shape[0]), np.int64)
    for index in range(hours.shape[0]):
        out[0, index] = market_hours.new_york_offset_s(hours[index] * 3_600)
        out[1, index] = market_hours.london_offset_s(hours[index] * 3_600)
    return out


def test_summer_time_follows_the_time_zone_database() -> None:
    """Every hour around each switch and every 37th hour of 2007 to 2037, both cities."""
    first = int(dt.datetime(2007, 1, 1, tzinfo=dt.UTC).timestamp()) // 3_600
    last = int(dt.datetime(2037, 12, 31, tzinfo=dt.UTC).timestamp()) // 3_600
    spring_and_autumn = [
        hour
        for year in range(2007, 2038)
        for month, days in ((3, range(6, 32)), (10, range(20, 32)), (11, range(1, 9)))
        for day in days
        for hour in range(
            int(dt.datetime(year, month, day, tzinfo=dt.UTC).timestamp()) // 3_600,
            int(dt.datetime(year, month, day, tzinfo=dt.UTC).timestamp()) // 3_600 + 9,
        )
    ]
    hours = np.unique(np.array([*range(first, last, 37), *spring_and_autumn], np.int64))
    found = offsets(hours)
    moments = [dt.datetime.fromtimestamp(int(hour) * 3_600, dt.UTC) for hour in hours]
    for row, zone in enumerate((NEW_YORK, LONDON)):
        expected = [int(moment.astimezone(zone).utcoffset().total_seconds()) for moment in moments]
        np.testing.assert_array_equal(found[row], expected)


@pytest.mark.parametrize("start", ["2024-03-08", "2024-10-25", "2025-01-01", "2019-06-14"])
def test_calendar_features_of_two_weeks(start: str) -> None:
    """Sessions, rollover and minute features, every 17 minutes through switches and weekends."""
    begin = dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)
    moments = [begin + dt.timedelta(minutes=17 * step) for step in range(1_200)]
    ts_ns = np.array([int(moment.timestamp()) for moment in moments], np.int64) * NS_PER_SECOND
    price = np.full(len(ts_ns), 1.1)
    block = TickBlock("EURUSD", ts_ns, price, price + 1e-5)
    rows = FeatureEngine(PLAN, EURUSD).step_block(block, "ticks")
    columns = {name: rows.values[:, place] for place, name in enumerate(PLAN.names)}
    for row, moment in enumerate(moments):
        local = {zone: moment.astimezone(zone) for zone in (NEW_YORK, LONDON, TOKYO)}
        for name, zone, opens in (
            ("session_tokyo", TOKYO, 9),
            ("session_london", LONDON, 8),
            ("session_new_york", NEW_YORK, 8),
        ):
            is_open = local[zone].weekday() < 5 and opens <= local[zone].hour < opens + 9
            assert columns[name][row] == float(is_open), (name, moment)
        clock = local[NEW_YORK].hour * 60 + local[NEW_YORK].minute
        until = (17 * 60 - clock) % 1_440 or 1_440
        assert columns["minutes_to_rollover"][row] == until, moment
    minute = np.array([moment.hour * 60 + moment.minute for moment in moments])
    week = np.array([moment.weekday() for moment in moments]) * 1_440 + minute
    np.testing.assert_allclose(
        columns["minute_of_day_sin"], np.sin(2 * np.pi * minute / 1_440), atol=1e-12
    )
    np.testing.assert_allclose(
        columns["minute_of_day_cos"], np.cos(2 * np.pi * minute / 1_440), atol=1e-12
    )
    np.testing.assert_allclose(
        columns["minute_of_week_sin"], np.sin(2 * np.pi * week / 10_080), atol=1e-12
    )
    np.testing.assert_allclose(
        columns["minute_of_week_cos"], np.cos(2 * np.pi * week / 10_080), atol=1e-12
    )


def test_trading_day_is_unknown_when_its_open_was_missed() -> None:
    """A first tick two hours after 17:00 New York leaves the day's features NaN."""
    monday_2200 = 1_704_751_200 * NS_PER_SECOND
    place = PLAN.names.index("return_day")
    late = FeatureEngine(PLAN, EURUSD)
    late.step(monday_2200 + 2 * NS_PER_HOUR, 1.1, 1.1001)
    assert np.isnan(late.values[place])
    early = FeatureEngine(PLAN, EURUSD)
    early.step(monday_2200 + NS_PER_HOUR, 1.1, 1.1001)
    assert early.values[place] == 0.0
