"""What a broker's word means for our books: errands, foreign deals, stops, reversals."""

from decimal import Decimal

import pytest
from order_books import NOON_NS, Books, told

from plan2.dataflow.terminals.port import OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.events.order import (
    OrderAmended,
    OrderCancelled,
    OrderCompleted,
    OrderExecuted,
    PositionClaimed,
    PositionClosed,
    PositionOpened,
    PositionProtected,
)
from plan2.foundation.values import Side
from plan2.intelligence.trading.orders import OrderState


def say(books: Books, kind: UpdateKind, order_id: str, ticket: str = "") -> list[object]:
    """A word of the broker about an order."""
    return books.hear(OrderUpdate(kind=kind, ts_ns=NOON_NS + 5, order_id=order_id, ticket=ticket))


def working(books: Books, ticket: str = "77") -> str:
    """A pending order that works at the broker."""
    order_id = books.place(OrderKind.PENDING, trigger="limit")
    say(books, UpdateKind.ACCEPTED, order_id, ticket)
    return order_id


def names(events: list[object]) -> list[str]:
    """Types of events."""
    return [type(event).__name__ for event in events]


def test_a_protection_carried_out_moves_the_stops_we_know() -> None:
    """OrderCompleted for the errand, PositionProtected for the position; its first stop stays."""
    books = Books()
    books.deal(books.place(OrderKind.OPEN), 0.3)
    changes = {"stop_loss": 1.095, "take_profit": 0.0, "reason": "trailing"}
    errand = books.place(OrderKind.PROTECT, position_id="1", **changes)
    events = say(books, UpdateKind.DONE, errand)
    assert names(events) == ["OrderCompleted", "PositionProtected"]
    protected = events[1]
    assert isinstance(protected, PositionProtected)
    assert (protected.position_id, protected.reason) == ("a:1", "trailing")
    (position,) = books.positions.open.values()
    assert (position.stop_loss, position.take_profit) == (1.095, 0.0)
    assert (position.initial_stop, position.unprotected_ts_ns) == (1.09, 0)


def test_a_removed_stop_starts_the_watchdogs_time() -> None:
    """Since when the position is without one."""
    books = Books()
    books.deal(books.place(OrderKind.OPEN), 0.3)
    errand = books.place(OrderKind.PROTECT, position_id="1", stop_loss=0.0)
    say(books, UpdateKind.DONE, errand)
    (position,) = books.positions.open.values()
    assert position.unprotected_ts_ns == NOON_NS + 5


def test_a_change_carried_out_moves_the_pending_order() -> None:
    """The working order has the new prices; how it was placed stays as it was."""
    books = Books()
    order_id = working(books)
    errand = books.place(OrderKind.CHANGE, target="77", price=1.05, stop_loss=1.04, take_profit=1.2)
    events = say(books, UpdateKind.DONE, errand)
    assert names(events) == ["OrderCompleted", "OrderAmended"]
    amended = events[1]
    assert isinstance(amended, OrderAmended)
    assert amended.order_id == order_id
    order = books.orders.orders[order_id]
    assert (order.price, order.stop_loss, order.take_profit) == (1.05, 1.04, 1.2)
    assert (order.placed.price, order.is_working) == (1.1, True)


def test_a_position_opened_by_a_changed_order_has_its_new_stops() -> None:
    """Not those it was placed with."""
    books = Books()
    order_id = working(books)
    say(books, UpdateKind.DONE, books.place(OrderKind.CHANGE, target="77", stop_loss=1.04))
    books.deal(order_id, 0.3)
    (position,) = books.positions.open.values()
    assert (position.stop_loss, position.initial_stop) == (1.04, 1.04)


def test_a_withdrawal_carried_out_ends_the_pending_order_once() -> None:
    """Whichever is told first, errand or end: one OrderCancelled."""
    books = Books()
    order_id = working(books)
    errand = books.place(OrderKind.CANCEL, target="77", reason="not today")
    events = say(books, UpdateKind.DONE, errand)
    assert names(events) == ["OrderCompleted", "OrderCancelled"]
    order = books.orders.orders[order_id]
    assert (order.state, order.reason) == (OrderState.CANCELLED, "not today")
    assert say(books, UpdateKind.CANCELLED, order_id) == []


def test_a_withdrawal_after_the_end_is_only_an_errand_done() -> None:
    """The end was told first."""
    books = Books()
    order_id = working(books)
    errand = books.place(OrderKind.CANCEL, target="77")
    assert names(say(books, UpdateKind.CANCELLED, order_id)) == ["OrderCancelled"]
    assert names(say(books, UpdateKind.DONE, errand)) == ["OrderCompleted"]


def test_an_errand_for_a_foreign_order_touches_no_order_of_ours() -> None:
    """A kill may withdraw what a person left at the broker."""
    books = Books()
    working(books)
    events = say(books, UpdateKind.DONE, books.place(OrderKind.CANCEL, target="999"))
    assert [type(event) for event in events] == [OrderCompleted]
    assert len(books.orders.working()) == 1


@pytest.mark.parametrize("reason", ["stop_loss", "take_profit", "stop_out"])
def test_a_stops_deal_is_not_the_orders_even_with_its_token(reason: str) -> None:
    """The order that opened the position stays as it was; the position is closed by its stop."""
    books = Books()
    order_id = books.place(OrderKind.OPEN)
    books.deal(order_id, 0.3)
    values = {"side": -1, "is_exit": True, "reason": reason, "profit": Decimal("-3.00")}
    executed, closed = books.deal(order_id, 0.3, **values)
    assert isinstance(executed, OrderExecuted)
    assert isinstance(closed, PositionClosed)
    assert (executed.order_id, closed.reason, closed.profit) == ("", reason, "-3.00")
    assert books.orders.orders[order_id].filled_quantity == 0.3
    assert books.orders.disputed == {}


def test_a_persons_deal_opens_a_position_that_is_left_alone() -> None:
    """It is in the books, foreign, without a horizon; claiming it makes it ours."""
    books = Books()
    _, opened = books.deal("", 0.2, position="9")
    assert isinstance(opened, PositionOpened)
    assert (opened.is_managed, opened.expires_ts_ns, opened.decision_id) == (False, 0, "")
    claim = {"ts_ns": NOON_NS + 9, "position_id": "a:9", "account_id": "a", "symbol": "EURUSD"}
    books.fold(
        PositionClaimed(**claim, is_managed=True, expires_ts_ns=77, actor="user:x", reason="mine")
    )
    position = books.positions.open["a:9"]
    assert (position.is_managed, position.expires_ts_ns) == (True, 77)
    assert position.unprotected_ts_ns == NOON_NS + 9


def test_another_programs_deal_is_foreign_too() -> None:
    """A token that is not ours names no order of ours."""
    books = Books()
    books.place(OrderKind.OPEN)
    books.deal("", 0.2, position="9", reason="client", token="ea-17")
    assert not books.positions.open["a:9"].is_managed


def test_what_a_person_adds_to_our_position_counts_and_stays_ours() -> None:
    """Netting: 0.3 at 1.10 and 0.1 at 1.14 make 0.4 at 1.11."""
    books = Books()
    books.deal(books.place(OrderKind.OPEN), 0.3, price=1.10)
    books.deal("", 0.1, price=1.14)
    (position,) = books.positions.open.values()
    assert (position.quantity, position.is_managed) == (0.4, True)
    assert position.open_price == pytest.approx(1.11)


def test_a_persons_exit_closes_part_and_then_all() -> None:
    """0.1 of 0.3 by hand, the rest by hand: closed once, with the sum of the profits."""
    books = Books()
    books.deal(books.place(OrderKind.OPEN), 0.3)
    exits = {"side": -1, "is_exit": True}
    assert names(books.deal("", 0.1, profit=Decimal("1.00"), **exits)) == ["OrderExecuted"]
    _, closed = books.deal("", 0.2, profit=Decimal("2.50"), **exits)
    assert isinstance(closed, PositionClosed)
    assert (closed.quantity, closed.profit, closed.reason) == (0.3, "3.50", "manual")
    assert books.positions.open == {}


@pytest.mark.parametrize("is_swapped", [False, True])
def test_a_netting_position_is_turned_round(is_swapped: bool) -> None:
    """Long 0.3, sell 0.5: closed, and short 0.2 under the same name; in either order of deals."""
    books = Books()
    books.deal(books.place(OrderKind.OPEN), 0.3)
    order_id = books.place(OrderKind.OPEN, side="sell", quantity=0.5, stop_loss=1.11)
    leave = books.make_deal(order_id, 0.3, side=-1, is_exit=True, ticket="50", price=1.12)
    enter = books.make_deal(order_id, 0.2, side=-1, ticket="50.in", price=1.12)
    for deal in (enter, leave) if is_swapped else (leave, enter):
        books.hear(told(deal))
    (position,) = books.positions.open.values()
    assert (position.side, position.quantity, position.open_price) == (Side.SELL, 0.2, 1.12)
    assert (position.stop_loss, position.position_id) == (1.11, "a:1")
    order = books.orders.orders[order_id]
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, 0.5)
    closed = [event for event in books.events if isinstance(event, PositionClosed)]
    assert [(event.direction, event.quantity) for event in closed] == [("buy", 0.3)]


def test_an_exit_before_its_entry_waits_for_it() -> None:
    """Money at once, the position when its entry arrives: opened and closed in one go."""
    books = Books()
    order_id = books.place(OrderKind.OPEN)
    entry = books.make_deal(order_id, 0.3)
    leave = books.make_deal("", 0.3, side=-1, is_exit=True, profit=Decimal("4.00"), price=1.2)
    assert names(books.hear(told(leave))) == ["OrderExecuted"]
    assert books.positions.realised == Decimal("4.00")
    events = books.hear(told(entry))
    assert names(events) == ["OrderExecuted", "PositionOpened", "PositionClosed"]
    closed = events[2]
    assert isinstance(closed, PositionClosed)
    assert (closed.profit, closed.close_price, closed.ts_ns) == ("4.00", 1.2, leave.ts_ns)
    assert books.positions.waiting == {}


def test_a_pending_orders_horizon_begins_with_its_fill() -> None:
    """An hour after the deal, not after the order was placed."""
    books = Books()
    hour_ns = 3_600_000_000_000
    order_id = books.place(OrderKind.PENDING, expires_ts_ns=NOON_NS + hour_ns)
    deal = books.make_deal(order_id, 0.3, ts_ns=NOON_NS + 7 * hour_ns)
    books.hear(told(deal))
    (position,) = books.positions.open.values()
    assert position.expires_ts_ns == NOON_NS + 8 * hour_ns


def test_a_rest_that_cannot_be_filled_is_cancelled() -> None:
    """Immediate or cancel: 0.1 of 0.3, and the broker's reason."""
    books = Books()
    order_id = books.place(OrderKind.OPEN)
    books.deal(order_id, 0.1)
    word = OrderUpdate(
        kind=UpdateKind.CANCELLED, ts_ns=NOON_NS + 5, order_id=order_id, reason="no volume"
    )
    (event,) = books.hear(word)
    assert isinstance(event, OrderCancelled)
    order = books.orders.orders[order_id]
    assert (order.state, order.reason, order.filled_quantity) == (
        OrderState.CANCELLED,
        "no volume",
        0.1,
    )


def test_a_deal_is_known_by_the_orders_ticket_when_the_broker_drops_the_token() -> None:
    """MetaTrader replaces comments; the ticket that the acceptance told is enough."""
    books = Books()
    order_id = working(books, ticket="4711")
    (executed, _) = books.deal(order_id, 0.3, token="", order_ticket="4711")
    assert isinstance(executed, OrderExecuted)
    assert executed.order_id == order_id
