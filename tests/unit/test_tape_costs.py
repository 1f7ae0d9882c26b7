"""Hand-computed tapes of the compiled account: commission, swap, conversion, margin, rounding."""

from decimal import Decimal

import msgspec
import pytest

from account_tape import EURUSD, GOLD, TUESDAY_NS, USDJPY, Tape, tape
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_HOUR
from plan2.intelligence.backtest.account import entries
from plan2.intelligence.backtest.account.codes import FILLED, REFUSED, STOPPED_OUT

DEAR = msgspec.structs.replace(EURUSD, commission_per_lot=Decimal("3.50"))
SWAPPED = msgspec.structs.replace(EURUSD, swap_long_points=-6.8, swap_short_points=1.3)
"""0.10 lots: a long pays 0.68 USD a night, a short gets 0.13."""
HOUR_S, DAY_S = 3_600.0, 86_400.0


def held(tape: Tape, side: int = 1, lots: float = 0.10, price: float = 1.10000) -> Tape:
    """A position opened at `price` without a spread."""
    tape.quote(price, price)
    tape.enter(side, lots)
    assert tape.quote(price, price) & FILLED
    return tape


def closed(tape: Tape, bid: float, ask: float) -> dict[str, float]:
    """The trade that a position leaves when it is closed at this quote."""
    tape.leave()
    tape.quote(bid, ask)
    return tape.frames().trades.row(-1, named=True)


def test_commission_is_per_lot_and_side() -> None:
    """3.50 for 0.25 lots is 0.875 a side: to the even cent 0.88, twice."""
    dear = held(tape(DEAR), lots=0.25)
    assert dear.balance == Decimal("9999.12")

    trade = closed(dear, 1.10000, 1.10000)
    assert (trade["commission"], trade["net"]) == (-1.76, -1.76)
    assert dear.balance == Decimal("9998.24")


def test_a_flow_can_set_its_own_commission() -> None:
    """2 USD a lot and side: 0.25 lots pay 0.50 twice."""
    own = held(tape(commission_per_lot="2"), lots=0.25)

    assert closed(own, 1.10000, 1.10000)["commission"] == -1.00


def test_the_commission_of_an_entry_leaves_with_its_lots() -> None:
    """0.10 lots pay 0.35 to enter.

    0.03 of them leave with 0.105 → 0.10 (even) of that and with 0.105 → 0.10 of their own; the last
    0.07 with the remaining 0.25 and with 0.245 → 0.24.
    """
    dear = held(tape(DEAR))
    dear.close(1, 0.03)
    dear.quote(1.10000, 1.10000)
    closed(dear, 1.10000, 1.10000)

    assert dear.frames().trades["commission"].to_list() == [-0.20, -0.49]
    assert dear.balance == Decimal("9999.31")


def test_wednesday_books_three_nights() -> None:
    """Tuesday 22:00 UTC one night, 0.68; Wednesday three, 2.04; together −2.72."""
    long = held(tape(SWAPPED))
    long.quote(1.10000, 1.10000, after_s=2 * DAY_S)

    trade = closed(long, 1.10000, 1.10000)
    assert (trade["gross"], trade["swap"], trade["net"]) == (0.00, -2.72, -2.72)
    assert long.balance == Decimal("9997.28")


def test_a_weekend_books_one_night() -> None:
    """From Friday noon to Monday noon only Friday's turn lies between; a short gets 0.13."""
    short = tape(SWAPPED)
    short.quote(1.10000, 1.10000, after_s=3 * DAY_S + 4 * HOUR_S)
    held(short, side=-1)
    short.quote(1.10000, 1.10000, after_s=3 * DAY_S)

    assert closed(short, 1.10000, 1.10000)["swap"] == 0.13


def test_the_day_turns_with_new_york_summer_time() -> None:
    """On Monday 2024-03-11 the day turns at 21:00 UTC, an hour earlier than the week before."""
    long = tape(SWAPPED)
    long.quote(1.10000, 1.10000, after_s=6 * DAY_S)
    held(long)
    seconds = (TUESDAY_NS + 6 * 24 * NS_PER_HOUR + 13 * NS_PER_HOUR - long.now_ns) / 1e9
    long.quote(1.10000, 1.10000, after_s=seconds - 1)
    assert int(long.held[0]["swap"]) == 0
    long.quote(1.10000, 1.10000)

    assert int(long.held[0]["swap"]) == -68


def test_a_backtest_without_swap_pays_none() -> None:
    """The same two nights as above."""
    free = held(tape(SWAPPED, swap=False))
    free.quote(1.10000, 1.10000, after_s=2 * DAY_S)

    assert closed(free, 1.10000, 1.10000)["swap"] == 0.00


def test_swap_leaves_with_its_lots() -> None:
    """−0.68 on 0.10 lots: 0.03 take 0.204 → 0.20, the last 0.07 the rest, 0.48."""
    long = held(tape(SWAPPED))
    long.quote(1.10000, 1.10000, after_s=DAY_S)
    long.close(1, 0.03)
    long.quote(1.10000, 1.10000)
    closed(long, 1.10000, 1.10000)

    assert long.frames().trades["swap"].to_list() == [-0.20, -0.48]


def test_yen_are_converted_at_the_ask() -> None:
    """0.10 lots of 0.490 yen are 4,900 JPY; at 150.510 JPY a dollar 32.5560 → 32.56 USD."""
    yen = tape(USDJPY)
    yen.quote(150.000, 150.010)
    yen.enter(1)
    yen.quote(150.000, 150.010)

    assert closed(yen, 150.500, 150.510)["gross"] == 32.56


def test_dollars_are_converted_into_euros_at_the_ask() -> None:
    """0.10 lots gain 70 points: 7.00 USD; at 1.10090 a euro 6.3584 → 6.36 EUR."""
    euros = tape(currency="EUR")
    euros.quote(1.10000, 1.10010)
    euros.enter(1)
    euros.quote(1.10000, 1.10010)

    assert closed(euros, 1.10080, 1.10090)["gross"] == 6.36


def test_a_cross_needs_rates_of_its_own() -> None:
    """EURGBP on dollars: no rate, 10021; at 1.25 USD a pound 80 points, 8.00 GBP, are 10.00 USD."""
    cross = msgspec.structs.replace(EURUSD, symbol="EURGBP", quote="GBP")
    pounds = tape(cross)
    pounds.quote(0.85000, 0.85000)
    pounds.enter(1)
    assert pounds.quote(0.85000, 0.85000) == REFUSED
    pounds.accounts["given_quote_rate"], pounds.accounts["given_base_rate"] = 1.25, 1.10
    held(pounds, price=0.85000)

    assert closed(pounds, 0.85080, 0.85090)["gross"] == 10.00
    assert pounds.frames().rejects == {10021: 1}


def test_a_lot_of_gold_is_a_hundred_ounces() -> None:
    """0.10 lots are 10 ounces: 2150.30 → 2161.55 brings 112.50."""
    gold = tape(GOLD)
    gold.quote(2150.00, 2150.30)
    gold.enter(1)
    gold.quote(2150.00, 2150.30)

    assert closed(gold, 2161.55, 2161.85)["gross"] == 112.50


@pytest.mark.parametrize(("points", "gross"), [(25, 0.02), (35, 0.04), (-25, -0.02), (-35, -0.04)])
def test_half_a_cent_goes_to_the_even_cent(points: int, gross: float) -> None:
    """A hundredth of a 10,000 lot moves 0.001 USD a point: 25 points are 0.025."""
    mini: Instrument = msgspec.structs.replace(EURUSD, contract_size=10_000.0)
    small = held(tape(mini), lots=0.01)
    price = 1.10000 + points * 0.00001

    assert closed(small, price, price)["gross"] == gross


def test_margin_is_fixed_at_the_rate_of_the_opening() -> None:
    """0.10 lots at 1.10000 and a leverage of 30: 366.67; a higher price changes nothing."""
    long = held(tape())
    assert entries.margin_entry(long.accounts) == 36_667
    long.quote(1.20000, 1.20000)

    assert entries.margin_entry(long.accounts) == 36_667


def test_without_money_an_entry_is_refused() -> None:
    """0.10 lots need 366.67; 366.66 do not do."""
    poor = tape(balance="366.66")
    poor.quote(1.10000, 1.10000)
    poor.enter(1)
    assert poor.quote(1.10000, 1.10000) == REFUSED
    assert poor.frames().rejects == {10019: 1}

    held(tape(balance="366.67"))


def test_after_a_margin_call_nothing_more_is_bound() -> None:
    """1.50 lots bind 5,500.00: equity is 1.82 times that, and 4,500.00 are free.

    Called at 2, even 0.01 lots (36.67) are refused; what covers is carried out.
    """
    called = held(tape(margin_call_level=2.0), lots=1.50)
    called.enter(1, 0.01)
    assert called.quote(1.10000, 1.10000) == REFUSED
    called.enter(-1, 0.01)
    assert called.quote(1.10000, 1.10000) == FILLED

    assert called.frames().rejects == {10019: 1}
    held(tape(margin_call_level=1.0), lots=1.50).enter(1, 0.01)


def test_hedged_lots_bind_nothing() -> None:
    """1.00 long binds 3,666.67; 0.40 short cover 0.40 of it: 3,666.67 · 0.6 = 2,200.00."""
    both = held(tape(), lots=1.00)
    held(both, side=-1, lots=0.40)

    assert entries.margin_entry(both.accounts) == 220_000


def test_a_stop_out_closes_the_largest_loss_first() -> None:
    """1.00 and 0.50 long bind 3,666.67 + 1,833.33 = 5,500.00; half of it is 2,750.00.

    4,800 points down cost 7,200: equity 2,800, nothing happens. 4,840 cost 7,260: equity 2,740, so
    the lot goes, −4,840.00; 0.50 bind 1,833.33, equity is above half of it and they stay.
    """
    long = held(tape(), lots=1.00)
    held(long, lots=0.50)
    assert not long.quote(1.05200, 1.05200) & STOPPED_OUT
    assert long.quote(1.05160, 1.05160) & STOPPED_OUT

    trade = long.frames().trades.row(0, named=True)
    assert (trade["lots"], trade["gross"], trade["exit_reason"]) == (1.00, -4840.00, "stop_out")
    assert (long.balance, long.equity) == (Decimal("5160.00"), Decimal("2740.00"))
    assert long.held["lots"].tolist() == [50]
    assert long.frames().orders["kind"].to_list() == ["open", "open", "stop_out"]
