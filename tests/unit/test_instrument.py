"""Rounding and money of an instrument, against exact arithmetic and figures worked by hand."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.errors import InvariantBroken
from plan2.foundation.instrument import Instrument, MarginMode, stop_price
from plan2.foundation.values import Side

EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
USDJPY = Instrument(symbol="USDJPY", base="USD", quote="JPY", digits=3)
XAUUSD = Instrument(symbol="XAUUSD", base="XAU", quote="USD", digits=2, contract_size=100.0)

points = st.integers(1, 300_000)
hundredths = st.integers(1, 10_000)


@pytest.mark.parametrize(
    ("instrument", "point", "pip"),
    [(EURUSD, 0.00001, 0.0001), (USDJPY, 0.001, 0.01), (XAUUSD, 0.01, 0.01)],
)
def test_point_and_pip(instrument: Instrument, point: float, pip: float) -> None:
    """A pip is ten points where the broker quotes a fractional pip."""
    assert instrument.point == pytest.approx(point, rel=1e-12)
    assert instrument.pip == pytest.approx(pip, rel=1e-12)


@given(points)
def test_a_price_on_the_grid_stays(count: int) -> None:
    """Rounding does not move what is already a price."""
    price = float(Fraction(count, 100_000))

    assert EURUSD.round_price(price) == price


@given(points, st.floats(-0.49, 0.49))
def test_rounding_goes_to_the_nearest_price(count: int, offset_points: float) -> None:
    """Less than half a point away from a price rounds to it."""
    price = float(Fraction(count, 100_000)) + offset_points * 1e-5

    assert EURUSD.round_price(price) == float(Fraction(count, 100_000))


@given(st.floats(0.0, 150.0))
def test_a_rounded_volume_is_tradable_or_nothing(lots: float) -> None:
    """Never above what was asked, on the grid, less than one step lost, capped at the maximum."""
    volume = EURUSD.round_volume_down(lots)

    assert volume <= lots + 1e-9
    if volume == 0.0:
        assert lots < 0.01
    else:
        assert EURUSD.is_tradable_volume(volume)
        assert min(lots, 100.0) - volume < 0.01


@given(hundredths)
def test_a_volume_on_the_grid_is_kept(count: int) -> None:
    """Binary fractions must not cost a step: 0.29 stays 0.29."""
    lots = float(Fraction(count, 100))

    assert EURUSD.round_volume_down(lots) == lots


@pytest.mark.parametrize("lots", [0.0, 0.005, 0.015, 100.01, -0.01])
def test_volumes_off_the_grid_or_out_of_range_are_not_tradable(lots: float) -> None:
    """Too small, between two steps, too large, negative."""
    assert not EURUSD.is_tradable_volume(lots)


@pytest.mark.parametrize(
    ("instrument", "trade", "rate", "expected"),
    [
        (EURUSD, (Side.BUY, 0.10, 1.10000, 1.10150), 1.0, "15.00"),  # 15 pips x 1 USD
        (EURUSD, (Side.SELL, 0.10, 1.10000, 1.10150), 1.0, "-15.00"),
        (EURUSD, (Side.BUY, 0.01, 1.10000, 1.10001), 1.0, "0.01"),  # a point of a micro lot
        (USDJPY, (Side.BUY, 1.00, 150.000, 150.500), 1 / 150.5, "332.23"),  # 50,000 JPY / 150.5
        (XAUUSD, (Side.SELL, 0.05, 2650.25, 2640.25), 1.0, "50.00"),  # 10 USD x 5 ounces
    ],
)
def test_profit_by_hand(
    instrument: Instrument, trade: tuple[Side, float, float, float], rate: float, expected: str
) -> None:
    """Trades (side, lots, opened, closed) whose result was worked out on paper."""
    assert instrument.profit(*trade, rate) == Decimal(expected)


@given(points, points, hundredths, st.sampled_from(Side))
def test_profit_is_exact(opened: int, closed: int, lots: int, side: Side) -> None:
    """Equal to the rational result, rounded half to even at the cent."""
    exact = Fraction(side.value * (closed - opened) * lots, 100)  # point x lot/100 x 100,000

    profit = EURUSD.profit(side, lots / 100, opened / 100_000, closed / 100_000, 1.0)

    assert Fraction(profit) == round(exact, 2)


@given(points, points, hundredths)
def test_the_two_sides_cancel(opened: int, closed: int, lots: int) -> None:
    """What one side gains the other loses, to the cent."""
    prices = (opened / 100_000, closed / 100_000)

    bought = EURUSD.profit(Side.BUY, lots / 100, *prices, 1.0)

    assert bought + EURUSD.profit(Side.SELL, lots / 100, *prices, 1.0) == 0


def test_profit_without_a_rate_is_a_fault() -> None:
    """No rate to the account's currency means no figure, not zero."""
    with pytest.raises(InvariantBroken, match="JPY"):
        USDJPY.profit(Side.BUY, 1.0, 150.0, 151.0, 0.0)


def test_commission_and_margin_by_hand() -> None:
    """3.50 per lot and side; 0.1 lot of 1.10 at 1:30 binds 366.67."""
    assert EURUSD.commission(0.10) == Decimal("0.35")
    assert EURUSD.margin(Side.BUY, 0.10, 1.10, 1.0) == Decimal("366.67")


@pytest.mark.parametrize(
    ("terms", "lots", "rates", "margin"),
    [
        # MQL5 reference, ENUM_SYMBOL_CALC_MODE. An index at 25,504.80 with a rate of 1.5 takes
        # 318.81 EUR of an account of leverage 30 (told by a user of such an account).
        ({"margin_rate_long": 1.5}, 0.25, (25_504.80, 1.0), "318.81"),
        ({"margin_mode": MarginMode.VALUE, "margin_rate_long": 0.05}, 2.0, (18_000.0, 1.0),
         "1800.00"),
        ({"margin_mode": MarginMode.VALUE}, 1.0, (18_000.0, 1.0), "18000.00"),
        ({"margin_mode": MarginMode.LOT, "margin_initial": 1_100.0}, 3.0, (18_000.0, 1.1),
         "3630.00"),
    ],
)  # fmt: skip
def test_margin_of_other_modes_by_hand(
    terms: dict[str, Any], lots: float, rates: tuple[float, float], margin: str
) -> None:
    """Leverage with a rate, a share of the value, a figure per lot; and the way back to lots."""
    index = Instrument(
        symbol="GER40", base="GER40", quote="EUR", digits=1, contract_size=1.0, **terms
    )

    found = index.margin(Side.BUY, lots, *rates)

    assert found == Decimal(margin)
    value = lots * rates[0]
    assert index.margin_of(Side.BUY, lots, value, rates[1]) == pytest.approx(float(found), abs=0.01)
    within = index.lots_within(Side.BUY, float(found), rates[0], rates[1])
    assert within == pytest.approx(lots, rel=1e-4)


def test_each_side_has_a_rate_of_its_own() -> None:
    """A broker may ask more of sells than of buys."""
    index = msgspec.structs.replace(EURUSD, margin_rate_short=2.0)

    assert index.margin(Side.BUY, 0.10, 1.10, 1.0) == Decimal("366.67")
    assert index.margin(Side.SELL, 0.10, 1.10, 1.0) == Decimal("733.33")


@given(points, st.integers(1, 1_000), st.sampled_from(Side))
def test_a_stop_lies_on_the_losing_side(entry: int, distance: int, side: Side) -> None:
    """Exactly the distance away, on the grid, below a buy and above a sell."""
    price = stop_price(EURUSD, side, entry / 100_000, distance / 100_000)

    assert price == (entry - side.value * distance) / 100_000


@given(st.integers(-1_000, 1_000))
def test_points_count_the_last_decimal(count: int) -> None:
    """A difference of n in the fifth decimal is n points."""
    assert EURUSD.points(count / 100_000) == pytest.approx(count, abs=1e-6)
