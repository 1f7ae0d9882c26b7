"""Orders through the engine at the twin: every kind, and what others do to the account."""

from decimal import Decimal

import pytest

from mt5_world import SYMBOLS, Mt5World, mt5_world
from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    Deal,
    OrderKind,
    OrderUpdate,
    TerminalPosition,
    Trigger,
    UpdateKind,
)
from plan2.dataflow.terminals.twin import faults as fault
from plan2.dataflow.terminals.twin.options import TwinAccount, TwinOptions
from plan2.foundation.values import NS_PER_SECOND, Side
from simulated_world import closing, order

BUY, SELL = Side.BUY, Side.SELL
NETTING = TwinOptions(symbols=SYMBOLS, accounts=(TwinAccount(is_hedging=False),))
ACCEPTED, FILLED, REJECTED = UpdateKind.ACCEPTED, UpdateKind.FILLED, UpdateKind.REJECTED
CANCELLED, DONE = UpdateKind.CANCELLED, UpdateKind.DONE


def kinds(updates: tuple[OrderUpdate, ...]) -> list[UpdateKind]:
    """What was said, in order."""
    return [one.kind for one in updates]


def deals(updates: tuple[OrderUpdate, ...]) -> list[Deal]:
    """The deals that were told."""
    return [one.deal for one in updates if one.deal is not None]


def opened(venue: Mt5World, wanted: ApprovedOrder | None = None) -> TerminalPosition:
    """Open a position and return it as the broker shows it."""
    assert kinds(venue.engine.submit(wanted or order())) == [ACCEPTED, FILLED]
    found = venue.engine.positions()
    assert found
    return found[-1]


def pending(venue: Mt5World, **changes: object) -> str:
    """Place a buy limit far below the market and return its ticket."""
    wanted = order(
        **{"kind": OrderKind.PENDING, "trigger": Trigger.LIMIT, "price": 1.0800} | changes
    )
    (said,) = venue.engine.submit(wanted)
    assert said.kind is ACCEPTED, said
    return said.ticket


def test_open_and_close_at_market() -> None:
    """Bought at the ask, sold at the bid; the books add up to the cent."""
    venue = mt5_world()
    position = opened(venue, order(stop_loss=1.0800, take_profit=1.0900))
    assert (position.side, position.quantity, position.open_price) == (BUY, 0.1, 1.08508)
    assert (position.stop_loss, position.take_profit) == (1.0800, 1.0900)
    assert (position.token, position.magic) == ("token-order-1", 7)
    venue.quote(1.0860, 1.0861)

    updates = venue.engine.submit(closing("EURUSD", SELL, position.ticket))

    (out,) = deals(updates)
    assert (out.is_exit, out.side, out.price, out.quantity) == (True, SELL, 1.0860, 0.1)
    assert out.profit == Decimal("9.20")  # 92 points of 0.1 lot: 0.00092 * 10,000
    assert out.commission == Decimal("-0.35")
    assert out.position_ticket == position.ticket
    assert (out.reason, out.token) == ("client", f"token-close-{position.ticket}")
    account = venue.engine.account()
    assert account is not None
    assert account.balance == Decimal("10000.00") + Decimal("9.20") - Decimal("0.70")
    assert venue.engine.positions() == ()
    venue.poll()
    assert venue.updates == []


def test_an_order_is_handed_over_once_whatever_is_submitted() -> None:
    """The same token again is refused here, without a call."""
    venue = mt5_world()
    venue.engine.submit(order())
    (again,) = venue.engine.submit(order(order_id="other", token="token-order-1"))

    assert (again.kind, again.reason) == (REJECTED, "duplicate_token")
    assert len(venue.engine.positions() or ()) == 1


def test_hedging_partial_close_keeps_the_position() -> None:
    """Half is closed under the same ticket, then the rest."""
    venue = mt5_world()
    position = opened(venue, order(quantity=0.3))
    first = closing("EURUSD", SELL, position.ticket, quantity=0.1, order_id="half")
    assert deals(venue.engine.submit(first))[0].quantity == 0.1

    (left,) = venue.engine.positions() or ()
    assert (left.ticket, left.quantity) == (position.ticket, 0.2)


def test_netting_reversal_is_told_as_two_deals() -> None:
    """The ticket changes, the identifier stays; exit and entry share profit and cost rightly."""
    venue = mt5_world(NETTING)
    position = opened(venue, order(quantity=0.1))
    venue.quote(1.0860, 1.0861)

    updates = venue.engine.submit(order(side=SELL, quantity=0.3, order_id="turn"))

    assert kinds(updates) == [ACCEPTED, FILLED, FILLED]
    out, entry = deals(updates)
    assert (out.is_exit, out.quantity, out.profit) == (True, 0.1, Decimal("9.20"))
    assert (entry.is_exit, entry.quantity, entry.profit) == (False, 0.2, Decimal("0.00"))
    assert entry.ticket == f"{out.ticket}.in"
    assert out.position_ticket == entry.position_ticket == position.ticket
    assert (out.commission, entry.commission) == (Decimal("-0.35"), Decimal("-0.70"))
    (turned,) = venue.engine.positions() or ()
    assert (turned.ticket, turned.side, turned.quantity) == (position.ticket, SELL, 0.2)
    found = venue.world.person  # the terminal's own ticket is another one now
    assert found is not None
    assert venue.module.positions_get()[0].ticket != int(position.ticket)
    stopped = order(kind=OrderKind.PROTECT, position_ticket=turned.ticket, stop_loss=1.09)
    stopped_id = "stop-the-turned"
    assert kinds(venue.engine.submit(_named(stopped, stopped_id))) == [DONE]
    back = closing("EURUSD", BUY, turned.ticket, quantity=0.2)
    assert kinds(venue.engine.submit(back)) == [ACCEPTED, FILLED]
    told = venue.engine.deals(0)
    assert told is not None
    assert [one.ticket for one in told][1:3] == [out.ticket, entry.ticket]


def _named(wanted: ApprovedOrder, order_id: str) -> ApprovedOrder:
    import msgspec

    return msgspec.structs.replace(wanted, order_id=order_id, token=f"token-{order_id}")


def test_close_by_two_positions() -> None:
    """Both positions go against each other; each has its exit deal."""
    venue = mt5_world()
    long = opened(venue, order())
    short = opened(venue, order(side=SELL, order_id="short"))
    wanted = order(
        kind=OrderKind.CLOSE_BY,
        position_ticket=long.ticket,
        opposite_ticket=short.ticket,
        order_id="by",
    )

    updates = venue.engine.submit(wanted)

    assert kinds(updates)[0] is ACCEPTED
    assert {one.position_ticket for one in deals(updates)} == {long.ticket, short.ticket}
    assert all(one.is_exit and one.token == "token-by" for one in deals(updates))
    assert venue.engine.positions() == ()


def test_protect_writes_both_stops() -> None:
    """The level that is not named is removed; writing the same again is done already."""
    venue = mt5_world()
    position = opened(venue, order(stop_loss=1.0800, take_profit=1.0900))
    protect = order(kind=OrderKind.PROTECT, position_ticket=position.ticket, stop_loss=1.0810)

    assert kinds(venue.engine.submit(_named(protect, "one"))) == [DONE]

    (found,) = venue.engine.positions() or ()
    assert (found.stop_loss, found.take_profit) == (1.0810, 0.0)
    assert kinds(venue.engine.submit(_named(protect, "two"))) == [DONE]


def test_a_pending_order_lives_and_is_withdrawn() -> None:
    """Placed, changed, cancelled; its own end comes with the next poll under its own name."""
    venue = mt5_world()
    expires_ns = venue.clock.now_ns() + 7_200 * NS_PER_SECOND
    ticket = pending(venue, expires_ts_ns=expires_ns, stop_loss=1.0700)
    (working,) = venue.engine.orders() or ()
    assert (working.ticket, working.price, working.trigger) == (ticket, 1.0800, Trigger.LIMIT)
    assert (working.expires_ts_ns, working.token) == (expires_ns, "token-order-1")
    change = order(kind=OrderKind.CHANGE, order_ticket=ticket, price=1.0810, order_id="change")
    assert kinds(venue.engine.submit(change)) == [DONE]
    (changed,) = venue.engine.orders() or ()
    assert (changed.price, changed.stop_loss, changed.expires_ts_ns) == (1.0810, 0.0, 0)

    cancel = order(kind=OrderKind.CANCEL, order_ticket=ticket, order_id="cancel")
    assert kinds(venue.engine.submit(cancel)) == [DONE]
    venue.poll()

    assert venue.engine.orders() == ()
    (end,) = venue.updates
    assert (end.kind, end.order_id, end.ticket) == (CANCELLED, "order-1", ticket)
    trace = venue.engine.trace("token-order-1")
    assert trace is not None
    assert (trace.is_over, trace.working, trace.deals) == (True, None, ())


def test_a_pending_order_expires() -> None:
    """At its server time; told as EXPIRED under its own name."""
    venue = mt5_world()
    pending(venue, expires_ts_ns=venue.clock.now_ns() + 600 * NS_PER_SECOND)
    venue.after(599_000)
    assert venue.updates == []
    venue.after(2_000)

    assert venue.kinds("order-1") == [UpdateKind.EXPIRED]


def test_a_pending_order_is_executed() -> None:
    """The deal carries the order's name and token."""
    venue = mt5_world()
    ticket = pending(venue)
    venue.quote(1.0790, 1.0791)

    (update,) = venue.updates
    assert (update.kind, update.order_id) == (FILLED, "order-1")
    assert update.deal is not None
    assert (update.deal.order_ticket, update.deal.token) == (ticket, "token-order-1")
    assert not update.deal.is_exit


def test_a_stop_limit_order_has_two_prices() -> None:
    """It becomes a limit order at the second price once the first is reached."""
    venue = mt5_world()
    ticket = pending(venue, trigger=Trigger.STOP_LIMIT, price=1.0900, limit_price=1.0880)
    (working,) = venue.engine.orders() or ()
    assert (working.trigger, working.price, working.limit_price) == (
        Trigger.STOP_LIMIT,
        1.0900,
        1.0880,
    )
    venue.quote(1.0900, 1.0901)
    assert venue.engine.positions() == ()
    venue.quote(1.0870, 1.0871)

    assert [one.ticket for one in venue.updates if one.kind is FILLED] == [ticket]


@pytest.mark.parametrize(
    ("bid", "ask", "reason", "price"),
    [(1.0799, 1.0800, "stop_loss", 1.0799), (1.0901, 1.0902, "take_profit", 1.0901)],
)
def test_the_broker_closes_at_a_stop(bid: float, ask: float, reason: str, price: float) -> None:
    """Told as a deal of nobody's order, with the token of the order that opened the position."""
    venue = mt5_world()
    position = opened(venue, order(stop_loss=1.0800, take_profit=1.0900))
    venue.quote(bid, ask)

    (update,) = venue.updates
    assert (update.kind, update.order_id) == (FILLED, "")
    assert update.deal is not None
    assert (update.deal.reason, update.deal.price) == (reason, price)
    assert (update.deal.token, update.deal.position_ticket) == ("token-order-1", position.ticket)


def test_what_a_person_does_is_noticed() -> None:
    """Opening, closing part of ours, placing and withdrawing: told, and never taken for ours."""
    venue = mt5_world()
    ours = opened(venue)
    theirs = venue.world.person.opens("USDJPY", SELL, 0.5)
    venue.world.person.closes(int(ours.ticket), 0.04)
    placed = venue.world.person.places("EURUSD", BUY, Trigger.LIMIT, 0.2, 1.0700)
    venue.after(100)
    venue.world.person.cancels(placed)
    venue.after(100)

    entry, leaving, withdrawn = venue.updates
    assert entry.deal is not None
    assert leaving.deal is not None
    assert (entry.deal.reason, entry.deal.symbol, entry.deal.token) == ("manual", "USDJPY", "")
    assert entry.deal.order_ticket == str(theirs)
    assert (leaving.deal.reason, leaving.deal.quantity) == ("manual", 0.04)
    assert (withdrawn.kind, withdrawn.ticket) == (CANCELLED, str(placed))
    assert {one.order_id for one in venue.updates} == {""}
    assert len(venue.engine.positions() or ()) == 2


def test_a_partial_fill_gives_up_its_rest_after_its_deal() -> None:
    """10010: the deal first, then the end of the rest."""
    venue = mt5_world()
    venue.world.faults.script("order_send", fault.fills(0.04))

    updates = venue.engine.submit(order())

    assert kinds(updates) == [ACCEPTED, FILLED, CANCELLED]
    assert deals(updates)[0].quantity == 0.04
    assert updates[2].reason == "rest_cancelled"


def test_a_good_result_that_names_nothing() -> None:
    """A result with deal, price and volume 0 is legal: the deal is found in the history."""
    venue = mt5_world()
    venue.world.faults.script("order_send", fault.bare())

    assert kinds(venue.engine.submit(order())) == [ACCEPTED, FILLED]


def test_late_deals_are_told_later() -> None:
    """Accepted now; the deal comes when the history shows it, once, under the order's name."""
    venue = mt5_world()
    venue.world.visibility.deals_ms = 3_000
    assert kinds(venue.engine.submit(order())) == [ACCEPTED]
    assert venue.engine.trace("token-order-1") is None
    for _ in range(10):
        venue.after(500)

    assert venue.kinds("order-1") == [FILLED]
    assert venue.engine.trace("token-order-1") is not None


def test_a_late_deal_and_its_rest() -> None:
    """The end of the rest waits for the deal, however late it is shown."""
    venue = mt5_world()
    venue.world.visibility.deals_ms = 3_000
    venue.world.faults.script("order_send", fault.fills(0.04))
    assert kinds(venue.engine.submit(order())) == [ACCEPTED]
    for _ in range(10):
        venue.after(500)

    assert venue.kinds("order-1") == [FILLED, CANCELLED]


def test_suffixes_are_the_brokers_business() -> None:
    """Ours is EURUSD everywhere, the broker's is EURUSD.r."""
    venue = mt5_world(TwinOptions(symbols=SYMBOLS, suffix=".r"))
    position = opened(venue)
    venue.quote(1.0860, 1.0861)
    venue.engine.submit(closing("EURUSD", SELL, position.ticket))

    assert position.symbol == "EURUSD"
    assert {one.symbol for one in venue.engine.deals(0) or ()} == {"EURUSD"}
    assert {one.symbol for one in venue.ticks} == {"EURUSD"}
    assert set(venue.engine.instruments() or ()) == set(SYMBOLS)


def test_commission_is_learned_from_deals() -> None:
    """The configured guess holds until an entry and an exit were seen; the twin takes 3.50."""
    venue = mt5_world(commission_per_lot=Decimal("9.99"))
    assert venue.engine.commission_per_lot("EURUSD") == Decimal("9.99")
    position = opened(venue)
    venue.engine.submit(closing("EURUSD", SELL, position.ticket))

    assert venue.engine.commission_per_lot("EURUSD") == Decimal("3.50")
    instruments = venue.engine.instruments()
    assert instruments is not None
    assert instruments["EURUSD"].commission_per_lot == Decimal("3.50")
    assert instruments["USDJPY"].commission_per_lot == Decimal("9.99")
