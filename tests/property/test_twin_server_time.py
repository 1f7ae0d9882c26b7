"""The twin's server clock: there and back again, at every hour of years with summer time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plan2.dataflow.server_clock import NO_SUCH_TIME, ServerClock
from plan2.dataflow.terminals.twin.clockwork import ServerTime
from plan2.foundation.values import NS_PER_SECOND

YEAR_2020_S, YEAR_2030_S = 1_577_836_800, 1_893_456_000
CLOCKS = ("newyork+7", "Europe/Athens", "UTC", "UTC+2")
CHANGES_S = (
    1_710_054_000,  # New York, 2024-03-10 07:00 UTC
    1_730_613_600,  # New York, 2024-11-03 06:00 UTC
    1_711_846_800,  # Athens, 2024-03-31 01:00 UTC
    1_729_990_800,  # Athens, 2024-10-27 01:00 UTC
)
INSTANTS = st.one_of(
    st.integers(YEAR_2020_S, YEAR_2030_S),
    st.builds(
        lambda change_s, off_s: change_s + off_s,
        st.sampled_from(CHANGES_S),
        st.integers(-14_400, 14_400),
    ),
)


@given(st.sampled_from(CLOCKS), INSTANTS)
def test_single_times_agree_with_whole_columns(name: str, instant_s: int) -> None:
    """The short way gives what the column conversion gives, also beside a change of the clock."""
    clock = ServerClock.parse(name)
    server = ServerTime(clock)
    ts_ns = instant_s * NS_PER_SECOND
    column = np.array([ts_ns], np.int64)
    wall_s = int(clock.from_utc(column)[0]) // NS_PER_SECOND

    assert server.s(ts_ns) == wall_s
    assert server.column_ms(column).tolist() == [wall_s * 1_000]
    assert server.utc_ns(wall_s) == int(clock.to_utc(clock.from_utc(column))[0])


@given(st.sampled_from(CLOCKS), INSTANTS)
def test_every_wall_time_has_an_instant(name: str, wall_s: int) -> None:
    """One that the clock skips becomes the instant an hour after the one an hour before."""
    clock = ServerClock.parse(name)
    server = ServerTime(clock)
    found = int(clock.to_utc(np.array([wall_s * NS_PER_SECOND], np.int64))[0])

    if found == NO_SUCH_TIME:
        earlier = int(clock.to_utc(np.array([(wall_s - 3_600) * NS_PER_SECOND], np.int64))[0])
        found = earlier + 3_600 * NS_PER_SECOND
    assert server.utc_ns(wall_s) == found
