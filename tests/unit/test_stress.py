"""Stress of open positions: every figure by hand, correlations against scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.risk.stress import (
    Holding,
    all_against,
    at_the_stops,
    correlations,
    hour_by_hour,
    mean_of_worst,
    net_by_currency,
)

HOUR_NS = 3_600_000_000_000
LONG_EURUSD = Holding(symbol="EURUSD", base="EUR", quote="USD", value=11_000.0, to_stop=-100.0)
SHORT_USDJPY = Holding(symbol="USDJPY", base="USD", quote="JPY", value=-5_000.0, to_stop=None)
HELD = (LONG_EURUSD, SHORT_USDJPY)


def hours(first: int, changes: list[float]) -> tuple[Int64Array, Float64Array]:
    """Consecutive hours from the `first` on."""
    starts = (first + np.arange(len(changes), dtype=np.int64)) * HOUR_NS
    return starts, np.array(changes)


def test_everything_against_us_costs_the_gross_value_times_the_move() -> None:
    """2 % of 11,000 and of 5,000, long or short alike."""
    assert all_against(HELD, 0.02) == pytest.approx(-320.0)
    assert all_against((), 0.02) == 0.0


def test_a_long_holds_its_base_and_owes_its_quote() -> None:
    """+11,000 EUR −11,000 USD; the short of USDJPY is −5,000 USD +5,000 JPY."""
    assert net_by_currency(HELD) == pytest.approx({"EUR": 11_000, "USD": -16_000, "JPY": 5_000})


def test_stops_are_added_up_and_those_without_are_counted() -> None:
    """One stop 100 away, one position without."""
    assert at_the_stops(HELD) == (-100.0, 1)


def test_the_past_counts_only_hours_in_which_all_were_traded() -> None:
    """11,000·r − 5,000·r′ in the hours that both have: 11 and 12."""
    returns = {"EURUSD": hours(10, [0.5, 0.01, -0.02]), "USDJPY": hours(11, [0.02, 0.01, 0.9])}
    starts, results = hour_by_hour(HELD, returns)
    assert starts.tolist() == [11 * HOUR_NS, 12 * HOUR_NS]
    assert results == pytest.approx([110 - 100, -220 - 50])


def test_positions_of_one_symbol_count_together() -> None:
    """A hedge moves nothing."""
    held = (LONG_EURUSD, Holding(**{**_fields(LONG_EURUSD), "value": -11_000.0}))
    _, results = hour_by_hour(held, {"EURUSD": hours(0, [0.01, -0.01])})
    assert results == pytest.approx([0.0, 0.0])


def test_a_symbol_without_a_past_leaves_nothing_to_say() -> None:
    """No figure is made up from the others."""
    starts, results = hour_by_hour(HELD, {"EURUSD": hours(0, [0.01])})
    assert (len(starts), len(results)) == (0, 0)
    assert math.isnan(mean_of_worst(results))


def test_the_bad_hours_are_the_worst_twentieth() -> None:
    """Of a hundred results the mean of the worst five: −100 … −96."""
    assert mean_of_worst(np.arange(-100.0, 0.0)) == pytest.approx(-98.0)
    assert mean_of_worst(np.array([-3.0, 7.0])) == -3.0


def test_a_correlation_is_scipys_with_fishers_interval() -> None:
    """Pearson of log returns over the hours in common; scipy gives the same interval to 1e-3."""
    generator = np.random.default_rng(7)
    one = generator.normal(0, 0.001, 200)
    two = 0.6 * one + generator.normal(0, 0.001, 200)
    returns = {"A": hours(0, one.tolist()), "B": hours(50, two[50:].tolist())}
    (found,) = correlations(["A", "B"], returns)
    expected = stats.pearsonr(np.log1p(one[50:]), np.log1p(two[50:]))
    interval = expected.confidence_interval(0.95)
    assert found.hours == 150
    assert found.value == pytest.approx(expected.statistic)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-4)


def test_too_few_hours_and_a_price_that_stood_still_say_nothing() -> None:
    """29 hours are too few; without any movement there is no correlation."""
    short = {"A": hours(0, [0.001, -0.001] * 14 + [0.0]), "B": hours(0, [0.002, 0.001] * 15)}
    assert correlations(["A", "B"], short)[0].value is None
    still = {"A": hours(0, [0.0] * 40), "B": hours(0, [0.001, -0.001] * 20)}
    assert correlations(["A", "B"], still)[0].value is None
    assert correlations(["A", "C"], still)[0].hours == 0


@given(st.lists(st.floats(-0.05, 0.05), min_size=40, max_size=60, unique=True), st.floats(0.5, 3))
def test_a_symbol_moves_with_its_like_and_against_its_opposite(
    changes: list[float], factor: float
) -> None:
    """The interval holds the value; of a series and its log multiple it is 1, and −1 reversed."""
    logs = np.log1p(changes)
    like, opposite = np.expm1(factor * logs), np.expm1(-factor * logs)
    returns = {
        "A": hours(0, changes),
        "B": hours(0, like.tolist()),
        "C": hours(0, opposite.tolist()),
    }
    found = correlations(["A", "B", "C"], returns)
    assert [each.value for each in found] == pytest.approx([1, -1, -1], abs=1e-9)
    assert all(each.low <= each.value <= each.high for each in found)


def _fields(holding: Holding) -> dict[str, object]:
    return {name: getattr(holding, name) for name in holding.__struct_fields__}
