"""What every terminal must do, whichever broker is behind it: quotes, market orders, figures.

One suite, run against every adapter; tests/terminal_venue.py says how to add one. Pending orders,
changes and the rest are in test_terminal_orders_contract.py.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from plan2.dataflow.terminals.port import (
    Deal,
    LinkChange,
    LinkState,
    OrderUpdate,
    Trace,
    UpdateKind,
)
from plan2.foundation.values import NS_PER_HOUR, Side, Tick
from simulated_world import TUESDAY_NS, closing, order
from terminal_venue import SYMBOLS, VENUES, Venue

BUY, SELL = Side.BUY, Side.SELL
CENT = Decimal("0.01")


@pytest.fixture(params=list(VENUES))
async def venue(request: pytest.FixtureRequest) -> AsyncIterator[Venue]:
    """Each terminal under contract, on a hedging account."""
    made = VENUES[request.param](True)
    yield made
    await made.close()


async def test_unconnected_is_none_and_connected_is_empty(venue: Venue) -> None:
    """Before the start and after the stop nothing can be asked; a fresh account is empty."""
    terminal = venue.terminal

    async def asked() -> list[object]:
        return [
            await terminal.account(),
            await terminal.positions(),
            await terminal.orders(),
            await terminal.deals(0),
            await terminal.trace("none"),
        ]

    assert await asked() == [None] * 5
    await venue.begin()
    account, *lists, trace = await asked()
    assert account is not None
    assert lists == [(), (), ()]
    assert trace is None or trace.is_empty, "too early to tell, or nothing"
    assert await venue.traced("none") == Trace()
    await terminal.stop()
    assert await asked() == [None] * 5


async def test_a_good_start_says_up_once_and_first(venue: Venue) -> None:
    """The first word is that the link is UP, and it is said once."""
    await venue.begin()
    assert [change.state for change in venue.links] == [LinkState.UP]
    assert isinstance(venue.said[0], LinkChange)


async def test_account_of_a_fresh_start(venue: Venue) -> None:
    """Balance equals equity, nothing is bound, and it does not pass for real money."""
    await venue.begin()
    account = await venue.terminal.account()
    assert account is not None
    if venue.is_fresh:
        assert account.balance == account.equity == Decimal("10000.00")
        assert account.margin == 0
    assert account.balance > 0
    assert account.mode in {"demo", "simulated", "replay"}
    assert account.trade_allowed


async def test_ticks_are_ordered_and_sane(venue: Venue) -> None:
    """Per symbol in time order, numbered within an instant, bid below ask, on the grid."""
    await venue.begin()
    await venue.until(lambda: len(venue.ticks) >= venue.few(2000))
    known = venue.terminal.instruments()
    for symbol in SYMBOLS:
        mine = [tick for tick in venue.ticks if tick.symbol == symbol]
        places = [(tick.ts_ns, tick.seq) for tick in mine]
        assert places == sorted(set(places))
        assert all(0 < tick.bid < tick.ask for tick in mine)
        assert all(known[symbol].round_price(tick.bid) == tick.bid for tick in mine)


async def test_an_order_opens_exactly_one_position(venue: Venue) -> None:
    """ACCEPTED, then FILLED with one entry deal; the position carries all that was asked for."""
    await venue.begin()
    bid = venue.last("EURUSD").bid
    sent = order(stop_loss=round(bid - 0.0100, 5), take_profit=round(bid + 0.0100, 5))
    (deal,) = await venue.answered(sent)
    assert venue.answers("order-1") == [UpdateKind.ACCEPTED, UpdateKind.FILLED]
    assert (deal.symbol, deal.side, deal.quantity, deal.is_exit) == ("EURUSD", BUY, 0.10, False)
    assert (deal.token, deal.magic, deal.reason) == (sent.token, sent.magic, "client")
    positions = await venue.terminal.positions()
    assert positions is not None
    (position,) = positions
    assert position.ticket == deal.position_ticket
    assert (position.side, position.quantity, position.open_price) == (BUY, 0.10, deal.price)
    assert (position.stop_loss, position.take_profit) == (sent.stop_loss, sent.take_profit)
    assert (position.token, position.magic) == (sent.token, sent.magic)


async def test_a_deal_is_told_before_the_tick_that_made_it(venue: Venue) -> None:
    """The fill is at the ask of the next thing that is said: the tick of the same instant."""
    if not venue.tells_deals_first:
        pytest.skip("this adapter learns of deals apart from ticks")
    await venue.begin()
    (deal,) = await venue.answered(order())
    place = next(
        row
        for row, said in enumerate(venue.said)
        if isinstance(said, OrderUpdate) and said.deal == deal
    )
    tick = venue.said[place + 1]
    assert isinstance(tick, Tick)
    assert (tick.symbol, tick.ts_ns, tick.ask) == ("EURUSD", deal.ts_ns, deal.price)


@pytest.mark.parametrize("side", [BUY, SELL])
async def test_a_stop_closes_at_the_stop_or_worse(venue: Venue, side: Side) -> None:
    """A position with a near stop ends by it, at a price not better than the stop."""
    await venue.begin()
    tick = venue.last("EURUSD")
    stop = round((tick.bid if side is BUY else tick.ask) - side * 0.0004, 5)
    (entry,) = await venue.answered(order("EURUSD", side, stop_loss=stop))
    await venue.until(lambda: len(venue.deals()) == 2)
    leaving = venue.deals()[1]
    assert (leaving.is_exit, leaving.reason, leaving.side) == (True, "stop_loss", side.opposite)
    assert leaving.position_ticket == entry.position_ticket
    assert side * (leaving.price - stop) <= 0
    assert await venue.terminal.positions() == ()


async def test_a_take_profit_closes_at_its_price_or_better(venue: Venue) -> None:
    """A near take-profit ends the position with a gain."""
    await venue.begin()
    target = round(venue.last("EURUSD").bid + 0.0004, 5)
    await venue.answered(order(take_profit=target))
    await venue.until(lambda: len(venue.deals()) == 2)
    leaving = venue.deals()[1]
    assert leaving.reason == "take_profit"
    assert leaving.price >= target


async def test_tokens_settle_doubtful_orders(venue: Venue) -> None:
    """A token finds the deals of its order; an unknown one finds none, which is not None."""
    await venue.begin()
    (deal,) = await venue.answered(order())
    trace = await venue.traced("token-order-1")
    assert (trace.deals, trace.is_over, trace.working) == ((deal,), True, None)
    assert (await venue.traced("token-nobody")).is_empty
    assert await venue.terminal.deals(deal.ts_ns) == (deal,)
    assert await venue.terminal.deals(deal.ts_ns + 1) == ()


async def test_impossible_orders_are_rejected_with_a_reason(venue: Venue) -> None:
    """Off the volume step; a stop on the wrong side; a position that does not exist."""
    await venue.begin()
    before = await venue.balance()
    above = round(venue.last("EURUSD").ask + 0.0100, 5)
    wrong = [
        order(order_id="w1", quantity=0.015),
        order(order_id="w2", stop_loss=above),
        closing("EURUSD", SELL, "987654"),
    ]
    for sent in wrong:
        assert await venue.answered(sent) == []
        assert venue.answers(sent.order_id) == [UpdateKind.REJECTED]
        assert venue.updates[-1].reason
    assert await venue.terminal.positions() == ()
    assert await venue.balance() == before


def _needs_our_broker(venue: Venue) -> None:
    """Skip where costs are somebody else's and nights take a night."""
    if not venue.is_fresh:
        pytest.skip("costs are this broker's own; `plan2 statement check` recomputes its report")


def by_hand(entry: Deal, leaving: Deal, contract: int, rate: Decimal) -> Decimal:
    """Gross profit: side · (close − open) · lots · contract · rate, to the cent."""
    move = Decimal(str(leaving.price)) - Decimal(str(entry.price))
    amount = int(entry.side) * move * Decimal(str(leaving.quantity)) * contract * rate
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)


@pytest.mark.parametrize("side", [BUY, SELL])
async def test_a_euro_round_trip_adds_up(venue: Venue, side: Side) -> None:
    """Profit in dollars by hand, 3.50 per lot and side, and the balance moved by just that."""
    _needs_our_broker(venue)
    await venue.begin()
    (entry,) = await venue.answered(order("EURUSD", side, quantity=0.20))
    seen = len(venue.ticks)
    await venue.until(lambda: len(venue.ticks) > seen + 500)
    (leaving,) = await venue.answered(
        closing("EURUSD", side.opposite, entry.position_ticket, quantity=0.20)
    )
    assert (entry.profit, entry.commission) == (0, Decimal("-0.70"))
    assert leaving.profit == by_hand(entry, leaving, 100_000, Decimal(1))
    assert leaving.commission == Decimal("-0.70")
    assert await venue.balance() == Decimal("10000.00") + leaving.profit - Decimal("1.40")


async def test_a_yen_round_trip_is_converted(venue: Venue) -> None:
    """Profit in yen divided by the ask at which dollars could be bought at the exit."""
    _needs_our_broker(venue)
    await venue.begin()
    (entry,) = await venue.answered(order("USDJPY", BUY))
    seen = len(venue.ticks)
    await venue.until(lambda: len(venue.ticks) > seen + 500)
    (leaving,) = await venue.answered(closing("USDJPY", SELL, entry.position_ticket))

    def at_exit() -> list[Tick]:
        return [t for t in venue.ticks if t.symbol == "USDJPY" and t.ts_ns == leaving.ts_ns]

    await venue.until(lambda: bool(at_exit()))  # a remote answer may come before its quote
    tick = at_exit()[0]
    rate = Decimal(repr(1.0 / tick.ask))
    assert leaving.profit == by_hand(entry, leaving, 100_000, rate)
    assert await venue.balance() == Decimal("10000.00") + leaving.profit - Decimal("0.70")


async def test_a_night_costs_its_swap(venue: Venue) -> None:
    """Tuesday's rollover at 22:00 UTC: −7.1 points · 0.10 lots = −0.71, booked at the exit."""
    _needs_our_broker(venue)
    await venue.begin()
    (entry,) = await venue.answered(order("EURUSD", BUY))
    night_ns = TUESDAY_NS + 14 * NS_PER_HOUR
    await venue.until(lambda: venue.ticks[-1].ts_ns >= night_ns)
    positions = await venue.terminal.positions()
    assert positions is not None
    assert positions[0].swap == Decimal("-0.71")
    (leaving,) = await venue.answered(closing("EURUSD", SELL, entry.position_ticket))
    assert leaving.swap == Decimal("-0.71")
    moved = leaving.profit + leaving.commission + leaving.swap + entry.commission
    assert await venue.balance() == Decimal("10000.00") + moved


async def test_history_is_what_was_heard_and_never_the_future(venue: Venue) -> None:
    """Asking for the time played so far gives the very ticks; nothing at or after now."""
    await venue.begin()
    await venue.until(lambda: len(venue.ticks) >= venue.few(1500))
    first, now = venue.ticks[0].ts_ns, venue.ticks[-1].ts_ns
    for symbol in SYMBOLS:
        block = await venue.terminal.history(symbol, first, now + 6 * NS_PER_HOUR)
        heard = [
            (tick.ts_ns, tick.bid, tick.ask)
            for tick in venue.ticks
            if tick.symbol == symbol and tick.ts_ns < now
        ]
        columns = (block.ts_ns, block.bid, block.ask)
        found = zip(*(column.tolist() for column in columns), strict=True)
        assert list(found) == heard
        middle = heard[len(heard) // 2][0]
        part = await venue.terminal.history(symbol, first, middle)
        assert all(part.ts_ns < middle)


async def test_nothing_is_heard_after_stop(venue: Venue) -> None:
    """Stop returns when the last call to the listener has been made; stopping twice is harmless."""
    await venue.begin()
    await venue.terminal.stop()
    said = len(venue.said)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(venue.said) == said
    await venue.terminal.stop()
