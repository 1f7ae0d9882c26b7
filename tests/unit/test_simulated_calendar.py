"""The simulated calendar against the system's time-zone database and against hand-made weeks."""

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.news import news_between, news_of_day
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND


def at(text: str) -> int:
    """UTC nanoseconds of an ISO time."""
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return int(moment.timestamp()) * NS_PER_SECOND


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("America/New_York", calendar.new_york_offset_h),
        ("Europe/London", calendar.london_offset_h),
    ],
)
def test_offsets_equal_the_time_zone_database(zone: str, offset: object) -> None:
    """Every hour of the years 2019 to 2027 has the offset that tzdata gives it."""
    try:
        place = ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        pytest.skip("this system has no time-zone database")
    for hour in range(at("2019-01-01") // NS_PER_HOUR, at("2027-12-31") // NS_PER_HOUR):
        moment = dt.datetime.fromtimestamp(hour * 3600, place)
        expected = moment.utcoffset()
        assert expected is not None
        assert offset(hour * NS_PER_HOUR) * 3600 == expected.total_seconds(), moment


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2024-03-08T21:59:59", True),  # Friday, last second before 17:00 New York (winter)
        ("2024-03-08T22:00:00", False),
        ("2024-03-10T20:59:59", False),  # Sunday, summer time since the morning
        ("2024-03-10T21:00:00", True),
        ("2024-07-05T20:59:59", True),
        ("2024-07-05T21:00:00", False),
        ("2024-11-03T21:59:59", False),  # winter time since the morning
        ("2024-11-03T22:00:00", True),
        ("2024-03-09T12:00:00", False),
        ("2024-03-06T22:30:00", True),
    ],
)
def test_the_week_opens_and_closes_at_17_new_york(moment: str, is_open: bool) -> None:
    """Sunday 17:00 to Friday 17:00, New York wall time."""
    assert calendar.is_open(at(moment)) is is_open


def test_next_open_is_the_moment_of_opening() -> None:
    """From within the weekend to its end; an open moment is its own next."""
    assert calendar.next_open_ns(at("2024-03-09T03:30:00")) == at("2024-03-10T21:00:00")
    assert calendar.next_open_ns(at("2024-03-06T03:30:00")) == at("2024-03-06T03:30:00")


def test_rollovers_of_a_week_with_a_change_of_the_clock() -> None:
    """Monday to Friday, 22:00 UTC before and 21:00 UTC after 10 March 2024."""
    moments = []
    now = at("2024-03-07T22:00:00")
    for _ in range(3):
        now = calendar.next_rollover_ns(now)
        moments.append((now, calendar.rollover_weekday(now)))
    assert moments == [
        (at("2024-03-08T22:00:00"), 5),
        (at("2024-03-11T21:00:00"), 1),
        (at("2024-03-12T21:00:00"), 2),
    ]


def test_us_employment_is_on_the_first_friday_at_half_past_eight() -> None:
    """In March 2024: Friday the 1st, 13:30 UTC; in April the 5th, 12:30 UTC."""
    events = news_between(3, at("2024-03-01"), at("2024-05-01"))
    jobs = [event.ts_ns for event in events if event.name == "US employment"]
    assert jobs == [at("2024-03-01T13:30:00"), at("2024-04-05T12:30:00")]


def test_news_depend_on_seed_and_day_alone() -> None:
    """Asking for a month or for its days one by one gives the same releases, in order."""
    start, days = at("2024-06-01"), 30
    month = news_between(9, start, start + days * NS_PER_DAY)
    single = [
        event
        for day in range(days)
        for event in news_between(9, start + day * NS_PER_DAY, start + (day + 1) * NS_PER_DAY)
    ]
    assert list(month) == single
    assert list(month) == sorted(month, key=lambda event: event.ts_ns)
    assert month != news_between(10, start, start + days * NS_PER_DAY)
    assert all(calendar.is_open(event.ts_ns) for event in month)


def test_no_news_on_a_weekend() -> None:
    """Nobody publishes on Saturday and Sunday."""
    saturday = at("2024-06-01") // NS_PER_DAY
    assert news_of_day(1, saturday) == news_of_day(1, saturday + 1) == ()
