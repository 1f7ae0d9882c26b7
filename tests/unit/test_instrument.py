"""Rounding and money of an instrument, against exact arithmetic and figures worked by hand."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.errors import InvariantBroken
from plan2.foundation.instrument import Instrument, MarginMode, exact_units, stop_price
from plan2.foundation.values import Side

EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
USDJPY = Instrument(symbol="USDJPY", base="USD", quote="JPY", digits=3)
XAUUSD = Instrument(symbol="XAUUSD", base="XAU", quote="USD", digits=2, contract_size=100.0)


def own(symbol: str, quote: str, digits: int, **terms: Any) -> Instrument:
    """A symbol that is its own base: an index, a share, a future, a bond."""
    return Instrument(symbol=symbol, base=symbol, quote=quote, digits=digits, **terms)


EURJPY = Instrument(symbol="EURJPY", base="EUR", quote="JPY", digits=3)
GER40 = own("GER40", "EUR", 1, contract_size=25.0)
SHARE = own("SAP", "EUR", 2, contract_size=1.0)
ES = own("ES", "USD", 2, contract_size=1.0, tick_size=0.25, tick_value=12.5)
OIL = own("CL", "USD", 2, contract_size=1.0, tick_size=0.01, tick_value=10.0)
BUND = own("FGBL", "EUR", 2, contract_size=1.0, tick_size=0.01, tick_value=10.0)
RTS = own("RTS", "RUB", 0, contract_size=1.0, tick_size=10.0, tick_value=15.43206)
OFZ = own("OFZ", "RUB", 3, contract_size=1.0, tick_size=0.001, tick_value=0.01)
THIRDS = own("THIRDS", "USD", 2, tick_size=0.03, tick_value=10.0)

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


@pytest.mark.parametrize(
    ("instrument", "trade", "rate", "expected"),
    [
        # Contract size: FOREX and CFD, the examples of mql5.com/en/forum/431999.
        (EURJPY, (Side.BUY, 1.0, 155.0, 156.0), 0.01, "1000.00"),  # 100,000 JPY
        (XAUUSD, (Side.BUY, 1.0, 2500.0, 2510.0), 1.0, "1000.00"),
        # CFDINDEX, 25 EUR a point; EXCH_STOCKS, 12 shares.
        (GER40, (Side.SELL, 2.0, 18_000.0, 17_990.5), 1.1, "522.50"),
        (SHARE, (Side.BUY, 12.0, 180.50, 183.25), 1.0, "33.00"),
        # FUTURES and EXCH_FUTURES. As published by CME: E-mini S&P 500 12.50 a quarter of a point,
        # crude oil 10.00 a cent; by Eurex: Bund 10 EUR a hundredth; RTS: 10 points 15.43206 RUB.
        (ES, (Side.BUY, 1.0, 5000.00, 5010.00), 1.0, "500.00"),
        (ES, (Side.SELL, 3.0, 5000.00, 5000.25), 1.0, "-37.50"),
        (OIL, (Side.BUY, 2.0, 78.40, 77.15), 1.0, "-2500.00"),
        (BUND, (Side.SELL, 1.0, 131.10, 130.95), 1.08, "162.00"),
        (RTS, (Side.BUY, 1.0, 110_000.0, 111_230.0), 1.0, "1898.14"),  # 123 · 15.43206
        # EXCH_BONDS, a face value of 1,000 RUB: one percent of ten bonds.
        (OFZ, (Side.BUY, 10.0, 98.500, 99.500), 1.0, "100.00"),
        # A quotient without an end, and a tie: 10 / 0.03 · 0.000015 = 0.005, to the even cent.
        (THIRDS, (Side.BUY, 1.0, 1.00, 1.03), 1.0, "10.00"),
        (THIRDS, (Side.BUY, 0.01, 1.0, 1.0045), 1.0, "0.02"),
    ],
)
def test_profit_of_every_mode_by_hand(
    instrument: Instrument, trade: tuple[Side, float, float, float], rate: float, expected: str
) -> None:
    """MQL5 reference, ENUM_SYMBOL_CALC_MODE, on contracts as exchanges publish them."""
    assert instrument.profit(*trade, rate) == Decimal(expected)


@given(
    st.sampled_from([EURUSD, XAUUSD, GER40, SHARE, ES, OIL, BUND, RTS, OFZ, THIRDS]),
    st.integers(1, 9_999), st.integers(-9_999, 9_999), st.integers(1, 500), st.sampled_from(Side),
)  # fmt: skip
def test_profit_scales_in_every_mode(
    instrument: Instrument, opened: int, move: int, lots: int, side: Side
) -> None:
    """With lots and with the move, to the cent; `lot_units` is its slope, and so exact units."""
    start = (opened + 10_000) * instrument.point
    end = (opened + 10_000 + move) * instrument.point
    start, end = instrument.round_price(start), instrument.round_price(end)
    exact = side.value * (Fraction(repr(end)) - Fraction(repr(start))) * lots
    exact *= exact_units(instrument)

    profit = instrument.profit(side, float(lots), start, end, 1.0)

    assert profit == Decimal(round(exact * 100)) / 100
    assert instrument.profit(side, float(lots), end, start, 1.0) == -profit
    assert float(exact) == pytest.approx(
        side.value * (end - start) * lots * instrument.lot_units, abs=0.005 + 1e-9 * abs(exact)
    )


def test_a_night_is_a_move_of_the_price() -> None:
    """-5 points of 0.01 on a future whose point is worth 0.50: -2.50 a lot, thrice on Wednesday."""
    future = msgspec.structs.replace(ES, swap_long_points=-5.0, swap_short_points=2.0)

    assert future.swap(Side.BUY, 1.0, 1, 1.0) == Decimal("-2.50")
    assert future.swap(Side.BUY, 2.0, 3, 1.1) == Decimal("-16.50")
    assert future.swap(Side.SELL, 1.0, 1, 1.0) == Decimal("1.00")


def test_margin_of_a_share_of_the_value_goes_by_the_tick_too() -> None:
    """Ten bonds at 98.5 percent of 1,000 RUB, a fifth of it."""
    bond = msgspec.structs.replace(OFZ, margin_mode=MarginMode.VALUE, margin_rate_long=0.2)

    assert bond.margin(Side.BUY, 10.0, 98.5, 1.0) == Decimal("1970.00")
    assert bond.margin_of(Side.BUY, 10.0, 10.0 * bond.lot_units * 98.5, 1.0) == pytest.approx(1970)


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
