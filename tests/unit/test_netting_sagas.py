"""Netting accounts: several orders have one position, and it may turn round or be another's."""

import msgspec
import pytest
from order_books import NOON_NS, Books
from test_saga import ACCEPTED, SENT, at, book_of, closed, executed, opened, placed

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.events.order import OrderExecuted, PositionClaimed, PositionProtected
from plan2.intelligence.trading.answers import TOLD_LATE
from plan2.intelligence.trading.saga import Step

FIRST = (placed(), SENT, ACCEPTED, executed(0.2, 2), opened(1.09, 2))
SECOND = msgspec.structs.replace(placed(), order_id="o2", decision_id="d2")


def added(after_s: float, **changes: object) -> OrderExecuted:
    """The second order's lots in the same position."""
    return executed(0.2, after_s, "f2", order_id="o2", **changes)


def test_every_order_in_a_position_ends_with_it() -> None:
    """Before, only the last one to add heard of the close, and the others never ended."""
    book = book_of(*FIRST, SECOND, added(3))
    assert {one.step for one in book.live.values()} == {Step.PROTECTED}, "as its position is"
    book.apply(closed(9))
    assert book.live == {}


def test_a_stop_that_goes_concerns_every_order_in_the_position() -> None:
    """Both wait for a stop at the broker then, each with its limit."""
    book = book_of(*FIRST, SECOND, added(3))
    book.apply(
        PositionProtected(
            ts_ns=at(4),
            position_id="a:1",
            account_id="a",
            symbol="EURUSD",
            stop_loss=0.0,
            take_profit=0.0,
            reason="changed at the broker",
        )
    )
    assert [one.step for one in book.live.values()] == [Step.FILLED] * 2
    assert len(book.overdue(at(15))) == 2


@pytest.mark.parametrize("is_entry_first", [True, False])
def test_a_reversal_ends_the_old_side_only(is_entry_first: bool) -> None:
    """The order that turned the position round stays with its new side, in whatever order."""
    turn = msgspec.structs.replace(SECOND, side="sell", quantity=0.4)
    leaving = added(3, side="sell", is_exit=True)
    entry = added(3, side="sell", fill_id="f2.in")
    other_side = msgspec.structs.replace(opened(1.2, 3), direction="sell")
    told = (entry, leaving, closed(3)) if is_entry_first else (leaving, closed(3), entry)
    book = book_of(*FIRST, turn, *told, other_side)
    assert list(book.live) == ["o2"]
    assert book.live["o2"].step is Step.PROTECTED
    book.apply(msgspec.structs.replace(closed(9), direction="sell"))
    assert book.live == {}


def test_lots_in_somebody_elses_position_end_the_order() -> None:
    """It is not ours to close, so nothing would ever end its saga."""
    foreign = msgspec.structs.replace(opened(0.0, 1), is_managed=False, decision_id="")
    book = book_of(placed(), SENT, ACCEPTED, foreign, executed(0.2, 2))
    assert book.live == {}


def test_a_position_whose_first_deal_comes_late_is_ours() -> None:
    """A person added to our position, and that deal was told first; then ours, which is older."""
    books = Books()
    order_id = books.place(OrderKind.OPEN)
    books.deal("", 0.1, ts_ns=NOON_NS + 9)
    assert not books.positions.open["a:1"].is_managed
    events = books.deal(order_id, 0.3, ts_ns=NOON_NS + 5)
    assert isinstance(events[-1], PositionClaimed)
    assert events[-1].reason == TOLD_LATE
    position = books.positions.open["a:1"]
    assert (position.is_managed, position.quantity) == (True, 0.4)


def test_lots_that_we_added_to_a_persons_position_do_not_make_it_ours() -> None:
    """Foreign positions are never managed unless a person hands them over."""
    books = Books()
    order_id = books.place(OrderKind.OPEN)
    books.deal("", 0.1, ts_ns=NOON_NS + 5)
    events = books.deal(order_id, 0.3, ts_ns=NOON_NS + 9)
    assert [type(event) for event in events] == [OrderExecuted]
    assert not books.positions.open["a:1"].is_managed
