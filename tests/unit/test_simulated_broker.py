"""The paper broker's fills, stops and refusals; every amount is worked out by hand."""

from decimal import Decimal

import pytest

from plan2.dataflow.terminals.port import Trace, UpdateKind
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Side
from simulated_world import Desk, closing, desk, order

BUY, SELL = Side.BUY, Side.SELL
ACCEPTED, FILLED, REJECTED = UpdateKind.ACCEPTED, UpdateKind.FILLED, UpdateKind.REJECTED


def opened(side: Side = BUY, **changes: object) -> Desk:
    """A desk with one EURUSD position of 0.10 lots, opened at 1.10000/1.10010."""
    made = desk()
    made.quote("USDJPY", 150.00, 150.01)
    made.submit(order("EURUSD", side, **changes))
    made.quote("EURUSD", 1.10000, 1.10010)
    return made


def test_fills_on_the_first_tick_after_the_latency() -> None:
    """An order of time t with 40 ms latency ignores the quote at t+39 ms and takes that at t+40."""
    made = desk()
    made.submit(order())
    made.quote("EURUSD", 1.20000, 1.20010, after_ns=39 * NS_PER_MS)
    assert made.updates == []
    made.quote("EURUSD", 1.10000, 1.10010, after_ns=1 * NS_PER_MS)
    assert made.kinds() == [ACCEPTED, FILLED]
    assert made.deals()[0].price == 1.10010


def test_another_symbols_tick_fills_nothing() -> None:
    """A EURUSD order waits for a EURUSD quote."""
    made = desk()
    made.submit(order())
    made.quote("USDJPY", 150.00, 150.01)
    assert made.updates == []


@pytest.mark.parametrize(("side", "price"), [(BUY, 1.10010), (SELL, 1.10000)])
def test_buys_at_the_ask_and_sells_at_the_bid(side: Side, price: float) -> None:
    """The spread is paid at entry."""
    deal = opened(side).deals()[0]
    assert (deal.side, deal.price, deal.is_exit) == (side, price, False)


def test_round_trip_in_cents() -> None:
    """0.10 lots bought at 1.10010, sold at 1.10110: +10.00 − 2 · 0.35 = +9.30."""
    made = opened()
    made.submit(closing("EURUSD", SELL, "1"))
    made.quote("EURUSD", 1.10110, 1.10120)
    entry, leaving = made.deals()
    assert (entry.commission, leaving.commission) == (Decimal("-0.35"), Decimal("-0.35"))
    assert leaving.profit == Decimal("10.00")
    assert leaving.is_exit
    assert made.balance() == Decimal("10009.30")
    assert made.broker.positions() == ()


def test_partial_close_keeps_ticket_and_rest() -> None:
    """Closing 0.04 of 0.10 lots leaves 0.06 under the same ticket; profit is of 0.04 lots."""
    made = opened()
    made.submit(closing("EURUSD", SELL, "1", quantity=0.04))
    made.quote("EURUSD", 1.10110, 1.10120)
    assert made.deals()[1].profit == Decimal("4.00")
    rest = made.broker.positions()[0]
    assert (rest.ticket, rest.quantity) == ("1", 0.06)
    assert made.broker.account().margin == Decimal("220.00")  # 0.06 · 100000 / 30 · 1.10000


@pytest.mark.parametrize(
    ("side", "stops", "quote", "price", "reason"),
    [
        (BUY, (1.0990, 1.1020), (1.09900, 1.09910), 1.09900, "stop_loss"),
        (BUY, (1.0990, 1.1020), (1.09700, 1.09710), 1.09700, "stop_loss"),
        (BUY, (1.0990, 1.1020), (1.10250, 1.10260), 1.10250, "take_profit"),
        (BUY, (1.0990, 1.1020), (1.10200, 1.10210), 1.10200, "take_profit"),
        (SELL, (1.1020, 1.0980), (1.10190, 1.10200), 1.10200, "stop_loss"),
        (SELL, (1.1020, 1.0980), (1.10500, 1.10510), 1.10510, "stop_loss"),
        (SELL, (1.1020, 1.0980), (1.09690, 1.09700), 1.09700, "take_profit"),
    ],
)
def test_stops_fill_at_the_quote_that_reached_them(
    side: Side,
    stops: tuple[float, float],
    quote: tuple[float, float],
    price: float,
    reason: str,
) -> None:
    """A long is stopped by the bid, a short by the ask; a gap goes through the stop."""
    made = opened(side, stop_loss=stops[0], take_profit=stops[1])
    made.quote("EURUSD", *quote)
    deal = made.deals()[1]
    assert (deal.price, deal.reason, deal.is_exit, deal.token) == (price, reason, True, "")
    assert made.updates[-1].order_id == ""
    assert made.broker.positions() == ()


@pytest.mark.parametrize(
    ("side", "stops", "quote"),
    [
        (BUY, (1.0990, 1.1020), (1.09901, 1.09911)),
        (BUY, (1.0990, 1.1020), (1.10199, 1.10209)),
        (SELL, (1.1020, 1.0980), (1.10189, 1.10199)),
        (SELL, (1.1020, 1.0980), (1.09791, 1.09801)),
    ],
)
def test_stops_do_not_fire_one_point_early(
    side: Side, stops: tuple[float, float], quote: tuple[float, float]
) -> None:
    """One point before the stop nothing happens, whatever the other side of the quote says."""
    made = opened(side, stop_loss=stops[0], take_profit=stops[1])
    made.quote("EURUSD", *quote)
    assert len(made.deals()) == 1


def test_stop_comes_before_a_close_of_the_same_tick() -> None:
    """A close that arrives with the tick that stops the position finds it gone."""
    made = opened(stop_loss=1.0990)
    made.submit(closing("EURUSD", SELL, "1"))
    made.quote("EURUSD", 1.09800, 1.09810)
    assert [deal.reason for deal in made.deals()] == ["client", "stop_loss"]
    assert made.reasons() == ["position_closed"]


def test_yen_profit_is_converted_at_one_over_ask() -> None:
    """1 lot USDJPY from 150.01 to 150.31: 30000 JPY / 150.36 = 199.52 USD (199.59 at the bid)."""
    made = desk()
    made.submit(order("USDJPY", quantity=1.0))
    made.quote("USDJPY", 150.00, 150.01)
    made.submit(closing("USDJPY", SELL, "1", quantity=1.0))
    made.quote("USDJPY", 150.31, 150.36)
    assert made.deals()[1].profit == Decimal("199.52")


def test_cross_converts_by_way_of_the_dollar() -> None:
    """0.10 lots EURGBP from 0.85010 to 0.85110: 10 GBP at a GBPUSD bid of 1.25 = 12.50 USD."""
    made = desk(("EURUSD", "GBPUSD", "EURGBP"))
    made.quote("EURUSD", 1.08000, 1.08010)
    made.quote("GBPUSD", 1.25000, 1.25010)
    made.submit(order("EURGBP"))
    made.quote("EURGBP", 0.85000, 0.85010)
    made.submit(closing("EURGBP", SELL, "1"))
    made.quote("EURGBP", 0.85110, 0.85120)
    assert made.deals()[1].profit == Decimal("12.50")


def test_account_in_euro_converts_yen_through_the_dollar() -> None:
    """10000 JPY of loss at 1/150.02 and 1/1.25: −53.33 EUR."""
    made = desk(currency="EUR")
    made.quote("EURUSD", 1.24990, 1.25000)
    made.submit(order("USDJPY"))
    made.quote("USDJPY", 151.00, 151.01)
    made.submit(closing("USDJPY", SELL, "1"))
    made.quote("USDJPY", 150.01, 150.02)
    assert made.deals()[1].profit == Decimal("-53.33")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": 0.0}, "invalid_volume"),
        ({"quantity": 0.015}, "invalid_volume"),
        ({"quantity": 100.5}, "invalid_volume"),
        ({"stop_loss": 1.1000}, "invalid_stops"),
        ({"stop_loss": 1.0991}, "invalid_stops"),
        ({"take_profit": 1.1009}, "invalid_stops"),
        ({"stop_loss": 1.1050, "take_profit": 1.0950}, "invalid_stops"),
        ({"quantity": 3.0}, "no_money"),
        ({"symbol": "GBPUSD"}, "unknown_symbol"),
    ],
)
def test_refusals_of_an_entry(changes: dict[str, object], reason: str) -> None:
    """Volume, stops (level of 100 points from the bid), money, symbol: each with its reason."""
    made = desk(contract={"stops_level_points": 100})
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(order(**changes))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.kinds() == [REJECTED]
    assert made.reasons() == [reason]
    assert made.broker.deals(0) == ()


def test_stops_at_the_level_are_accepted() -> None:
    """Exactly 100 points from the bid is far enough."""
    made = desk(contract={"stops_level_points": 100})
    made.submit(order(stop_loss=1.0990, take_profit=1.1010))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.kinds() == [ACCEPTED, FILLED]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"position_ticket": "9"}, "position_closed"),
        ({"position_ticket": ""}, "position_closed"),
        ({"side": BUY}, "invalid_request"),
        ({"quantity": 0.11}, "invalid_close_volume"),
    ],
)
def test_refusals_of_a_close(changes: dict[str, object], reason: str) -> None:
    """Unknown position, wrong side, more lots than there are."""
    made = opened()
    made.submit(closing(**{"symbol": "EURUSD", "side": SELL, "ticket": "1"} | _renamed(changes)))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == [reason]
    assert len(made.broker.positions()) == 1


def _renamed(changes: dict[str, object]) -> dict[str, object]:
    return {"ticket" if key == "position_ticket" else key: value for key, value in changes.items()}


def test_a_close_of_another_symbol_is_refused() -> None:
    """A USDJPY order cannot close a EURUSD position."""
    made = opened()
    made.submit(closing("USDJPY", SELL, "1"))
    made.quote("USDJPY", 150.00, 150.01)
    assert made.reasons() == ["invalid_request"]


def test_no_rate_is_a_reason_of_its_own() -> None:
    """Without a GBPUSD quote a EURGBP profit cannot be expressed in dollars."""
    made = desk(("EURUSD", "GBPUSD", "EURGBP"))
    made.quote("EURUSD", 1.08000, 1.08010)
    made.submit(order("EURGBP"))
    made.quote("EURGBP", 0.85000, 0.85010)
    assert made.reasons() == ["no_conversion_rate"]


def test_closed_session_refuses_with_any_next_tick() -> None:
    """An order that arrives outside the session is refused, even by another symbol's tick."""
    made = desk(is_session=lambda _: False)
    made.submit(order())
    made.quote("USDJPY", 150.00, 150.01)
    assert made.reasons() == ["market_closed"]


def test_an_order_waits_a_minute_for_a_quote() -> None:
    """A quote 60 s after arrival still fills; without one by then the order is refused."""
    made = desk()
    made.submit(order())
    made.quote("EURUSD", 1.10000, 1.10010, after_ns=60 * NS_PER_SECOND + 40 * NS_PER_MS)
    made.submit(order(order_id="late"))
    made.quote("USDJPY", 150.00, 150.01, after_ns=60 * NS_PER_SECOND + 41 * NS_PER_MS)
    assert made.kinds() == [ACCEPTED, FILLED, REJECTED]
    assert made.reasons() == ["no_quotes"]


def test_trading_disabled_refuses_everything() -> None:
    """An account that may not trade says so."""
    made = desk(trade_allowed=False)
    made.submit(order())
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == ["trade_disabled"]
    assert not made.broker.account().trade_allowed


def test_the_same_token_is_never_executed_twice() -> None:
    """The second order with a token is refused, whether the first is filled or on its way."""
    made = desk()
    made.submit(order())
    made.submit(order(order_id="again", token="token-order-1"))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(order(order_id="later", token="token-order-1"))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == ["duplicate_token", "duplicate_token"]
    assert len(made.broker.deals(0)) == 1


def test_tokens_find_their_deals() -> None:
    """On its way: not askable. Filled: its deals. Never sent: none."""
    made = desk()
    made.submit(order())
    assert made.broker.trace("token-order-1") is None
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.broker.trace("token-order-1") == Trace(deals=tuple(made.deals()), is_over=True)
    assert made.broker.trace("never sent") == Trace()


def test_deals_since_a_time() -> None:
    """`deals` includes the given instant and leaves out what was before."""
    made = opened()
    made.submit(closing("EURUSD", SELL, "1"))
    made.quote("EURUSD", 1.10000, 1.10010)
    first, second = made.deals()
    assert made.broker.deals(first.ts_ns) == (first, second)
    assert made.broker.deals(first.ts_ns + 1) == (second,)
