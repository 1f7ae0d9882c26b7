"""Reconciliation of positions and balance: explained, adopted, healed or halted; never guessed."""

from decimal import Decimal

import msgspec
import pytest
from reconcile_fixtures import (
    PERSON,
    Office,
    deal_of,
    exit_of,
    foreign_position,
    position_of,
)
from trading_fixtures import NOON_NS

from plan2.dataflow.terminals.port import OrderKind, UpdateKind
from plan2.foundation.events.account import BalanceAdjusted
from plan2.foundation.health import Status
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.acceptance import UNEXPLAINED
from plan2.intelligence.trading.wishes import Selection

SIXTY_S = 60.25
"""After the first pass over the positions."""


async def settled_with_position() -> tuple[Office, str]:
    """Both sides have position 700, long enough for nothing to be protected any more."""
    office = await Office().settled()
    order = office.position()
    await office.wait(58)
    return office, order.token


async def test_our_position_that_the_broker_lost_blocks_then_halts() -> None:
    """No deal explains it: alarm within five seconds of the look, halted after fifteen."""
    office, _ = await settled_with_position()
    office.terminal.position_list = ()
    await office.wait(2)
    looked_ns = office.clock.now_ns()
    assert office.differences() == []
    await office.wait(2.5)
    assert office.differences() == [("missing_position", "blocked")]
    assert not office.account.books_agree
    said = office.desk.sink.facts[-1].event
    assert said.ts_ns - looked_ns <= 5 * NS_PER_SECOND
    assert office.account.state is TradingState.ARMED
    await office.wait(14)
    assert office.differences()[-1] == ("missing_position", "halted")
    assert office.account.state is TradingState.HALTED
    assert "missing_position test:700" in office.reconciler.health().detail
    await office.wait(60)
    assert len(office.differences()) == 2  # said once each, not on every look


async def test_a_late_deal_heals_what_blocked() -> None:
    """The position was closed, its deal came ten seconds later; nothing is halted."""
    office, token = await settled_with_position()
    office.terminal.position_list = ()
    await office.wait(8)
    assert not office.account.books_agree
    (entry,) = office.terminal.deal_list or ()
    leaving = exit_of(entry, office.clock.now_ns() - 8 * NS_PER_SECOND)
    office.terminal.deal_list = (entry, leaving)
    office.terminal.balance = Decimal("9999.30")
    await office.wait(3)
    assert office.account.books_agree
    assert office.account.state is TradingState.ARMED
    assert ("deal_missing", "booked") in office.differences()
    assert office.account.positions.open == {}
    assert token


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"quantity": 0.07}, "quantity"), ({"side": -1}, "side")],
)
async def test_lots_or_side_that_no_deal_explains_halt(
    change: dict[str, object], kind: str
) -> None:
    """Our own position, other than we booked it."""
    office, _ = await settled_with_position()
    (held,) = office.terminal.position_list or ()
    if "side" in change:
        change = {"side": held.side.opposite}
    office.terminal.position_list = (msgspec.structs.replace(held, **change),)
    await office.wait(25)
    assert office.differences() == [(kind, "blocked"), (kind, "halted")]
    assert office.account.state is TradingState.HALTED


async def test_a_stop_that_a_person_moved_is_taken_over() -> None:
    """Booked and said; trading goes on."""
    office, _ = await settled_with_position()
    (held,) = office.terminal.position_list or ()
    office.terminal.position_list = (msgspec.structs.replace(held, stop_loss=1.0911),)
    await office.wait(6)
    assert office.differences() == [("stop_loss", "booked")]
    assert office.account.positions.open["test:700"].stop_loss == 1.0911
    assert office.account.books_agree


async def test_a_foreign_position_is_adopted_and_not_managed() -> None:
    """Opened by hand before we came: counted, never a reason to halt."""
    office = Office()
    office.terminal.position_list = (foreign_position(),)
    found = await office.reconciler.settle()
    assert found.agrees
    assert [one.action for one in found.differences] == ["adopted as foreign"]
    adopted = office.account.positions.open["test:900"]
    assert (adopted.quantity, adopted.is_managed) == (0.5, False)
    assert office.account.books_agree
    again = await office.reconciler.settle()
    assert again.differences == ()


async def test_the_late_entry_deal_of_an_adopted_position_is_not_added_again() -> None:
    """The adopted lots contain it already; its commission shows in the balance."""
    office = await Office().settled()
    order = office.open()
    office.hear(order, UpdateKind.REJECTED)
    office.terminal.position_list = (foreign_position(),)
    await office.reconciler.settle()
    late = deal_of(
        order,
        NOON_NS - 5 * NS_PER_SECOND,
        ticket="3",
        position_ticket="900",
        quantity=0.5,
        token="",
        magic=0,
        reason="manual",
    )
    office.terminal.deal_list = (late,)
    await office.wait(61)
    assert office.account.positions.open["test:900"].quantity == 0.5


async def test_an_adopted_position_that_vanishes_is_closed_as_unexplained() -> None:
    """Not ours, so no halt; not silently either."""
    office = Office()
    office.terminal.position_list = (foreign_position(),)
    await office.reconciler.settle()
    office.terminal.position_list = ()
    await office.wait(80)
    assert "test:900" not in office.account.positions.open
    closed = [
        fact.event
        for fact in office.desk.sink.facts
        if type(fact.event).__name__ == "PositionClosed"
    ]
    assert [one.reason for one in closed] == [UNEXPLAINED]
    assert office.account.state is TradingState.ARMED


async def test_a_foreign_position_that_changed_without_a_deal_is_taken_over() -> None:
    """Its lots are the broker's lots."""
    office = Office()
    office.terminal.position_list = (foreign_position(0.5),)
    await office.reconciler.settle()
    office.terminal.position_list = (foreign_position(0.2),)
    await office.wait(80)
    assert office.account.positions.open["test:900"].quantity == 0.2
    assert office.account.state is TradingState.ARMED
    assert office.account.books_agree


async def test_an_unknown_position_with_our_mark_halts() -> None:
    """Ours by its magic number, but no order and no deal of ours explains it."""
    office = await Office().settled()
    office.terminal.position_list = (foreign_position(magic=20_250, token="p2.nobody"),)
    await office.wait(85)
    assert office.differences() == [
        ("unknown_position", "blocked"),
        ("unknown_position", "halted"),
    ]
    assert office.account.state is TradingState.HALTED


async def test_an_unknown_position_is_first_asked_about() -> None:
    """The one targeted question finds the deals of its token, and nothing is said."""
    office = await Office().settled()
    order = office.open()
    office.hear(order, UpdateKind.ACCEPTED, "70")
    office.terminal.position_list = (position_of(order),)
    office.terminal.balance = Decimal("9999.65")
    office.terminal.deal_list = (deal_of(order, office.clock.now_ns()),)
    await office.reconciler.settle()
    assert list(office.account.positions.open) == ["test:700"]
    assert office.differences() == []


async def test_a_fill_of_a_moment_ago_is_not_judged() -> None:
    """Our fill 300 ms ago is in our books and not yet in the broker's list."""
    office = await Office().settled()
    await office.wait(59.75)
    order = office.position()
    office.terminal.position_list = ()
    await office.wait(4)
    assert office.differences() == []
    office.terminal.position_list = (position_of(order),)
    await office.wait(10)
    assert office.differences() == []
    assert office.account.books_agree


async def test_restless_activity_does_not_hide_a_difference_for_ever() -> None:
    """A new order on the position every second: it is said after thirty seconds all the same."""
    office, _ = await settled_with_position()
    (held,) = office.terminal.position_list or ()
    office.terminal.position_list = (msgspec.structs.replace(held, quantity=0.07),)
    for turn in range(45):
        stop = round(1.095 + 0.0001 * (turn + 1), 5)
        errand = office.ask(kind=OrderKind.PROTECT, position_id="test:700", stop_loss=stop)
        await office.wait(1)
        office.hear(errand, UpdateKind.REJECTED)
    assert ("quantity", "blocked") in office.differences()


async def test_money_without_a_deal_is_booked_as_an_adjustment() -> None:
    """A deposit of 250.00; seen long enough, said, booked once."""
    office = await Office().settled()
    office.terminal.balance = Decimal("10250.00")
    await office.wait(SIXTY_S)
    assert office.differences() == []
    await office.wait(18)
    assert office.differences() == [("balance", "booked")]
    (adjusted,) = [
        fact.event for fact in office.desk.sink.facts if isinstance(fact.event, BalanceAdjusted)
    ]
    assert (adjusted.amount, adjusted.balance) == ("250.00", "10250.00")
    assert office.account.portfolio.balance == Decimal("10250.00")
    await office.wait(120)
    assert len(office.differences()) == 1


async def test_a_difference_at_start_blocks_at_once() -> None:
    """No new risk from the first moment; it is not waited for a second look."""
    office, _ = await settled_with_position()
    office.terminal.position_list = ()
    found = await office.reconciler.settle()
    assert not found.agrees
    assert [(one.kind, one.action) for one in found.differences] == [
        ("missing_position", "blocked")
    ]
    assert not office.account.books_agree
    assert office.reconciler.health().status is Status.DEGRADED
    outcome = office.account.requests.close_all(
        selection=Selection(), ask=PERSON, now_ns=office.clock.now_ns()
    )
    assert outcome[0].refusal is None  # the way out is never blocked
