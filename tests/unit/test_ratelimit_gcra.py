"""GCRA by hand, bounded memory, and quotas turned into rates."""

import pytest

from plan2.connectivity.identity.rights import RateClass
from plan2.connectivity.ratelimit.gcra import Meter, Meters, Rate, Refused, charge, rate_of
from plan2.connectivity.ratelimit.quota import exits_rate, orders_rate, rates_of
from plan2.foundation.config.schema import Quota
from plan2.foundation.errors import InvariantBroken
from plan2.foundation.values import NS_PER_SECOND


def test_a_sequence_worked_by_hand() -> None:
    """One per 10 ns, three at once: t=0 three pass, the fourth waits 10; at 25 two pass."""
    meter = Meter(Rate("r", 10, 3), 0)
    answers = [charge([meter], at) for at in (0, 0, 0, 0, 9, 10, 25, 25)]

    assert [refused is None for refused in answers] == [
        True, True, True, False, False, True, True, False,
    ]  # fmt: skip
    assert answers[3] == Refused("r", 3, 0, 10)
    assert answers[4] == Refused("r", 3, 0, 1)
    assert answers[7] == Refused("r", 3, 0, 5)


def test_weight_makes_a_request_count_more() -> None:
    """At a quarter of the limit a request weighs four; one in a full meter always passes."""
    meter = Meter(Rate("r", 10, 3), 0)

    assert charge([meter], 0, permille=4_000) is None
    assert meter.full_ns == 40
    assert meter.wait_ns(0, 4_000) == 40
    assert meter.wait_ns(0) == 20


def test_the_longest_wait_is_told() -> None:
    """Of two meters without room the slower one's name and wait."""
    fast, slow = Meter(Rate("fast", 10, 1), 0), Meter(Rate("slow", 70, 1), 0)
    assert charge([fast, slow], 0) is None

    assert charge([fast, slow], 5) == Refused("slow", 1, 0, 65)
    assert charge([fast], 10) is None


@pytest.mark.parametrize(
    ("count", "period_s", "interval_ns"), [(1, 1.0, 10**9), (3, 1.0, 333_333_334), (7e9, 1.0, 1)]
)
def test_an_interval_is_never_too_short(count: float, period_s: float, interval_ns: int) -> None:
    """Rounded up, so that a rate is not exceeded by rounding."""
    assert rate_of("r", count, period_s, 1).interval_ns == interval_ns


def test_a_rate_of_nothing_is_a_fault() -> None:
    """Zero would divide by zero."""
    with pytest.raises(InvariantBroken, match="rate r"):
        rate_of("r", 0, 1.0, 1)


def test_a_changed_rate_keeps_what_was_used() -> None:
    """Four of five used at one per second; at ten per second four still count, for 0.4 s."""
    now_ns = 0
    meters = Meters(lambda: now_ns)
    slow, fast = rate_of("r", 1, 1.0, 5), rate_of("r", 10, 1.0, 5)
    for _ in range(4):
        charge([meters.meter("k", slow)], 0)

    meter = meters.meter("k", fast)
    assert meter.used(0) == 4
    assert meter.full_ns == 4 * NS_PER_SECOND // 10


def test_memory_is_bounded_and_idle_keys_make_room() -> None:
    """Beyond the capacity keys share one meter; when others are idle they get their own again."""
    now = [0]
    rate = rate_of("r", 1, 1.0, 1)
    meters = Meters(lambda: now[0], capacity=10)
    for key in range(10):
        assert charge([meters.meter(key, rate)], 0) is None

    assert charge([meters.meter("stranger", rate)], 0) is None
    assert charge([meters.meter("another", rate)], 0) is not None
    assert charge([meters.meter(3, rate)], 0) is not None
    assert len(meters) == 10

    now[0] = 3 * NS_PER_SECOND
    assert charge([meters.meter("another", rate)], now[0]) is None
    assert len(meters) == 1


def test_a_meter_in_use_is_not_forgotten_while_others_are_made() -> None:
    """The first of several meters of one request survives the making of the last."""
    meters = Meters(lambda: 0)
    rate = rate_of("r", 1, 1.0, 1)
    first = meters.meter("first", rate)
    for key in range(200):
        meters.meter(key, rate)

    assert meters.meter("first", rate) is first


def test_the_rates_of_a_quota() -> None:
    """100/s: the tenant 100, a person 50, a key 25; analytics a fifth; two seconds at once."""
    rates = rates_of(Quota(requests_per_second=100, orders_per_minute=60))
    reading, analytics = RateClass.READING.value, RateClass.ANALYTICS.value

    assert rates.tenant[reading] == Rate("tenant_reading", 10_000_000, 200)
    assert rates.person[reading] == Rate("person_reading", 20_000_000, 100)
    assert rates.key[reading] == Rate("key_reading", 40_000_000, 50)
    assert rates.tenant[analytics] == Rate("tenant_analytics", 50_000_000, 40)
    assert rates.messages == Rate("messages", 1_000_000, 2_000)


def test_orders_and_exits() -> None:
    """60 a minute: 15 at once and 45 in the minute; exits 600 a minute, a thousand at once."""
    assert orders_rate(60) == Rate("orders_per_minute", -(-60 * NS_PER_SECOND // 45), 15)
    assert orders_rate(1) == Rate("orders_per_minute", 60 * NS_PER_SECOND, 1)
    assert exits_rate(60) == Rate("exits", NS_PER_SECOND // 10, 1_000)
