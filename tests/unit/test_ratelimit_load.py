"""Shedding: what goes first and last, without flapping and without locking."""

from hypothesis import given
from hypothesis import strategies as st

from plan2.connectivity.identity.rights import RateClass
from plan2.connectivity.ratelimit.load import FACTORS, Level, Load, RecentP99, Tolerance
from plan2.connectivity.ratelimit.route_policy import policy_of
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.health import Status
from plan2.foundation.latency import LatencyHistogram

BORDERS = (1.0, 2.0, 4.0)


class Strain:
    """Two figures that a test sets, and a load that reads them."""

    def __init__(self) -> None:
        self.lag_ms = 0.0
        self.decision_ms = 0.0
        self.clock = SimulatedClock(1_000)
        self.load = Load(
            lambda: self.lag_ms,
            lambda: self.decision_ms,
            self.clock,
            Tolerance(loop_lag_ms=50.0, decision_ms=25.0),
        )

    def read(self, times: int, *, lag_ms: float = 0.0, decision_ms: float = 0.0) -> Level:
        """Take readings of the same figures."""
        self.lag_ms, self.decision_ms = lag_ms, decision_ms
        for _ in range(times):
            self.load.read()
        return self.load.level


def test_one_reading_is_no_reason_and_two_are() -> None:
    """A single stall changes nothing."""
    strain = Strain()
    assert strain.read(1, lag_ms=500.0) is Level.CALM
    assert strain.read(1, lag_ms=0.0) is Level.CALM
    assert strain.read(2, lag_ms=60.0) is Level.BUSY


def test_both_figures_count_and_the_worse_decides() -> None:
    """25 ms of decision are as bad as 50 ms of lag; 4 times as much is the highest level."""
    assert Strain().read(2, decision_ms=26.0) is Level.BUSY
    assert Strain().read(2, lag_ms=10.0, decision_ms=55.0) is Level.STRAINED
    assert Strain().read(2, lag_ms=200.0, decision_ms=1.0) is Level.OVERLOADED


def test_it_goes_back_one_level_at_a_time() -> None:
    """Five calm readings per level."""
    strain = Strain()
    strain.read(2, lag_ms=1_000.0)
    assert strain.read(4) is Level.OVERLOADED
    assert strain.read(1) is Level.STRAINED
    assert strain.read(5) is Level.BUSY
    assert strain.read(5) is Level.CALM


def test_around_a_border_nothing_flaps() -> None:
    """Readings on both sides of a border, for minutes: one change, then rest."""
    strain = Strain()
    changes = 0
    for number in range(600):
        before = strain.load.level
        strain.read(1, lag_ms=45.0 if number % 3 else 60.0)
        changes += strain.load.level is not before
    assert changes == 0
    strain.read(2, lag_ms=60.0)
    for number in range(600):
        before = strain.load.level
        strain.read(1, lag_ms=40.0 if number % 2 else 60.0)
        changes += strain.load.level is not before
    assert (changes, strain.load.level) == (0, Level.BUSY)


@given(st.lists(st.floats(0, 1e6), max_size=80))
def test_it_never_locks(lags: list[float]) -> None:
    """Whatever happened, fifteen calm readings lead back to calm."""
    strain = Strain()
    for lag_ms in lags:
        strain.read(1, lag_ms=lag_ms)
    assert strain.read(15) is Level.CALM


@given(st.lists(st.floats(0, 1e4), max_size=200))
def test_levels_fall_slowly(lags: list[float]) -> None:
    """A fall comes five readings after the last change at the earliest, a rise two."""
    strain = Strain()
    since_change = 99
    for lag_ms in lags:
        before = strain.load.level
        strain.read(1, lag_ms=lag_ms)
        since_change += 1
        if strain.load.level is not before:
            assert since_change >= (5 if strain.load.level < before else 2)
            since_change = 0


def test_who_goes_first_and_who_last() -> None:
    """At every level analytics have least, trading has most; free ones are never touched."""
    for level in Level:
        left = {kind: factors[level] for kind, factors in FACTORS.items()}
        assert left[RateClass.ANALYTICS] == min(left.values())
        assert left[RateClass.READING] <= left[RateClass.TRADING]
        assert left[RateClass.FREE] == 1.0
        assert left[RateClass.TRADING] > 0.0
    assert [FACTORS[RateClass.TRADING][level] for level in Level] == [1.0, 1.0, 1.0, 0.5]
    assert FACTORS[RateClass.ANALYTICS][Level.STRAINED] == 0.0
    assert all(f == tuple(sorted(f, reverse=True)) for f in FACTORS.values())


def test_the_state_is_visible() -> None:
    """Health says what is held back; the page's struct and the gauge say by how much."""
    strain = Strain()
    assert strain.load.check().status is Status.OK
    strain.clock.advance_to(5_000_000)
    strain.read(2, lag_ms=110.0)

    health = strain.load.check()
    assert health.status is Status.DEGRADED
    assert "strained" in health.detail
    assert "analytics 0%" in health.detail
    assert "trading" not in health.detail
    state = strain.load.state()
    assert (state.level, state.score, state.since_us) == ("strained", 2.2, 5_000)
    assert state.factors["reading"] == 0.5
    assert strain.load.readings()[("analytics",)] == 0.0


def test_the_recent_p99_forgets() -> None:
    """A thousand slow decisions count for ten readings and then no more; few say nothing."""
    histogram = LatencyHistogram("decision")
    recent = RecentP99(lambda: histogram.snapshot().buckets)
    assert recent() == 0.0
    for _ in range(1_000):
        histogram.record_ns(40_000_000)
    first = recent()
    assert 40.0 <= first <= 80.0  # within its power of two
    assert [recent() for _ in range(9)] == [first] * 9
    assert recent() == 0.0
    for _ in range(5):
        histogram.record_ns(40_000_000)
    assert recent() == 0.0


def test_what_waits_for_a_second_person_is_not_shed_with_the_analytics() -> None:
    """An approval may be the end of a halt: under the worst load it can be read and answered."""
    for method, path in (
        ("GET", "/api/v1/approvals"),
        ("POST", "/api/v1/approvals/{approval_id}/approve"),
    ):
        rate = policy_of(method, path).rate
        assert FACTORS[RateClass(rate)][Level.OVERLOADED] > 0, (method, path)
