"""Pending orders at the paper broker: which quote fills them, at what price, and what ends them."""

from decimal import Decimal

import msgspec
import pytest

from plan2.dataflow.terminals.port import OrderKind, Trigger, UpdateKind
from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.dataflow.terminals.simulated.requests import BrokerRequest
from plan2.foundation.values import NS_PER_SECOND, Side
from simulated_world import Desk, cancelling, changing, desk, order, pending

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP, STOP_LIMIT = Trigger.LIMIT, Trigger.STOP, Trigger.STOP_LIMIT
ACCEPTED, FILLED = UpdateKind.ACCEPTED, UpdateKind.FILLED
CANCELLED, EXPIRED = UpdateKind.CANCELLED, UpdateKind.EXPIRED


def resting(
    side: Side, trigger: Trigger, price: float, limit_price: float = 0.0, **changes: object
) -> Desk:
    """A desk at 1.10000/1.10010 with one pending EURUSD order of 0.10 lots, ticket 1."""
    made = desk(**changes)
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(pending("EURUSD", side, trigger, price, limit_price=limit_price))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.kinds() == [ACCEPTED]
    return made


@pytest.mark.parametrize(
    ("side", "trigger", "price", "before", "reached"),
    [
        (BUY, LIMIT, 1.09900, (1.09891, 1.09901), (1.09890, 1.09900)),
        (SELL, LIMIT, 1.10100, (1.10099, 1.10109), (1.10100, 1.10110)),
        (BUY, STOP, 1.10100, (1.10089, 1.10099), (1.10090, 1.10100)),
        (SELL, STOP, 1.09900, (1.09901, 1.09911), (1.09900, 1.09910)),
    ],
)
def test_the_opening_side_of_the_quote_triggers(
    side: Side,
    trigger: Trigger,
    price: float,
    before: tuple[float, float],
    reached: tuple[float, float],
) -> None:
    """A buyer's orders look at the ask, a seller's at the bid; a point earlier nothing happens."""
    made = resting(side, trigger, price)
    made.quote("EURUSD", *before)
    assert made.kinds() == [ACCEPTED]
    made.quote("EURUSD", *reached)
    assert made.kinds() == [ACCEPTED, FILLED]
    assert made.deals()[0].price == price
    assert made.broker.orders() == ()


@pytest.mark.parametrize(
    ("side", "trigger", "price", "gap", "filled_at"),
    [
        (BUY, LIMIT, 1.09900, (1.09500, 1.09510), 1.09510),
        (SELL, LIMIT, 1.10100, (1.10500, 1.10510), 1.10500),
        (BUY, STOP, 1.10100, (1.10500, 1.10510), 1.10510),
        (SELL, STOP, 1.09900, (1.09500, 1.09510), 1.09500),
    ],
)
def test_a_gap_fills_at_the_first_quote(
    side: Side, trigger: Trigger, price: float, gap: tuple[float, float], filled_at: float
) -> None:
    """A limit gets more than it asked for, a stop less; nobody gets a price that never was."""
    made = resting(side, trigger, price)
    made.quote("EURUSD", *gap)
    assert made.deals()[0].price == filled_at


def test_a_stop_limit_waits_twice() -> None:
    """Bought at 1.10050 only after 1.10100 was seen; the level before that does not count."""
    made = resting(BUY, STOP_LIMIT, 1.10100, 1.10050)
    made.quote("EURUSD", 1.10030, 1.10040)
    assert made.broker.orders()[0].price == 1.10100
    made.quote("EURUSD", 1.10100, 1.10110)
    assert made.kinds() == [ACCEPTED]
    made.quote("EURUSD", 1.10041, 1.10051)
    assert made.kinds() == [ACCEPTED]
    made.quote("EURUSD", 1.10040, 1.10050)
    assert made.kinds() == [ACCEPTED, FILLED]
    assert made.deals()[0].price == 1.10050


def test_another_symbols_quote_triggers_nothing() -> None:
    """A yen quote far below a euro limit is no euro quote."""
    made = resting(SELL, LIMIT, 1.10100)
    made.quote("USDJPY", 150.00, 150.01)
    assert made.kinds() == [ACCEPTED]


def test_the_money_is_looked_at_when_it_is_needed() -> None:
    """1 lot binds 3666.67 dollars: placed with 1000, then cancelled when reached."""
    made = desk(deposit=Decimal(1000))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(pending("EURUSD", BUY, LIMIT, 1.09900, quantity=1.0))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.quote("EURUSD", 1.09880, 1.09890)
    assert made.told() == [("pending-1", ACCEPTED, ""), ("pending-1", CANCELLED, "no_money")]
    assert made.broker.orders() == ()
    trace = made.broker.trace("token-pending-1")
    assert trace is not None
    assert (trace.is_over, trace.deals) == (True, ())


def test_it_expires_at_its_time_and_not_before() -> None:
    """The first tick at or after the expiry ends it, of whatever symbol, even if it reaches it."""
    made = desk()
    made.quote("EURUSD", 1.10000, 1.10010)
    expires = made.now_ns + 60 * NS_PER_SECOND
    made.submit(pending("EURUSD", BUY, LIMIT, 1.09900, expires_ts_ns=expires))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.quote("USDJPY", 150.00, 150.01, after_ns=expires - made.now_ns - 1)
    assert made.kinds() == [ACCEPTED]
    made.quote("EURUSD", 1.09880, 1.09890, after_ns=1)
    assert made.told()[1:] == [("pending-1", EXPIRED, "expired")]
    assert made.deals() == []


def test_stops_come_with_the_position() -> None:
    """The position of a filled order has its stops, and is stopped by a later tick."""
    made = desk()
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(pending("EURUSD", BUY, LIMIT, 1.09900, stop_loss=1.09800, take_profit=1.10000))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.quote("EURUSD", 1.09750, 1.09760)  # a gap through order and stop
    assert made.broker.positions()[0].stop_loss == 1.09800
    made.quote("EURUSD", 1.09760, 1.09770)
    entry, leaving = made.deals()
    assert (entry.price, leaving.price, leaving.reason) == (1.09760, 1.09760, "stop_loss")
    assert made.updates[-1].order_id == ""


def test_on_netting_a_pending_order_reduces() -> None:
    """A sell limit above a long of 0.10 lots closes it."""
    made = desk(is_hedging=False)
    made.submit(order())
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(pending("EURUSD", SELL, LIMIT, 1.10110))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.quote("EURUSD", 1.10110, 1.10120)
    assert (made.deals()[1].is_exit, made.deals()[1].profit) == (True, Decimal("10.00"))
    assert made.broker.positions() == ()


@pytest.mark.parametrize("trigger", [LIMIT, STOP])
def test_a_partial_fill_works_on(trigger: Trigger) -> None:
    """Half is filled at once; the rest is left working and filled by the next quote there."""
    price, there = {
        LIMIT: (1.09900, (1.09880, 1.09890)),
        STOP: (1.10100, (1.10110, 1.10120)),
    }[trigger]
    made = resting(BUY, trigger, price, faults=Faults(partial_fill=1.0))
    made.quote("EURUSD", *there)
    assert made.broker.orders()[0].quantity == 0.05
    trace = made.broker.trace("token-pending-1")
    assert trace is not None
    assert (len(trace.deals), trace.is_over) == (1, False)
    made.quote("EURUSD", *there)
    assert made.kinds() == [ACCEPTED, FILLED, FILLED]
    assert [deal.quantity for deal in made.deals()] == [0.05, 0.05]
    assert made.broker.orders() == ()
    (position,) = made.broker.positions()
    assert (position.ticket, position.quantity) == ("1", 0.10)


def test_a_partial_fill_leaves_stops_alone() -> None:
    """Stops that were written between two fills of an order are not those of the order again."""
    made = desk(faults=Faults(partial_fill=1.0))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(pending("EURUSD", BUY, STOP, 1.10100, stop_loss=1.09))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.quote("EURUSD", 1.10100, 1.10110)
    assert made.broker.positions()[0].stop_loss == 1.09
    request = BrokerRequest(kind=OrderKind.PROTECT, symbol="EURUSD", position_ticket="1")
    moved = msgspec.structs.replace(request, stop_loss=1.095)
    assert made.broker.trade_manually(moved).refusal is None
    made.quote("EURUSD", 1.10100, 1.10110)
    (position,) = made.broker.positions()
    assert (position.quantity, position.stop_loss) == (0.10, 1.095)


@pytest.mark.parametrize(
    ("side", "trigger", "price", "limit_price"),
    [
        (BUY, LIMIT, 1.10010, 0.0),
        (BUY, STOP, 1.10010, 0.0),
        (SELL, LIMIT, 1.10000, 0.0),
        (SELL, STOP, 1.10000, 0.0),
        (BUY, LIMIT, 1.099005, 0.0),
        (BUY, LIMIT, 0.0, 0.0),
        (BUY, STOP_LIMIT, 1.10100, 1.10100),
        (BUY, STOP_LIMIT, 1.10100, 0.0),
        (SELL, STOP_LIMIT, 1.09900, 1.09890),
    ],
)
def test_prices_that_cannot_be(
    side: Side, trigger: Trigger, price: float, limit_price: float
) -> None:
    """At the market, on its wrong side, off the grid, none, a limit beyond its stop."""
    made = desk()
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(pending("EURUSD", side, trigger, price, limit_price=limit_price))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == ["invalid_price"]


@pytest.mark.parametrize(
    ("price", "stop_loss", "reason"),
    [
        (1.09911, 0.0, "invalid_price"),
        (1.09910, 0.0, None),
        (1.09910, 1.09811, "invalid_stops"),
        (1.09910, 1.09810, None),
    ],
)
def test_the_stops_level_holds_for_orders_and_their_stops(
    price: float, stop_loss: float, reason: str | None
) -> None:
    """100 points from the ask to a buy limit, and from that to its stop."""
    made = desk(contract={"stops_level_points": 100})
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(pending("EURUSD", BUY, LIMIT, price, stop_loss=stop_loss))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == ([reason] if reason else [])


def test_close_to_the_market_an_order_is_frozen() -> None:
    """Within 50 points of its price it can be neither changed nor withdrawn; at 51 it can."""
    made = resting(BUY, LIMIT, 1.09900, contract={"freeze_level_points": 50})
    made.quote("EURUSD", 1.09940, 1.09950)
    for sent in (cancelling("1"), changing("1", 1.09800)):
        made.submit(sent)
        made.quote("EURUSD", 1.09940, 1.09950)
    assert made.reasons() == ["frozen", "frozen"]
    made.submit(cancelling("1", order_id="later"))
    made.quote("EURUSD", 1.09941, 1.09951)
    assert made.told()[-2:] == [
        ("later", UpdateKind.DONE, ""),
        ("pending-1", CANCELLED, "withdrawn"),
    ]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (cancelling("77"), "invalid_request"),
        (changing("77", 1.09), "invalid_request"),
        (changing("1", 1.10020), "invalid_price"),
        (changing("1", 1.09900), "no_changes"),
        (changing("1", 1.09800, expires_ts_ns=1), "invalid_expiration"),
        (changing("1", 1.09800, stop_loss=1.09900), "invalid_stops"),
        (order("USDJPY", kind=OrderKind.CANCEL, order_ticket="1"), "invalid_request"),
    ],
)
def test_changes_that_cannot_be(sent: object, reason: str) -> None:
    """No such order, a bad price, nothing new, a past expiry, a bad stop, another symbol."""
    made = resting(BUY, LIMIT, 1.09900)
    made.quote("USDJPY", 150.00, 150.01)
    made.submit(sent)
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == [reason]
    assert made.broker.orders()[0].price == 1.09900


def test_a_cancel_that_comes_too_late() -> None:
    """The tick that brings the cancel fills the order first: the cancel finds it changed."""
    made = resting(BUY, LIMIT, 1.09900)
    made.submit(cancelling("1"))
    made.quote("EURUSD", 1.09880, 1.09890)
    assert made.kinds() == [ACCEPTED, FILLED, UpdateKind.REJECTED]
    assert made.reasons() == ["order_changed"]


def test_changes_do_not_wait_for_a_quote_of_their_symbol() -> None:
    """A cancel needs no fresh euro quote: a yen tick brings it."""
    made = resting(BUY, LIMIT, 1.09900)
    made.submit(cancelling("1"))
    made.quote("USDJPY", 150.00, 150.01)
    assert made.broker.orders() == ()
