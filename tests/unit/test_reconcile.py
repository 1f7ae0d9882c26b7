"""Reconciliation of orders and deals: asked for patiently, settled once, never resent."""

from collections.abc import AsyncIterator, Iterable
from decimal import Decimal

import msgspec
import pytest
from reconcile_fixtures import Office, deal_of, position_of, working_of
from trading_fixtures import NOON_NS, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    LinkState,
    OrderKind,
    OrderUpdate,
    Trace,
    UpdateKind,
)
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.events.base import Event
from plan2.foundation.health import Status
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.answers import REST_CANCELLED
from plan2.intelligence.trading.orders import NEVER_ARRIVED, OrderState
from plan2.intelligence.trading.reconcile import Reconciler, rebuild
from plan2.intelligence.trading.reconcile_orders import NOT_DONE


async def stored(events: Iterable[Event]) -> AsyncIterator[Event]:
    """Events as they come from a store."""
    for event in events:
        yield event


async def crashed_after_placing() -> tuple[Office, ApprovedOrder]:
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
    return Office(after), before.sent[0]


# --- at start -------------------------------------------------------------------------------


async def test_an_order_that_was_executed_meanwhile_is_booked_at_start() -> None:
    """The fill happened while nobody listened; a second pass finds nothing more."""
    office, order = await crashed_after_placing()
    deal = deal_of(order, commission=Decimal("-0.80"))
    office.terminal.deal_list = (deal,)
    office.terminal.position_list = (position_of(order),)
    office.terminal.balance = Decimal("9999.20")
    found = await office.reconciler.settle(2)
    assert (found.events, found.late_fills, found.agrees) == (2, 1, True)
    assert office.account.portfolio.balance == Decimal("9999.20")
    again = await office.reconciler.settle(2)
    assert (again.late_fills, again.orders_settled) == (0, 0)
    assert office.account.books_agree


async def test_an_order_that_never_arrived_is_settled_with_patience_not_resent() -> None:
    """One empty trace proves nothing; five over fifteen seconds do."""
    office, order = await crashed_after_placing()
    found = await office.reconciler.settle(2)
    assert (found.orders_settled, found.agrees) == (0, True)
    await office.wait(14.75)
    assert office.order(order).is_open
    await office.wait(2)
    settled = office.order(order)
    assert (settled.state, settled.reason) == (OrderState.REJECTED, NEVER_ARRIVED)
    assert len([one for one in office.terminal.asked if one.startswith("trace")]) >= 5
    assert office.desk.sent == []


async def test_an_order_that_cannot_be_told_about_stays_open() -> None:
    """Not askable yet is not "never arrived", however long it lasts."""
    office, order = await crashed_after_placing()
    office.terminal.traces[order.token] = None
    await office.reconciler.settle(2)
    await office.wait(120)
    assert office.order(order).is_open


@pytest.mark.parametrize("question", ["deal_list", "position_list", "order_list", "balance"])
async def test_a_question_without_an_answer_is_not_flat(question: str) -> None:
    """Nothing is assumed, nothing is settled, and the books do not agree."""
    office, order = await crashed_after_placing()
    setattr(office.terminal, question, None)
    with pytest.raises(TerminalUnavailable, match="could not be asked"):
        await office.reconciler.settle(2)
    assert not office.account.books_agree
    assert office.order(order).is_open


async def test_deals_of_before_plan2_are_not_booked() -> None:
    """The account had a life of its own before."""
    office, order = await crashed_after_placing()
    office.terminal.deal_list = (deal_of(order, NOON_NS - 1, token="", magic=0),)
    reconciler = Reconciler(office.account, office.terminal, office.clock, since_ns=NOON_NS)
    assert (await reconciler.settle()).late_fills == 0
    assert office.account.positions.fills == {}


# --- orders without an answer -----------------------------------------------------------------


async def test_a_silent_order_is_asked_for_after_five_seconds_every_two() -> None:
    """Not before; an answer in between ends it."""
    office = await Office().settled()
    order = office.open()
    office.terminal.traces[order.token] = None
    await office.wait(4.75)
    assert not any(one.startswith("trace") for one in office.terminal.asked)
    await office.wait(4.5)
    assert [one for one in office.terminal.asked if one.startswith("trace")] == [
        f"trace {order.token}"
    ] * 3
    office.hear(order, UpdateKind.REJECTED)
    office.terminal.asked.clear()
    await office.wait(5)
    assert not any(one.startswith("trace") for one in office.terminal.asked)


async def test_an_unknown_outcome_is_asked_for_at_once() -> None:
    """And its deals are booked to it."""
    office = await Office().settled()
    order = office.open()
    office.hear(order, UpdateKind.UNKNOWN)
    office.terminal.deal_list = (deal_of(order),)
    office.terminal.position_list = (position_of(order),)
    await office.wait(0.25)
    assert office.order(order).state is OrderState.FILLED
    assert list(office.account.positions.open) == ["test:700"]


async def test_an_empty_answer_in_between_starts_the_count_anew() -> None:
    """Four empty traces, one "cannot tell" later they still count; one "works" forgets them."""
    office = await Office().settled()
    order = office.open()
    await office.wait(13.5)
    office.terminal.traces[order.token] = Trace(working=working_of(order))
    await office.wait(2)
    office.terminal.traces[order.token] = Trace()
    await office.wait(9)
    assert office.order(order).is_open


@pytest.mark.parametrize("is_traceable", [True, False])
async def test_a_pending_order_whose_acceptance_was_lost_is_found_working(
    is_traceable: bool,
) -> None:
    """By its trace, or among the working orders; the broker's ticket is learned."""
    office = await Office().settled()
    order = office.pending(is_heard=False)
    if not is_traceable:
        office.terminal.traces[order.token] = None
    await office.wait(11)
    assert (office.order(order).state, office.order(order).ticket) == (OrderState.ACCEPTED, "70")
    assert office.account.books_agree


async def test_an_accepted_order_that_is_over_is_cancelled_after_two_looks() -> None:
    """Its rest was withdrawn and the word was lost."""
    office = await Office().settled()
    order = office.open()
    office.hear(order, UpdateKind.ACCEPTED, "70")
    office.terminal.traces[order.token] = Trace(is_over=True)
    await office.wait(6.75)
    assert office.order(order).is_open
    await office.wait(0.75)
    assert office.order(order).state is OrderState.CANCELLED


async def test_a_part_that_was_filled_and_is_over_keeps_its_fill() -> None:
    """Half of the lots executed, the rest cancelled without a word."""
    office = await Office().settled()
    order = office.open()
    office.terminal.deal_list = (deal_of(order, quantity=0.05),)
    office.terminal.position_list = (position_of(order, quantity=0.05),)
    await office.wait(12)
    assert (office.order(order).state, office.order(order).filled_quantity) == (
        OrderState.CANCELLED,
        0.05,
    )


async def test_a_rest_that_is_cancelled_before_its_fill_is_told_stays_reserved() -> None:
    """Its part is at the broker: the outcome is unknown until the trace has told it."""
    office = await Office().settled()
    order = office.open()
    office.account.on_order_update(
        OrderUpdate(
            kind=UpdateKind.CANCELLED,
            ts_ns=office.clock.now_ns(),
            order_id=order.order_id,
            reason=REST_CANCELLED,
        )
    )
    assert office.order(order).state is OrderState.UNKNOWN
    office.terminal.deal_list = (deal_of(order, quantity=0.05),)
    office.terminal.position_list = (position_of(order, quantity=0.05),)
    await office.wait(10)
    done = office.order(order)
    assert (done.state, done.filled_quantity) == (OrderState.CANCELLED, 0.05)


async def test_ask_now_does_not_wait() -> None:
    """The saga may hurry an order on."""
    office = await Office().settled()
    order = office.open()
    await office.wait(0.25)
    office.reconciler.ask_now(order.order_id)
    await office.wait(0.25)
    assert f"trace {order.token}" in office.terminal.asked


# --- errands: nothing but what the broker has now tells their outcome ---------------------------


async def test_a_protect_without_an_answer_is_done_when_the_position_has_the_stops() -> None:
    """Ours then has them too."""
    office = await Office().settled()
    order = office.position()
    errand = office.ask(kind=OrderKind.PROTECT, position_id="test:700", stop_loss=1.0975)
    office.terminal.position_list = (position_of(order, stop_loss=1.0975),)
    await office.wait(5.25)
    assert office.order(errand).state is OrderState.DONE
    assert office.account.positions.open["test:700"].stop_loss == 1.0975
    assert ("stop_loss", "booked") not in office.differences()


async def test_a_protect_that_was_not_carried_out_is_rejected_with_patience() -> None:
    """The broker still has the old stop after many looks."""
    office = await Office().settled()
    office.position()
    errand = office.ask(kind=OrderKind.PROTECT, position_id="test:700", stop_loss=1.0975)
    await office.wait(14.5)
    assert office.order(errand).is_open
    await office.wait(3)
    assert (office.order(errand).state, office.order(errand).reason) == (
        OrderState.REJECTED,
        NOT_DONE,
    )
    assert office.account.positions.open["test:700"].stop_loss == 1.095


async def test_a_change_without_an_answer_is_seen_in_the_working_order() -> None:
    """Price as asked: carried out."""
    office = await Office().settled()
    order = office.pending()
    errand = office.ask(kind=OrderKind.CHANGE, order_id=order.order_id, price=1.097)
    office.terminal.order_list = (working_of(order, price=1.097),)
    await office.wait(5.25)
    assert office.order(errand).state is OrderState.DONE
    assert office.order(order).price == 1.097


async def test_a_withdrawal_without_an_answer_waits_for_the_fate_of_its_order() -> None:
    """Gone and over: withdrawn. The order ends too."""
    office = await Office().settled()
    order = office.pending()
    errand = office.ask(kind=OrderKind.CANCEL, order_id=order.order_id)
    office.terminal.order_list = ()
    office.terminal.traces[order.token] = Trace(is_over=True)
    await office.wait(15)
    assert office.order(order).state is OrderState.CANCELLED
    assert office.order(errand).state is OrderState.DONE


async def test_a_withdrawal_that_came_too_late_is_rejected() -> None:
    """The order was executed before."""
    office = await Office().settled()
    order = office.pending()
    errand = office.ask(kind=OrderKind.CANCEL, order_id=order.order_id)
    office.terminal.order_list = ()
    office.terminal.deal_list = (deal_of(order),)
    office.terminal.position_list = (position_of(order),)
    await office.wait(25)
    assert office.order(order).state is OrderState.FILLED
    assert office.order(errand).state is OrderState.REJECTED


# --- working orders ---------------------------------------------------------------------------


async def test_a_foreign_working_order_is_noted_once_and_does_not_halt() -> None:
    """Somebody's limit order at the same account."""
    office = await Office().settled()
    order = office.pending()
    stranger = working_of(order, ticket="99", magic=0, token="")
    office.terminal.order_list = (working_of(order), stranger)
    await office.wait(30)
    assert office.differences() == [("order_unknown", "adopted as foreign")]
    assert office.account.state is TradingState.ARMED
    assert office.account.books_agree


async def test_a_working_order_with_our_mark_that_we_never_placed_halts() -> None:
    """It must not exist."""
    office = await Office().settled()
    order = office.pending()
    stranger = working_of(order, ticket="99", token="p2.nobody")
    office.terminal.order_list = (working_of(order), stranger)
    await office.wait(18)
    assert office.differences() == [("order_unknown", "halted")]
    assert office.account.state is TradingState.HALTED
    assert not office.account.books_agree
    office.terminal.order_list = (working_of(order),)
    await office.wait(3)
    assert office.account.books_agree


async def test_a_working_order_that_a_person_changed_is_taken_over() -> None:
    """Said and booked; trading goes on."""
    office = await Office().settled()
    order = office.pending()
    await office.wait(6)
    office.terminal.order_list = (working_of(order, price=1.0965),)
    await office.wait(14)
    assert office.differences() == [("order_changed", "booked")]
    assert office.order(order).price == 1.0965


async def test_a_working_order_that_the_broker_lost_without_record_halts() -> None:
    """Accepted once, now nowhere: no trace of it, several times."""
    office = await Office().settled()
    order = office.pending()
    office.terminal.order_list = ()
    await office.wait(40)
    assert ("order_missing", "halted") in office.differences()
    assert office.order(order).state is OrderState.CANCELLED


# --- deals (R-113: missing, repeated, altered) ----------------------------------------------------


async def test_a_missed_deal_is_booked_within_ten_seconds_and_said() -> None:
    """An exit that nobody told us."""
    office = await Office().settled()
    order = office.position()
    await office.wait(20)
    leaving = msgspec.structs.replace(
        deal_of(order, office.clock.now_ns()),
        ticket="8",
        side=order.side.opposite,
        is_exit=True,
        reason="take_profit",
        token="",
    )
    office.terminal.deal_list = (*office.terminal.deal_list, leaving)
    office.terminal.position_list = ()
    office.terminal.balance = Decimal("9999.30")
    await office.wait(10.25)
    assert office.account.positions.open == {}
    assert office.differences() in ([("deal_missing", "booked")], [])
    assert office.account.books_agree


async def test_a_deal_that_is_told_again_changes_nothing() -> None:
    """The overlap shows the same deals on every pass."""
    office = await Office().settled()
    office.position()
    await office.wait(130)
    assert office.terminal.asked.count("deals") > 5
    assert office.differences() == []
    assert office.account.portfolio.balance == Decimal("9999.65")


@pytest.mark.parametrize(
    ("change", "action", "state"),
    [
        ({"quantity": 0.2}, "halted", TradingState.HALTED),
        ({"price": 1.2}, "halted", TradingState.HALTED),
        ({"commission": Decimal("-0.40")}, "noted", TradingState.ARMED),
    ],
)
async def test_an_altered_deal_is_noticed(
    change: dict[str, object], action: str, state: TradingState
) -> None:
    """Lots and price halt; money alone is noted, and the balance is compared anyway."""
    office = await Office().settled()
    office.position()
    await office.wait(10)
    (deal,) = office.terminal.deal_list or ()
    office.terminal.deal_list = (msgspec.structs.replace(deal, **change),)
    await office.wait(11)
    assert ("deal_altered", action) in office.differences()
    assert office.account.state is state


@pytest.mark.parametrize("is_hedging", [True, False])
async def test_the_broker_says_whether_entries_are_positions_of_their_own(
    is_hedging: bool,
) -> None:
    """With its first account figures."""
    office = Office()
    office.terminal.is_hedging = is_hedging
    await office.settled()
    assert office.account.orders.is_hedging is is_hedging


# --- link, silence, health -----------------------------------------------------------------------


async def test_after_a_break_the_books_do_not_agree_until_a_whole_pass_went_well() -> None:
    """Deals first, then orders, then positions; even when the break fell between two looks."""
    office = await Office().settled()
    assert office.account.books_agree
    office.link(LinkState.DOWN)
    assert not office.account.books_agree
    office.link(LinkState.UP)
    assert not office.account.books_agree
    await office.wait(0.25)
    assert office.account.books_agree
    assert office.terminal.asked == ["deals", "orders", "positions", "account"]


async def test_nothing_is_asked_while_the_link_is_down() -> None:
    """And nothing is concluded."""
    office = await Office().settled()
    order = office.open()
    office.link(LinkState.DEGRADED)
    await office.wait(120)
    assert office.terminal.asked == []
    assert office.order(order).is_open
    assert office.reconciler.health().status is Status.DEGRADED


async def test_silence_is_said_after_five_questions_and_forgiven_by_an_answer() -> None:
    """A pass without an answer is put off; what is known stays."""
    office = await Office().settled()
    order = office.position()
    office.terminal.position_list = None
    await office.wait(60)
    assert office.reconciler.health().status is Status.OK
    await office.wait(8)
    assert "5 questions in a row" in office.reconciler.health().detail
    assert not office.account.books_agree
    assert list(office.account.positions.open) == ["test:700"]
    office.terminal.position_list = (position_of(order),)
    await office.wait(3)
    assert office.reconciler.health().status is Status.OK
    assert office.account.books_agree
    assert office.account.state is TradingState.ARMED


async def test_time_is_the_terminals() -> None:
    """Three hours in one step are one pass of each kind, not a thousand."""
    office = await Office().settled()
    office.position()
    office.clock.advance_to(NOON_NS + 10_800 * NS_PER_SECOND)
    await office.reconciler.step(office.clock.now_ns())
    assert office.terminal.asked == ["deals", "orders", "positions", "account"]
