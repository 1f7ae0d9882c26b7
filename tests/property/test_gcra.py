"""GCRA against a token bucket in exact fractions, and against promises about any minute."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from plan2.connectivity.ratelimit.gcra import Meter, Meters, Rate, charge, rate_of
from plan2.connectivity.ratelimit.quota import orders_rate
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND

steps = st.lists(st.integers(0, 5_000), min_size=1, max_size=60)
rates = st.builds(
    lambda interval_ns, burst: Rate("r", interval_ns, burst), st.integers(1, 900), st.integers(1, 9)
)


class TokenBucket:
    """The textbook: `burst` tokens at most, one more every interval, one per request."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.tokens = Fraction(rate.burst)
        self.last_ns = 0

    def refill(self, now_ns: int) -> None:
        """Bring the tokens up to date."""
        grown = Fraction(now_ns - self.last_ns, self.rate.interval_ns)
        self.tokens = min(self.tokens + grown, Fraction(self.rate.burst))
        self.last_ns = now_ns


@given(rate=rates, gaps=steps)
def test_a_meter_is_a_token_bucket(rate: Rate, gaps: list[int]) -> None:
    """Same answers, same number of whole tokens left, at every instant."""
    meter, bucket, now_ns = Meter(rate, 0), TokenBucket(rate), 0
    for gap in gaps:
        now_ns += gap
        bucket.refill(now_ns)
        assert meter.remaining(now_ns) == int(bucket.tokens)
        is_allowed = bucket.tokens >= 1
        bucket.tokens -= is_allowed
        assert (charge([meter], now_ns) is None) == is_allowed


@given(rate=rates, gaps=steps)
def test_who_waits_as_told_gets_in_and_not_a_nanosecond_earlier(
    rate: Rate, gaps: list[int]
) -> None:
    """`wait_ns` is exact."""
    meter, now_ns = Meter(rate, 0), 0
    for gap in gaps:
        now_ns += gap
        refused = charge([meter], now_ns)
        if refused is not None:
            assert charge([meter], now_ns + refused.wait_ns - 1) is not None
            now_ns += refused.wait_ns
            assert charge([meter], now_ns) is None


@given(several=st.lists(rates, min_size=2, max_size=4), gaps=steps)
def test_all_are_charged_or_none(several: list[Rate], gaps: list[int]) -> None:
    """A refusal leaves every meter as it was, and names the longest wait."""
    meters, now_ns = [Meter(rate, 0) for rate in several], 0
    for gap in gaps:
        now_ns += gap
        before = [meter.full_ns for meter in meters]
        waits = [meter.wait_ns(now_ns) for meter in meters]
        refused = charge(meters, now_ns)
        if refused is None:
            assert max(waits) == 0
            assert all(m.full_ns > old for m, old in zip(meters, before, strict=True))
        else:
            assert [meter.full_ns for meter in meters] == before
            assert refused.wait_ns == max(waits)


@given(
    per_minute=st.integers(1, 40), gaps=st.lists(st.integers(0, 20 * NS_PER_SECOND), max_size=120)
)
def test_no_sixty_seconds_see_more_orders_than_the_quota(per_minute: int, gaps: list[int]) -> None:
    """However they are timed; the burst is inside the quota, not on top of it."""
    meter, now_ns = Meter(orders_rate(per_minute), 0), 0
    allowed: list[int] = []
    for gap in gaps:
        now_ns += gap
        if charge([meter], now_ns) is None:
            allowed.append(now_ns)
    for start_ns in allowed:
        inside = [at for at in allowed if start_ns <= at < start_ns + NS_PER_MINUTE]
        assert len(inside) <= per_minute


@given(
    keys=st.lists(st.integers(0, 400), min_size=1, max_size=300),
    gaps=st.integers(0, NS_PER_SECOND),
)
def test_forgetting_meters_changes_no_answer(keys: list[int], gaps: int) -> None:
    """The store answers like one that never forgets, and holds no idle crowd."""
    rate = rate_of("r", 2, 1.0, 3)
    now = [0]
    store, kept = Meters(lambda: now[0]), {key: Meter(rate, 0) for key in set(keys)}
    for key in keys:
        now[0] += gaps
        ours = charge([store.meter(key, rate)], now[0])
        assert (ours is None) == (charge([kept[key]], now[0]) is None)


@given(
    rate=rates,
    permille=st.integers(1_000, 50_000),
    now_ns=st.integers(0, 10**9),
)
def test_a_full_meter_takes_any_weight(rate: Rate, permille: int, now_ns: int) -> None:
    """Tightening slows down; it never locks anybody out for good."""
    assert charge([Meter(rate, now_ns)], now_ns, permille) is None
