"""Events folded into items: orders, positions, decisions, events; and the books of an account."""

from decimal import Decimal

import pytest
from trading_fixtures import BUY, Desk
from trading_fixtures import forecast as make_forecast
from trading_fixtures import scene as make_scene
from trading_fixtures import tick as make_tick

from plan2.foundation.events.base import Event
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderExecuted,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    OrderSent,
    PositionClosed,
    PositionOpened,
)
from plan2.interface.books import AccountBooks
from plan2.interface.order_items import OrderItem, PositionItem
from plan2.interface.screen import SAFE_INTEGER_MAX, for_screen, refuse_unsafe
from plan2.interface.views.fold import decision_item, fill_item, fold_order, fold_position
from unit.interface_fixtures import NOON_NS

PLACED = OrderPlaced(
    ts_ns=NOON_NS,
    order_id="o1",
    decision_id="d1",
    tenant_id="main",
    account_id="a",
    symbol="EURUSD",
    side="buy",
    quantity=0.3,
    price=1.1,
    stop_loss=1.09,
    take_profit=0.0,
    reduce_only=False,
    token="t",
    position_id="",
    expires_ts_ns=0,
)


def sent() -> OrderSent:
    """The terminal was called."""
    return OrderSent(ts_ns=NOON_NS, order_id="o1", account_id="a", symbol="EURUSD")


def fill(quantity: float, price: float, fill_id: str = "f1", **changes: object) -> OrderExecuted:
    """An execution of order o1 for position p1."""
    values: dict[str, object] = {
        "ts_ns": NOON_NS + 1_000,
        "order_id": "o1",
        "account_id": "a",
        "symbol": "EURUSD",
        "fill_id": fill_id,
        "position_id": "p1",
        "side": "buy",
        "executed_price": price,
        "executed_quantity": quantity,
        "commission": "-0.70",
        "swap": "0.00",
        "profit": "0.00",
        "reason": "client",
        "is_exit": False,
    }
    return OrderExecuted(**{**values, **changes})  # type: ignore[arg-type]


OPENED = PositionOpened(
    ts_ns=NOON_NS,
    position_id="p1",
    account_id="a",
    tenant_id="main",
    symbol="EURUSD",
    direction="buy",
    quantity=0.3,
    open_price=1.1,
    stop_loss=1.09,
    take_profit=1.12,
    commission="-0.70",
    decision_id="d1",
    expires_ts_ns=0,
)


def order_after(*events: Event) -> OrderItem:
    """What is known of an order after these events."""
    item: OrderItem | None = None
    for event in events:
        item = fold_order(item, event)
    assert item is not None
    return item


def position_after(*events: Event) -> PositionItem:
    """What is known of a position after these events."""
    item: PositionItem | None = None
    for event in events:
        item = fold_position(item, event)
    assert item is not None
    return item


def test_an_order_begins_where_it_was_placed() -> None:
    """Prices of 0 mean none; the time is that of the placing, in microseconds."""
    item = order_after(PLACED)
    assert (item.state, item.kind, item.ts_us) == ("placed", "open", NOON_NS // 1000)
    assert (item.price, item.stop_loss, item.take_profit) == (1.1, 1.09, None)


@pytest.mark.parametrize(
    ("event", "state", "reason"),
    [
        (sent(), "sent", None),
        (
            OrderAccepted(
                ts_ns=NOON_NS, order_id="o1", account_id="a", symbol="EURUSD", ticket="7"
            ),
            "accepted",
            None,
        ),
        (
            OrderRejected(
                ts_ns=NOON_NS, order_id="o1", account_id="a", symbol="EURUSD", reason="no money"
            ),
            "rejected",
            "no money",
        ),
        (
            OrderOutcomeUnknown(
                ts_ns=NOON_NS, order_id="o1", account_id="a", symbol="EURUSD", reason="timeout"
            ),
            "unknown",
            "timeout",
        ),
    ],
)
def test_each_answer_moves_the_order(event: Event, state: str, reason: str | None) -> None:
    """Its state and reason are the event's."""
    item = order_after(PLACED, event)
    assert (item.state, item.reason) == (state, reason)


def test_fills_average_their_prices() -> None:
    """0.1 at 1.10 and 0.2 at 1.13 are 0.3 at 1.12: (0.11 + 0.226) / 0.3."""
    partly = order_after(PLACED, fill(0.1, 1.10))
    assert (partly.state, partly.filled_quantity) == ("partially_filled", 0.1)
    whole = order_after(PLACED, fill(0.1, 1.10), fill(0.2, 1.13, "f2"))
    assert (whole.state, whole.filled_quantity) == ("filled", 0.3)
    assert whole.filled_price == pytest.approx(1.12)


def test_sent_after_the_answer_is_no_step_back() -> None:
    """A fill that was stored before OrderSent stays a fill."""
    assert order_after(PLACED, fill(0.3, 1.1), sent()).state == "filled"


def test_answers_to_unknown_orders_change_nothing() -> None:
    """Without the placing there is nothing to fold."""
    assert fold_order(None, sent()) is None
    assert fold_position(None, fill(0.1, 1.1)) is None


def test_a_position_books_its_fills() -> None:
    """A partial exit lowers the quantity and adds its amounts; another entry averages the price."""
    exited = fill(0.1, 1.11, "f2", is_exit=True, profit="100.00", swap="-1.50")
    item = position_after(OPENED, exited)
    assert (item.quantity, item.profit, item.swap) == (0.2, "100.00", "-1.50")
    assert item.commission == "-1.40"
    added = position_after(OPENED, fill(0.3, 1.2, "f3"))
    assert (added.quantity, added.open_price) == (0.6, pytest.approx(1.15))


def test_closing_gives_the_final_figures() -> None:
    """The event's own amounts; stops and opening time stay from the opening."""
    closed = PositionClosed(
        ts_ns=NOON_NS + 5_000,
        position_id="p1",
        account_id="a",
        tenant_id="main",
        symbol="EURUSD",
        direction="buy",
        quantity=0.3,
        open_price=1.1,
        close_price=1.12,
        profit="600.00",
        commission="-1.40",
        swap="0.00",
        reason="take_profit",
        decision_id="d1",
    )
    item = position_after(OPENED, closed)
    assert (item.close_price, item.profit, item.reason) == (1.12, "600.00", "take_profit")
    assert (item.stop_loss, item.opened_us) == (1.09, NOON_NS // 1000)
    assert item.closed_us == NOON_NS // 1000 + 5
    assert fold_position(item, fill(0.1, 1.1, "late")) == item
    assert position_after(closed).closed_us == NOON_NS // 1000 + 5


@pytest.mark.parametrize(("side", "word"), [(1, "buy"), (-1, "sell")])
def test_a_decision_is_shown_by_its_edge(side: int, word: str) -> None:
    """Side, probability, value and cost come from the record's edge, the quantity from its size."""
    record = {
        "sentence": "Bought.",
        "edge": {"side": side, "p": 0.61, "ev": 0.0002, "cost": 0.0001},
        "size": {"quantity": 0.3},
        "order_id": "o1",
    }
    item = decision_item(_made(record))
    assert (item.side, item.p, item.ev, item.cost) == (word, 0.61, 0.0002, 0.0001)
    assert (item.quantity, item.order_id, item.sentence) == (0.3, "o1", "Bought.")


def test_a_decision_without_an_edge_has_holes() -> None:
    """Warming up has no side, no probability and no order."""
    item = decision_item(_made({"sentence": "Waits.", "edge": None, "size": None, "order_id": ""}))
    assert (item.side, item.p, item.quantity, item.order_id) == (None, None, None, None)


def _made(record: dict[str, object]) -> DecisionMade:
    return DecisionMade(
        ts_ns=NOON_NS,
        decision_id="d1",
        tenant_id="main",
        account_id="a",
        symbol="EURUSD",
        outcome="traded",
        reason="expected_value",
        record=record,
    )


def test_a_fill_keeps_the_amounts_as_text() -> None:
    """Money is never a float on its way to the screen."""
    item = fill_item(fill(0.1, 1.1, commission="-0.10"))
    assert (item.commission, item.ts_us, item.is_exit) == ("-0.10", NOON_NS // 1000 + 1, False)


def test_nothing_beyond_what_browsers_count_exactly() -> None:
    """Nanoseconds become microseconds, other huge integers text, NaN null; small ones stay."""
    shown = for_screen(
        {"ts_ns": NOON_NS, "big": 2**60, "ok": SAFE_INTEGER_MAX, "nan": float("nan"), "yes": True}
    )
    assert shown == {
        "ts_us": NOON_NS // 1000,
        "big": str(2**60),
        "ok": SAFE_INTEGER_MAX,
        "nan": None,
        "yes": True,
    }
    refuse_unsafe(shown)


def test_the_books_show_what_the_account_knows() -> None:
    """A long of 0.1 EURUSD from 1.1001, bid 1.1051: 50.00 floating, in row, list and limits."""
    desk = Desk().arm()
    books = AccountBooks(desk.account)
    desk.account.on_tick(make_scene(make_tick(), make_forecast(0.80)))
    [order] = desk.sent
    assert order.side is BUY
    desk.fill(order, 1.10010, "1", quantity=0.1, commission=Decimal("-0.35"))
    desk.account.on_tick(make_scene(make_tick(1.10510, 1.10520, after_s=5), None))
    [item] = books.positions()
    assert (item.profit, item.commission, item.direction) == ("50.00", "-0.35", "buy")
    assert books.position(item.position_id) == item
    assert books.ids_of({"EURUSD"}) == {item.position_id}
    assert books.ids_of({"USDJPY"}) == set()
    row, info = books.row(), books.info()
    assert (row.balance, row.equity, row.trading_state) == ("9999.65", "10049.65", "armed")
    assert (row.day_pnl, row.drawdown) == ("49.65", 0.0)
    limits = {limit.rule: (limit.value, limit.limit) for limit in info.limits}
    assert limits["positions"] == (1.0, 4.0)
    assert limits["drawdown"] == (0.0, 0.10)
