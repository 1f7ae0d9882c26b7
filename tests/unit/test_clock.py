"""Clocks: the simulated one obeys, the live one is the machine's."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.clock import LiveClock, SimulatedClock, stopwatch_ns
from plan2.foundation.errors import InvariantBroken


@given(st.lists(st.integers(0, 10**18), min_size=1))
def test_simulated_time_is_what_was_set(times: list[int]) -> None:
    """Moving forward through any sorted times, repeated ones included, always holds the last."""
    clock = SimulatedClock()
    for ts_ns in sorted(times):
        clock.advance_to(ts_ns)
        assert clock.now_ns() == ts_ns


def test_simulated_time_never_goes_back() -> None:
    """A step back is a fault and changes nothing."""
    clock = SimulatedClock(100)

    with pytest.raises(InvariantBroken, match="cannot go back to 99"):
        clock.advance_to(99)

    assert clock.now_ns() == 100


def test_live_time_is_the_machines() -> None:
    """The live clock lies between two readings of the machine's own."""
    before = time.time_ns()  # noqa: TID251 - the independent source
    now = LiveClock().now_ns()
    after = time.time_ns()  # noqa: TID251 - the independent source

    assert before <= now <= after


def test_the_stopwatch_never_runs_backward() -> None:
    """Durations are not negative."""
    readings = [stopwatch_ns() for _ in range(1_000)]

    assert readings == sorted(readings)
