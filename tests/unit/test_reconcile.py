"""Start-up recovery: late fills are booked, lost orders settled, differences named."""

from collections.abc import AsyncIterator, Iterable
from decimal import Decimal

import pytest
from trading_fixtures import BUY, NOON_NS, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    TerminalPosition,
)
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.events.base import Event
from plan2.intelligence.trading.orders import OrderState
from plan2.intelligence.trading.reconcile import rebuild, reconcile


class FakeTerminal:
    """Answers from lists; None stands for a question that got no answer."""

    def __init__(self) -> None:
        self.deal_list: tuple[Deal, ...] | None = ()
        self.position_list: tuple[TerminalPosition, ...] | None = ()
        self.in_flight: set[str] = set()

    def submit(self, order: ApprovedOrder) -> None:
        """Not used at start-up."""
        raise AssertionError("start-up must not send orders")

    async def account(self) -> AccountState | None:
        """Not asked here."""
        return None

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """The planted positions."""
        return self.position_list

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """The planted deals."""
        return self.deal_list

    async def deals_by_token(self, token: str) -> tuple[Deal, ...] | None:
        """Deals of a token, None while it is in flight."""
        if token in self.in_flight or self.deal_list is None:
            return None
        return tuple(deal for deal in self.deal_list if deal.token == token)


async def stored(events: Iterable[Event]) -> AsyncIterator[Event]:
    """Events as they come from a store."""
    for event in events:
        yield event


async def crashed_after_placing() -> tuple[Desk, ApprovedOrder]:
    """A new process whose predecessor wrote an order down and died."""
    before = Desk().arm()
    before.account.on_tick(scene(tick(), forecast(0.60)))
    after = Desk()
    durable = [
        item.event
        for item in before.sink.facts
        if type(item.event).__name__ in {"OrderPlaced", "TradingStateChanged"}
    ]
    assert await rebuild(after.account, stored(durable)) == 2
    return after, before.sent[0]


def deal_of(order: ApprovedOrder) -> Deal:
    """The broker's execution of an order."""
    return Deal(
        ticket="7",
        order_ticket="70",
        position_ticket="700",
        symbol=order.symbol,
        side=order.side,
        is_exit=False,
        quantity=order.quantity,
        price=1.10012,
        commission=Decimal("-0.80"),
        swap=Decimal("0.00"),
        profit=Decimal("0.00"),
        reason="client",
        token=order.token,
        magic=order.magic,
        ts_ns=NOON_NS + 10**9,
    )


def position_of(order: ApprovedOrder, quantity: float) -> TerminalPosition:
    """The broker's view of the position that the order opened."""
    return TerminalPosition(
        ticket="700",
        symbol=order.symbol,
        side=BUY,
        quantity=quantity,
        open_price=1.10012,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        swap=Decimal("0.00"),
        profit=Decimal("0.00"),
        magic=order.magic,
        token=order.token,
        opened_ts_ns=NOON_NS + 10**9,
    )


async def test_an_order_that_never_arrived_is_settled_not_resent() -> None:
    """The broker knows nothing of its token."""
    desk, order = await crashed_after_placing()
    found = await reconcile(desk.account, FakeTerminal(), 2, NOON_NS)
    assert (found.orders_settled, found.late_fills, found.agrees) == (1, 0, True)
    settled = desk.account.orders.orders[order.order_id]
    assert (settled.state, settled.reason) == (OrderState.REJECTED, "never reached the broker")


async def test_an_order_that_was_executed_meanwhile_is_booked() -> None:
    """The fill happened while nobody listened."""
    desk, order = await crashed_after_placing()
    terminal = FakeTerminal()
    terminal.deal_list = (deal_of(order),)
    terminal.position_list = (position_of(order, order.quantity),)
    found = await reconcile(desk.account, terminal, 2, NOON_NS)
    assert (found.late_fills, found.agrees) == (1, True)
    assert desk.account.portfolio.balance == Decimal("9999.20")
    again = await reconcile(desk.account, terminal, 2, NOON_NS)
    assert (again.late_fills, again.orders_settled) == (0, 0)


async def test_an_order_still_in_flight_stays_open() -> None:
    """Not askable yet is not "never arrived"."""
    desk, order = await crashed_after_placing()
    terminal = FakeTerminal()
    terminal.in_flight.add(order.token)
    found = await reconcile(desk.account, terminal, 2, NOON_NS)
    assert found.orders_settled == 0
    assert order.order_id in desk.account.orders.open


@pytest.mark.parametrize("question", ["deal_list", "position_list"])
async def test_a_question_without_an_answer_is_not_flat(question: str) -> None:
    """Nothing is assumed and nothing is settled wrongly."""
    desk, _ = await crashed_after_placing()
    terminal = FakeTerminal()
    setattr(terminal, question, None)
    with pytest.raises(TerminalUnavailable, match="could not be asked"):
        await reconcile(desk.account, terminal, 2, NOON_NS)


async def test_a_position_we_do_not_know_is_a_difference() -> None:
    """It is named with both sides."""
    desk, order = await crashed_after_placing()
    terminal = FakeTerminal()
    terminal.position_list = (position_of(order, 0.5),)
    found = await reconcile(desk.account, terminal, 2, NOON_NS)
    assert not found.agrees
    assert (found.differences[0].ours, found.differences[0].theirs) == (
        "test:700: none",
        "test:700: BUY 0.5 EURUSD",
    )
