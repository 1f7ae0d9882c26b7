"""What every terminal must do with orders that rest, change, end, or come from somebody else.

Same venues as test_terminal_contract.py; prices are checked against the quotes that were heard.
"""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    Deal,
    LinkState,
    OrderKind,
    Trigger,
    UpdateKind,
)
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.values import NS_PER_MINUTE, Side
from simulated_world import cancelling, changing, closing, order, pending, protecting
from terminal_venue import VENUES, Venue

BUY, SELL = Side.BUY, Side.SELL
ACCEPTED, FILLED, DONE = UpdateKind.ACCEPTED, UpdateKind.FILLED, UpdateKind.DONE
FAR, NEAR = 0.0100, 0.0004


@pytest.fixture(params=list(VENUES))
async def venue(request: pytest.FixtureRequest) -> AsyncIterator[Venue]:
    """Each terminal under contract, on a hedging account."""
    made = VENUES[request.param](True)
    yield made
    await made.close()


@pytest.fixture(params=list(VENUES))
async def netting(request: pytest.FixtureRequest) -> AsyncIterator[Venue]:
    """Each terminal under contract, on a netting account."""
    made = VENUES[request.param](False)
    yield made
    await made.close()


def away(venue: Venue, side: Side, trigger: Trigger, distance: float) -> float:
    """A price for a pending order so far from the market, on the side where it belongs."""
    tick = venue.last("EURUSD")
    market = tick.ask if side is BUY else tick.bid
    sign = -side if trigger is Trigger.LIMIT else side
    return round(market + sign * distance, 5)


def resting(venue: Venue, side: Side, trigger: Trigger, distance: float) -> ApprovedOrder:
    """A pending order with both stops, so far from the market."""
    price = away(venue, side, trigger, distance)
    limit = round(price - side * 0.0002, 5) if trigger is Trigger.STOP_LIMIT else 0.0
    return pending(
        "EURUSD",
        side,
        trigger,
        price,
        limit_price=limit,
        stop_loss=round(price - side * FAR, 5),
        take_profit=round(price + side * FAR, 5),
    )


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("trigger", [Trigger.LIMIT, Trigger.STOP, Trigger.STOP_LIMIT])
async def test_a_pending_order_works_as_it_was_sent(
    venue: Venue, side: Side, trigger: Trigger
) -> None:
    """ACCEPTED with a ticket; `orders` shows every field; nothing opens; it is working."""
    await venue.begin()
    sent = resting(venue, side, trigger, FAR)
    ticket = await venue.placed(sent)
    (shown,) = await venue.orders()
    assert (shown.ticket, shown.symbol, shown.side) == (ticket, "EURUSD", side)
    assert (shown.trigger, shown.quantity) == (trigger, 0.10)
    assert (shown.price, shown.limit_price) == (sent.price, sent.limit_price)
    assert (shown.stop_loss, shown.take_profit) == (sent.stop_loss, sent.take_profit)
    assert (shown.token, shown.magic, shown.expires_ts_ns) == (sent.token, sent.magic, 0)
    assert await venue.positions() == ()
    trace = await venue.traced(sent.token)
    assert (trace.working, trace.deals, trace.is_over) == (shown, (), False)


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("trigger", [Trigger.LIMIT, Trigger.STOP, Trigger.STOP_LIMIT])
async def test_a_pending_order_is_filled_when_it_is_reached(
    venue: Venue, side: Side, trigger: Trigger
) -> None:
    """A limit fills at its price or better, a stop at its price or worse; then it is over."""
    await venue.begin()
    sent = resting(venue, side, trigger, NEAR)
    ticket = await venue.placed(sent)
    await venue.until(lambda: len(venue.deals()) == 1)
    (deal,) = venue.deals()
    assert venue.answers("pending-1") == [ACCEPTED, FILLED]
    assert (deal.order_ticket, deal.side, deal.quantity) == (ticket, side, 0.10)
    assert (deal.token, deal.magic, deal.is_exit) == (sent.token, sent.magic, False)
    if trigger is Trigger.STOP:
        assert side * (deal.price - sent.price) >= 0
    else:
        assert side * (deal.price - (sent.limit_price or sent.price)) <= 0
    (position,) = await venue.positions()
    assert (position.side, position.quantity, position.token) == (side, 0.10, sent.token)
    assert (position.stop_loss, position.take_profit) == (sent.stop_loss, sent.take_profit)
    assert await venue.orders() == ()
    trace = await venue.traced(sent.token)
    assert (trace.working, trace.deals, trace.is_over) == (None, (deal,), True)


async def test_an_order_expires(venue: Venue) -> None:
    """When its time has come it is EXPIRED, gone, and over without deals."""
    await venue.begin()
    sent = pending(
        "EURUSD",
        BUY,
        Trigger.LIMIT,
        away(venue, BUY, Trigger.LIMIT, FAR),
        expires_ts_ns=venue.now_ns() + venue.expiry_ns,
    )
    ticket = await venue.placed(sent)
    await venue.until(lambda: UpdateKind.EXPIRED in venue.answers("pending-1"))
    assert venue.updates[-1].ticket == ticket
    assert venue.updates[-1].ts_ns >= sent.expires_ts_ns
    assert await venue.orders() == ()
    trace = await venue.traced(sent.token)
    assert (trace.working, trace.deals, trace.is_over) == (None, (), True)


async def test_an_order_is_changed(venue: Venue) -> None:
    """DONE; price, stops and expiry are the new ones; what is not named is gone."""
    await venue.begin()
    ticket = await venue.placed(resting(venue, BUY, Trigger.LIMIT, FAR))
    price = away(venue, BUY, Trigger.LIMIT, 2 * FAR)
    stop = round(price - FAR, 5)
    expires = venue.now_ns() + 600 * NS_PER_MINUTE
    wanted = changing(ticket, price, stop_loss=stop, expires_ts_ns=expires)
    await venue.answered(wanted)
    assert venue.answers(wanted.order_id) == [DONE]
    (shown,) = await venue.orders()
    assert (shown.ticket, shown.price, shown.quantity) == (ticket, price, 0.10)
    assert (shown.stop_loss, shown.take_profit) == (stop, 0.0)
    assert shown.expires_ts_ns // NS_PER_MINUTE == expires // NS_PER_MINUTE
    again = changing(
        ticket, price, stop_loss=stop, expires_ts_ns=shown.expires_ts_ns, order_id="again"
    )
    await venue.answered(again)
    assert venue.updates[-1].reason == "no_changes"


async def test_an_order_is_withdrawn(venue: Venue) -> None:
    """DONE for the withdrawal, CANCELLED for the order, whose trace is over; not twice."""
    await venue.begin()
    sent = resting(venue, SELL, Trigger.STOP, FAR)
    ticket = await venue.placed(sent)
    await venue.answered(cancelling(ticket))
    await venue.until(lambda: UpdateKind.CANCELLED in venue.answers("pending-1"))
    assert venue.answers(f"cancel-{ticket}") == [DONE]
    assert venue.answers("pending-1") == [ACCEPTED, UpdateKind.CANCELLED]
    assert await venue.orders() == ()
    trace = await venue.traced(sent.token)
    assert (trace.working, trace.deals, trace.is_over) == (None, (), True)
    await venue.answered(cancelling(ticket, order_id="again"))
    assert venue.answers("again") == [UpdateKind.REJECTED]


async def test_impossible_pending_orders_are_rejected(venue: Venue) -> None:
    """On the wrong side of the market, with a stop on the wrong side, already expired."""
    await venue.begin()
    low, high = (away(venue, BUY, one, FAR) for one in (Trigger.LIMIT, Trigger.STOP))
    wrong = [
        (pending("EURUSD", BUY, Trigger.LIMIT, high), "invalid_price"),
        (pending("EURUSD", BUY, Trigger.STOP, low), "invalid_price"),
        (pending("EURUSD", BUY, Trigger.LIMIT, low, stop_loss=high), "invalid_stops"),
        (pending("EURUSD", BUY, Trigger.LIMIT, low, expires_ts_ns=1), "invalid_expiration"),
        (pending("EURUSD", BUY, Trigger.LIMIT, low, quantity=0.015), "invalid_volume"),
    ]
    for number, (sent, reason) in enumerate(wrong):
        renamed = order(sent.symbol, sent.side, order_id=f"w{number}", **_fields(sent))
        await venue.answered(renamed)
        assert venue.answers(f"w{number}") == [UpdateKind.REJECTED]
        assert venue.updates[-1].reason == reason
        assert (await venue.traced(renamed.token)).is_empty
    assert await venue.orders() == ()


def _fields(sent: ApprovedOrder) -> dict[str, object]:
    names = ("kind", "trigger", "price", "stop_loss", "expires_ts_ns", "quantity")
    return {name: getattr(sent, name) for name in names}


async def test_protection_writes_both_stops(venue: Venue) -> None:
    """Both levels are written, a zero removes one, and a stop on the wrong side is refused."""
    await venue.begin()
    (entry,) = await venue.answered(order())
    ticket, bid = entry.position_ticket, venue.last("EURUSD").bid
    low, high = round(bid - FAR, 5), round(bid + FAR, 5)
    for number, stops in enumerate([(low, high), (low, 0.0), (0.0, high), (0.0, 0.0)]):
        await venue.answered(protecting(ticket, *stops, order_id=f"p{number}"))
        assert venue.answers(f"p{number}") == [DONE]
        (position,) = await venue.positions()
        assert (position.stop_loss, position.take_profit) == stops
    await venue.answered(protecting(ticket, high, 0.0, order_id="wrong"))
    assert venue.updates[-1].reason == "invalid_stops"
    await venue.answered(protecting("987654", low, 0.0, order_id="nobody"))
    assert venue.updates[-1].reason == "position_closed"


async def test_a_stop_written_later_works(venue: Venue) -> None:
    """A PROTECT with a near stop ends the position by it."""
    await venue.begin()
    (entry,) = await venue.answered(order())
    stop = round(venue.last("EURUSD").bid - NEAR, 5)
    await venue.answered(protecting(entry.position_ticket, stop, 0.0))
    await venue.until(lambda: len(venue.deals()) == 2)
    assert venue.deals()[1].reason == "stop_loss"
    assert venue.deals()[1].price <= stop


async def test_a_position_is_closed_in_parts(venue: Venue) -> None:
    """0.04 of 0.10 leave 0.06 under the same ticket; the rest closes it."""
    venue.grain = 0.02
    await venue.begin()
    (entry,) = await venue.answered(order())
    ticket = entry.position_ticket
    first = closing("EURUSD", SELL, ticket, quantity=0.04, order_id="first")
    (leaving,) = await venue.answered(first)
    assert (leaving.is_exit, leaving.quantity, leaving.position_ticket) == (True, 0.04, ticket)
    (rest,) = await venue.positions()
    assert (rest.ticket, rest.quantity) == (ticket, 0.06)
    await venue.answered(closing("EURUSD", SELL, ticket, quantity=0.06, order_id="second"))
    assert await venue.positions() == ()


@pytest.mark.parametrize(("short_lots", "rest"), [(0.10, []), (0.04, [(BUY, 0.06)])])
async def test_opposite_positions_close_each_other(
    venue: Venue, short_lots: float, rest: list[tuple[Side, float]]
) -> None:
    """CLOSE_BY ends the smaller one and that much of the other; what it brings is the difference.

    Both are closed at prices at which they were opened: (short − long) · lots · 100000, in dollars.
    """
    venue.grain = 0.02
    await venue.begin()
    (long,) = await venue.answered(order(order_id="long"))
    (short,) = await venue.answered(order("EURUSD", SELL, order_id="short", quantity=short_lots))
    by = order(
        "EURUSD",
        SELL,
        order_id="by",
        kind=OrderKind.CLOSE_BY,
        position_ticket=long.position_ticket,
        opposite_ticket=short.position_ticket,
        quantity=0.0,
    )
    deals = await venue.answered(by)
    assert {deal.position_ticket for deal in deals} == {long.position_ticket, short.position_ticket}
    assert all(deal.is_exit and deal.quantity == short_lots for deal in deals)
    lots = Decimal(str(short_lots))
    difference = (Decimal(str(short.price)) - Decimal(str(long.price))) * lots * 100_000
    if venue.is_fresh:
        assert sum(deal.profit for deal in deals) == difference
    assert [(one.side, one.quantity) for one in await venue.positions()] == rest


async def test_netting_adds_reduces_and_turns(netting: Venue) -> None:
    """One position per symbol: more lots average its price; more than it has turn it round."""
    netting.grain = 0.05
    await netting.begin()
    (first,) = await netting.answered(order(order_id="first"))
    ticket = first.position_ticket
    (second,) = await netting.answered(order(order_id="more", quantity=0.30))
    (position,) = await netting.positions()
    assert (position.ticket, position.quantity) == (ticket, 0.40)
    average = (first.price * 0.10 + second.price * 0.30) / 0.40
    assert abs(position.open_price - average) < 1e-7
    (less,) = await netting.answered(order("EURUSD", SELL, order_id="less", quantity=0.15))
    assert (less.is_exit, less.position_ticket) == (True, ticket)
    turned = await netting.answered(order("EURUSD", SELL, order_id="turn", quantity=0.35))
    assert [_told(deal) for deal in turned] == [(True, 0.25, SELL), (False, 0.10, SELL)]
    assert turned[1].ticket == f"{turned[0].ticket}.in"
    assert {deal.position_ticket for deal in turned} == {ticket}
    (position,) = await netting.positions()
    assert (position.ticket, position.side, position.quantity) == (ticket, SELL, 0.10)
    account = await netting.terminal.account()
    assert account is not None
    assert not account.is_hedging


def _told(deal: Deal) -> tuple[bool, float, Side]:
    return deal.is_exit, deal.quantity, deal.side


async def test_what_a_person_does_is_told(venue: Venue) -> None:
    """A hand-made position is shown without our marks; its deals belong to no order of ours."""
    if not venue.has_person:
        pytest.skip("nobody trades by hand at this venue")
    await venue.begin()
    venue.person_opens("EURUSD", BUY, 0.20)
    await venue.until(lambda: len(venue.deals()) == 1)
    (deal,) = venue.deals()
    assert (deal.reason, deal.token, deal.magic) == ("manual", "", 0)
    assert venue.updates[-1].order_id == ""
    (position,) = await venue.positions()
    assert (position.quantity, position.token, position.magic) == (0.20, "", 0)
    venue.person_closes(position)
    await venue.until(lambda: len(venue.deals()) == 2)
    assert await venue.positions() == ()


async def test_a_person_closes_our_position(venue: Venue) -> None:
    """The exit is told with our position's ticket and reason manual."""
    if not venue.has_person:
        pytest.skip("nobody trades by hand at this venue")
    await venue.begin()
    (entry,) = await venue.answered(order())
    (position,) = await venue.positions()
    venue.person_closes(position)
    await venue.until(lambda: len(venue.deals()) == 2)
    leaving = venue.deals()[1]
    assert (leaving.position_ticket, leaving.is_exit) == (entry.position_ticket, True)
    assert leaving.reason == "manual"


@pytest.mark.parametrize("state", [LinkState.DOWN, LinkState.DEGRADED])
async def test_a_broken_link(venue: Venue, state: LinkState) -> None:
    """It is said; nothing can be sent; a token is not "unknown to the broker"; then all is well."""
    if not venue.can_break:
        pytest.skip("this venue's link cannot be broken")
    await venue.begin()
    (entry,) = await venue.answered(order())
    venue.cut(state)
    assert venue.links[-1].state is state
    assert venue.links[-1].reason
    with pytest.raises(TerminalUnavailable):
        venue.send(order(order_id="second"))
    assert await venue.terminal.trace("token-second") is None
    if state is LinkState.DOWN:
        assert await venue.terminal.positions() is None
        assert await venue.terminal.orders() is None
    venue.mend()
    assert venue.links[-1].state is LinkState.UP
    assert (await venue.traced("token-second")).is_empty
    assert [one.ticket for one in await venue.positions()] == [entry.position_ticket]
