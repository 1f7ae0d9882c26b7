"""The broker's wall clock, against published dates of summer time."""

import datetime as dt

import numpy as np
import pytest

from plan2.dataflow.terminals.mt5.server_time import MEASURED, SAMPLES, ServerTime
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND


def _ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * NS_PER_SECOND


def _ms(text: str) -> int:
    return _ns(text) // 1_000_000


@pytest.mark.parametrize(
    ("policy", "utc", "server"),
    [
        # The United States changed on 2024-03-10 and 2024-11-03, the European Union on 2024-03-31
        # and 2024-10-27 (published by the authorities); the New York close is 17:00 there.
        ("newyork+7", "2024-03-08T22:00:00", "2024-03-09T00:00:00"),
        ("newyork+7", "2024-03-11T21:00:00", "2024-03-12T00:00:00"),
        ("newyork+7", "2024-11-01T21:00:00", "2024-11-02T00:00:00"),
        ("newyork+7", "2024-11-04T22:00:00", "2024-11-05T00:00:00"),
        ("Europe/Athens", "2024-03-15T10:00:00", "2024-03-15T12:00:00"),
        ("Europe/Athens", "2024-04-01T10:00:00", "2024-04-01T13:00:00"),
        ("Europe/Athens", "2024-10-28T10:00:00", "2024-10-28T12:00:00"),
        ("UTC+2", "2024-07-01T10:00:00", "2024-07-01T12:00:00"),
        ("UTC", "2024-07-01T10:00:00", "2024-07-01T10:00:00"),
        # The last quote of Friday 2026-05-01 in a real payload: time=1777679939, market close.
        ("newyork+7", "2026-05-01T20:58:59", "2026-05-01T23:58:59"),
    ],
)
@pytest.mark.parametrize("now", ["live", "2027-01-01T00:00:00"])
def test_both_directions(policy: str, utc: str, server: str, now: str) -> None:
    """Summer time of both continents, read as the present and as history."""
    time = ServerTime(policy)
    now_ns = _ns(utc if now == "live" else now)

    assert time.to_utc_ns(_ms(server), now_ns) == _ns(utc)
    assert time.to_server_s(_ns(utc)) * NS_PER_SECOND == _ns(server)
    column = time.column_to_utc(np.array([_ms(server)]), now_ns)
    assert column.tolist() == [_ns(utc)]


def test_the_repeated_hour_is_right_while_it_happens() -> None:
    """Athens 2024-10-27, 03:30 comes twice: live it is the one now, in history the first."""
    time = ServerTime("Europe/Athens")
    first, second = _ns("2024-10-27T00:30:00"), _ns("2024-10-27T01:30:00")

    assert time.to_utc_ns(_ms("2024-10-27T03:30:00"), first) == first
    assert time.to_utc_ns(_ms("2024-10-27T03:30:00"), second) == second
    assert time.to_utc_ns(_ms("2024-10-27T03:30:00"), _ns("2025-01-01T00:00:00")) == first


def test_an_hour_that_does_not_exist_is_read_as_if_the_clock_had_not_jumped() -> None:
    """Athens 2024-03-31: 03:30 is skipped; a stamp in it lies an hour after 02:30."""
    time = ServerTime("Europe/Athens")

    read = time.to_utc_ns(_ms("2024-03-31T03:30:00"), _ns("2025-01-01T00:00:00"))

    assert read == _ns("2024-03-31T01:30:00")


def test_a_configured_clock_is_checked_by_fresh_quotes() -> None:
    """Several agreeing quotes an hour off make a doubt that names both offsets; one does not."""
    time = ServerTime("newyork+7")
    now_ns = _ns("2024-03-12T10:00:00")
    for sample in range(SAMPLES):
        assert time.doubt(now_ns) == ""
        time.observe((now_ns + sample * NS_PER_SECOND + 2 * NS_PER_HOUR) // 1_000_000, now_ns)

    assert "UTC+2 h" in time.doubt(now_ns)
    assert "UTC+3 h" in time.doubt(now_ns)


def test_a_right_clock_is_never_doubted() -> None:
    """Quotes at the configured offset, a few seconds late."""
    time = ServerTime("newyork+7")
    now_ns = _ns("2024-03-12T10:00:00")
    for _ in range(3 * SAMPLES):
        time.observe((now_ns - 4 * NS_PER_SECOND + 3 * NS_PER_HOUR) // 1_000_000, now_ns)

    assert time.doubt(now_ns) == ""


def test_measuring_takes_several_agreeing_quotes() -> None:
    """Times are not told before; a quote that fits no half hour does not count."""
    time = ServerTime(MEASURED)
    now_ns = _ns("2024-07-01T10:00:00")
    time.observe((now_ns + 2 * NS_PER_HOUR + 600 * NS_PER_SECOND) // 1_000_000, now_ns)
    for _ in range(SAMPLES):
        assert not time.is_known
        time.observe((now_ns + 3 * NS_PER_HOUR) // 1_000_000, now_ns)

    assert time.is_known
    assert time.offset_s == 3 * 3_600
    assert time.to_utc_ns(_ms("2024-07-01T13:00:00"), now_ns) == now_ns


def test_a_measured_change_of_summer_time() -> None:
    """While new quotes contradict the old offset nothing is told; then the new one holds."""
    time = ServerTime(MEASURED, offset_s=3 * 3_600)
    now_ns = _ns("2024-11-04T10:00:00")
    assert time.is_known

    for _ in range(SAMPLES):
        time.observe((now_ns + 2 * NS_PER_HOUR) // 1_000_000, now_ns)
        assert time.is_known == (time.offset_s == 2 * 3_600)

    assert time.offset_s == 2 * 3_600
    assert time.doubt(now_ns) == ""


def test_a_weekend_keeps_the_offset() -> None:
    """Without fresh quotes nothing is observed and the last offset stays."""
    assert ServerTime(MEASURED, offset_s=7_200).is_known


def test_a_policy_nobody_understands_is_refused() -> None:
    """With the ways to write one."""
    with pytest.raises(InputError, match="newyork"):
        ServerTime("mars+3")
