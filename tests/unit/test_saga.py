"""The saga of an order: each step has a limit and a remedy, and every saga ends."""

import pytest

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderCancelled,
    OrderCompleted,
    OrderExecuted,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    OrderSent,
    PositionClosed,
    PositionOpened,
    PositionProtected,
)
from plan2.foundation.health import Status
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.trading.saga import TABLE, Remedy, SagaBook, Step
from plan2.intelligence.trading.saga_watch import SagaWatch

NAMED = {"order_id": "o1", "account_id": "a", "symbol": "EURUSD"}


def at(seconds: float) -> int:
    """A market time."""
    return int(seconds * NS_PER_SECOND)


def placed(kind: str = "open", expires_s: float = 0.0, quantity: float = 0.2) -> OrderPlaced:
    """An order at second 0."""
    return OrderPlaced(
        ts_ns=0,
        decision_id="d1",
        tenant_id="t",
        side="buy",
        quantity=quantity,
        price=1.1,
        stop_loss=1.09,
        take_profit=0.0,
        reduce_only=False,
        token="p2.o1",
        position_id="",
        expires_ts_ns=0,
        kind=kind,
        order_expires_ts_ns=at(expires_s),
        **NAMED,
    )


def executed(quantity: float, after_s: float, fill: str = "f1", **changes: object) -> OrderExecuted:
    """An entry of the order."""
    values: dict[str, object] = {
        "ts_ns": at(after_s),
        "fill_id": fill,
        "position_id": "a:1",
        "side": "buy",
        "executed_price": 1.1,
        "executed_quantity": quantity,
        "commission": "0",
        "swap": "0",
        "profit": "0",
        "reason": "client",
        "is_exit": False,
    }
    return OrderExecuted(**{**NAMED, **values, **changes})  # type: ignore[arg-type]


def opened(stop_loss: float, after_s: float, expires_s: float = 0.0) -> PositionOpened:
    """The position of the order."""
    return PositionOpened(
        ts_ns=at(after_s),
        position_id="a:1",
        account_id="a",
        tenant_id="t",
        symbol="EURUSD",
        direction="buy",
        quantity=0.2,
        open_price=1.1,
        stop_loss=stop_loss,
        take_profit=0.0,
        commission="0",
        decision_id="d1",
        expires_ts_ns=at(expires_s),
    )


def closed(after_s: float) -> PositionClosed:
    """The end of the position."""
    return PositionClosed(
        ts_ns=at(after_s),
        position_id="a:1",
        account_id="a",
        tenant_id="t",
        symbol="EURUSD",
        direction="buy",
        quantity=0.2,
        open_price=1.1,
        close_price=1.2,
        profit="0",
        commission="0",
        swap="0",
        reason="take_profit",
        decision_id="d1",
    )


def book_of(*events: Event) -> SagaBook:
    """A book after these events."""
    book = SagaBook()
    for event in events:
        book.apply(event)
    return book


SENT = OrderSent(ts_ns=at(0), **NAMED)
ACCEPTED = OrderAccepted(ts_ns=at(1), ticket="7", **NAMED)
UNKNOWN = OrderOutcomeUnknown(ts_ns=at(1), reason="no_reply", **NAMED)
STORY = (placed(), SENT, ACCEPTED, executed(0.2, 2), opened(1.09, 2), closed(9))


@pytest.mark.parametrize(
    ("events", "step"),
    [
        (STORY[:1], Step.PLACED),
        (STORY[:2], Step.SENT),
        (STORY[:3], Step.ACCEPTED),
        (STORY[:4], Step.FILLED),
        (STORY[:5], Step.PROTECTED),
        ((placed(), SENT, UNKNOWN), Step.UNKNOWN),
        ((placed("pending"), SENT, ACCEPTED), Step.WORKING),
        ((placed(), SENT, ACCEPTED, executed(0.2, 2), opened(0.0, 2)), Step.FILLED),
    ],
)
def test_each_event_leads_to_its_step(events: tuple[Event, ...], step: Step) -> None:
    """From the stored events alone, so that a crash at any of them resumes there."""
    assert book_of(*events).live["o1"].step is step


@pytest.mark.parametrize(
    "events",
    [
        STORY,
        (placed(), SENT, OrderRejected(ts_ns=at(1), reason="no_money", **NAMED)),
        (placed(), OrderRejected(ts_ns=at(1), reason="never reached the broker", **NAMED)),
        (placed("pending"), ACCEPTED, OrderCancelled(ts_ns=at(3), reason="asked", **NAMED)),
        (placed("protect"), SENT, OrderCompleted(ts_ns=at(3), **NAMED)),
        (placed("close"), SENT, executed(0.2, 2, is_exit=True, side="sell")),
        (
            placed("close_by", quantity=0.2),
            executed(0.1, 2, is_exit=True),
            executed(0.1, 2, "f2", is_exit=True, position_id="a:2"),
        ),
    ],
    ids=["closed", "refused", "lost", "withdrawn", "errand", "exit", "close_by"],
)
def test_every_saga_ends(events: tuple[Event, ...]) -> None:
    """Done or compensated; nothing of it is kept."""
    assert book_of(*events).live == {}


def test_a_part_that_is_filled_keeps_the_saga_until_its_position_is_closed() -> None:
    """The rest is cancelled, the position lives on with its stop."""
    book = book_of(placed(), SENT, ACCEPTED, executed(0.1, 2), opened(1.09, 2))
    assert book.live["o1"].step is Step.ACCEPTED  # the rest is still awaited
    book.apply(OrderCancelled(ts_ns=at(3), reason="rest cancelled", **NAMED))
    assert book.live["o1"].step is Step.PROTECTED
    book.apply(closed(9))
    assert book.live == {}


def test_a_stop_that_goes_away_brings_the_saga_back() -> None:
    """The position is unprotected again, counted from then."""
    book = book_of(*STORY[:5])
    gone = PositionProtected(
        ts_ns=at(5),
        position_id="a:1",
        account_id="a",
        symbol="EURUSD",
        stop_loss=0.0,
        take_profit=0.0,
        reason="changed at the broker",
    )
    book.apply(gone)
    saga = book.live["o1"]
    assert (saga.step, saga.since_ns) == (Step.FILLED, at(5))
    assert saga.due_ns() == at(15)


@pytest.mark.parametrize(
    ("events", "quiet_s", "late_s", "remedy"),
    [
        (STORY[:2], 5.0, 5.1, Remedy.ASK),
        ((placed(), SENT, UNKNOWN), 6.0, 6.1, Remedy.ASK),
        ((placed("pending", 60.0), ACCEPTED), 90.0, 90.1, Remedy.ASK),
        ((placed(), executed(0.2, 2), opened(0.0, 2)), 12.0, 12.1, Remedy.PROTECT),
        ((placed(), executed(0.2, 2), opened(1.09, 2, 30.0)), 90.0, 90.1, Remedy.CALL),
    ],
)
def test_a_step_that_takes_too_long_has_a_remedy(
    events: tuple[Event, ...], quiet_s: float, late_s: float, remedy: Remedy
) -> None:
    """At its limit nothing yet; right after it, what the table says."""
    book = book_of(*events)
    assert book.overdue(at(quiet_s)) == []
    (late,) = book.overdue(at(late_s))
    assert late.remedy is remedy


def test_what_never_expires_is_never_overdue() -> None:
    """A pending order without expiry may work for years."""
    assert book_of(placed("pending"), ACCEPTED).overdue(at(1e9)) == []


def test_every_step_has_its_row() -> None:
    """A step without a rule could last for ever."""
    assert set(TABLE) == set(Step)


class Care:
    """Who asks and who protects, as lists."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.protected: list[str] = []

    def ask_now(self, order_id: str) -> None:
        """Remember it."""
        self.asked.append(order_id)

    def protect(self, position_id: str, now_ns: int) -> None:
        """Remember it."""
        self.protected.append(position_id)


def watch_of(book: SagaBook) -> tuple[SagaWatch, Care]:
    """A watch over a book."""
    care = Care()
    return SagaWatch(book, care, care, SimulatedClock()), care


def test_the_watch_drives_who_owns_the_remedy_and_does_not_nag() -> None:
    """Asked at once, then again after two seconds, not on every look."""
    watch, care = watch_of(book_of(placed(), SENT))
    for second in (4.0, 5.5, 6.0, 7.0, 7.5):
        watch.step(at(second))
    assert care.asked == ["o1", "o1"]
    assert watch.health().status is Status.OK
    watch.step(at(40))
    assert watch.health().status is Status.DEGRADED
    assert "order o1 (open EURUSD) has been waiting for the broker's answer for 40 s" in (
        watch.health().detail
    )


def test_an_unprotected_position_is_protected_and_told_at_once() -> None:
    """Management is asked; a person sees it on the health page."""
    watch, care = watch_of(book_of(placed(), executed(0.2, 2), opened(0.0, 2)))
    watch.step(at(12.5))
    assert care.protected == ["a:1"]
    assert watch.health().status is Status.DEGRADED
