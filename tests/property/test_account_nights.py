"""The compiled calendar of the account and the paper broker's are one."""

from hypothesis import example, given
from hypothesis import strategies as st

from plan2.dataflow.terminals.simulated import calendar
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND
from plan2.intelligence.backtest.account import nights
from plan2.intelligence.backtest.account.compiled import entry

YEAR_2007, YEAR_2040 = 1_167_609_600, 2_208_988_800
TIMES = st.integers(YEAR_2007, YEAR_2040).map(lambda second: second * NS_PER_SECOND)
SPRING_NS = 1_710_054_000 * NS_PER_SECOND
"""2024-03-10 07:00 UTC, when New York's clocks go forward."""


@entry
def next_rollover_of(ts_ns: int) -> int:
    """`nights.next_rollover` from Python."""
    return nights.next_rollover(ts_ns)


@entry
def weekday_of(ts_ns: int) -> int:
    """`nights.rollover_weekday` from Python."""
    return nights.rollover_weekday(ts_ns)


@entry
def is_session_of(ts_ns: int) -> bool:
    """`nights.is_session` from Python."""
    return nights.is_session(ts_ns)


@given(TIMES)
@example(SPRING_NS)
@example(SPRING_NS - 1)
@example(SPRING_NS + 14 * NS_PER_HOUR)
def test_both_calendars_agree(ts_ns: int) -> None:
    """The next turn of the day, its weekday, and whether the week is in session."""
    turn_ns = calendar.next_rollover_ns(ts_ns)

    assert next_rollover_of(ts_ns) == turn_ns
    assert next_rollover_of(turn_ns) == calendar.next_rollover_ns(turn_ns)
    assert weekday_of(turn_ns) == calendar.rollover_weekday(turn_ns)
    assert is_session_of(ts_ns) == calendar.is_open(ts_ns)
