"""Every state of an order against everything that can be heard of it, as the documentation says."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from order_books import NOON_NS, Books

from plan2.dataflow.terminals.port import OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.events.order import OrderPlaced, OrderSent, ReconciliationDifference
from plan2.intelligence.trading.orders import OrderState

DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"
NOTHING = "–"
WAYS: dict[str, tuple[str, ...]] = {
    "placed": (),
    "sent": ("sent",),
    "accepted": ("sent", "accepted"),
    "unknown": ("sent", "unknown"),
    "partially_filled": ("sent", "accepted", "part"),
    "filled": ("sent", "accepted", "rest"),
    "cancelled": ("sent", "accepted", "cancelled"),
    "expired": ("sent", "accepted", "expired"),
    "rejected": ("sent", "rejected"),
    "done": ("sent", "done"),
}
"""How an order gets into each state."""
TRADE_WORDS = {"part", "rest", "cancelled", "expired"}
ERRANDS = (OrderKind.PROTECT, OrderKind.CHANGE, OrderKind.CANCEL)


def table() -> dict[tuple[str, str], str]:
    """(state, heard) → what the documentation says it leads to."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("| state | sent |"))
    head = cells(lines[start])[1:]
    rows = iter(lines[start + 2 :])
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        if not row.startswith("|"):
            break
        state, *leads = cells(row)
        found |= {(state, heard): lead for heard, lead in zip(head, leads, strict=True)}
    return found


def cells(line: str) -> list[str]:
    """The cells of a table row."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def cases() -> Iterator[tuple[OrderKind, str, str, str]]:
    """(kind, state, heard, where it leads) for every pair that can concern the kind."""
    for (state, heard), lead in table().items():
        if state != "done":
            ends = NOTHING if heard == "done" else lead
            yield OrderKind.OPEN, state, heard, ends
            yield OrderKind.PENDING, state, heard, ends
        if state not in TRADE_WORDS | {"filled", "partially_filled"}:
            for kind in ERRANDS:
                yield kind, state, heard, NOTHING if heard in TRADE_WORDS else lead


def test_the_documentation_names_every_state() -> None:
    """Ten states, nine things to hear."""
    assert {state for state, _ in table()} == {state.value for state in OrderState} == set(WAYS)
    assert len(table()) == 90


@pytest.mark.parametrize(("kind", "state", "heard", "lead"), list(cases()))
def test_every_step(kind: OrderKind, state: str, heard: str, lead: str) -> None:
    """What is heard leads where the table says; what says nothing new makes no event at all."""
    books = Books()
    order_id = books.place(kind)
    for word in WAYS[state]:
        say(books, order_id, word)
    assert books.orders.orders[order_id].state == state
    before = books.orders.orders[order_id].filled_quantity
    events = say(books, order_id, heard)
    order = books.orders.orders[order_id]
    assert order.state == (state if lead == NOTHING else lead)
    assert bool(events) is (lead != NOTHING)
    if heard in {"part", "rest"} and lead != NOTHING:
        assert order.filled_quantity > before
    assert order.is_open is (order.state.value in list(WAYS)[:5])


def say(books: Books, order_id: str, word: str) -> list[object]:
    """Let the account hear a word about the order; returns what became of it."""
    order = books.orders.orders[order_id]
    if word == "sent":
        was = order.state
        books.fold(OrderSent(ts_ns=NOON_NS, order_id=order_id, account_id="a", symbol="EURUSD"))
        return [word] if order.state is not was else []
    if word in {"part", "rest"}:
        rest = order.placed.quantity - order.filled_quantity
        quantity = 0.1 if word == "part" or rest <= 0 else round(rest, 8)
        if order.kind in ERRANDS:
            return books.hear(OrderUpdate(kind=UpdateKind.FILLED, ts_ns=NOON_NS, order_id=order_id))
        return books.deal(order_id, quantity)
    kind = UpdateKind(word)
    return books.hear(
        OrderUpdate(kind=kind, ts_ns=NOON_NS, order_id=order_id, ticket="77", reason=word)
    )


def test_an_acceptance_after_a_fill_still_tells_the_ticket() -> None:
    """Out of order: the fill comes first, and the order can be withdrawn by its ticket."""
    books = Books()
    order_id = books.place(OrderKind.PENDING)
    books.deal(order_id, 0.1)
    assert say(books, order_id, "accepted")
    order = books.orders.orders[order_id]
    assert (order.state, order.ticket) == (OrderState.PARTIALLY_FILLED, "77")
    assert not say(books, order_id, "accepted")


def test_a_refusal_after_a_part_keeps_the_part() -> None:
    """What was filled stays filled; the remainder is cancelled, for the broker's reason."""
    books = Books()
    order_id = books.place(OrderKind.OPEN)
    books.deal(order_id, 0.1)
    say(books, order_id, "rejected")
    order = books.orders.orders[order_id]
    assert (order.state, order.reason) == (OrderState.CANCELLED, "rejected")
    assert (order.filled_quantity, order.rest) == (0.1, 0.0)


@pytest.mark.parametrize("word", ["cancelled", "expired"])
def test_a_late_deal_belongs_to_its_order(word: str) -> None:
    """The order is over, its deal arrives: position, money and order know it."""
    books = Books()
    order_id = books.place(OrderKind.PENDING)
    say(books, order_id, "accepted")
    say(books, order_id, word)
    events = books.deal(order_id, 0.1, commission=Decimal("-0.35"))
    (position,) = books.positions.open.values()
    assert (position.quantity, position.is_managed) == (0.1, True)
    assert books.positions.realised == Decimal("-0.35")
    assert not [event for event in events if isinstance(event, ReconciliationDifference)]


@pytest.mark.parametrize(
    ("first", "kind"), [("rest", "over_fill"), ("rejected", "fill_after_refusal")]
)
def test_a_broker_that_contradicts_itself_is_booked_and_told(first: str, kind: str) -> None:
    """0.3 lots were asked for: the fill beyond, or after a refusal, is money and a difference."""
    books = Books()
    order_id = books.place(OrderKind.OPEN)
    say(books, order_id, first)
    events = books.deal(order_id, 0.1)
    (difference,) = [event for event in events if isinstance(event, ReconciliationDifference)]
    assert difference.kind == kind
    assert books.orders.disputed == {"EURUSD": order_id}
    held = sum(position.quantity for position in books.positions.open.values())
    assert held == pytest.approx(0.4 if first == "rest" else 0.1)


def test_a_close_by_is_complete_with_its_two_deals() -> None:
    """Each of the two positions has its deal; neither is a fill too many."""
    books = Books()
    long_id, short_id = books.place(OrderKind.OPEN), books.place(OrderKind.OPEN, side="sell")
    books.deal(long_id, 0.3, position="1")
    books.deal(short_id, 0.3, position="2", side=-1)
    order_id = books.place(
        OrderKind.CLOSE_BY, side="sell", position_id="1", opposite_id="2", quantity=0.3
    )
    books.deal(order_id, 0.3, position="1", side=-1, is_exit=True)
    assert books.orders.orders[order_id].state is OrderState.PARTIALLY_FILLED
    events = books.deal(order_id, 0.3, position="2", is_exit=True)
    assert books.orders.orders[order_id].state is OrderState.FILLED
    assert books.positions.open == {}
    assert not [event for event in events if isinstance(event, ReconciliationDifference)]


def test_orders_of_before_the_kind_was_kept_are_known_by_what_they_did() -> None:
    """An old OrderPlaced has no kind; reduce_only says it."""
    books = Books()
    old = OrderPlaced(
        ts_ns=NOON_NS,
        order_id="old",
        decision_id="d",
        tenant_id="t",
        account_id="a",
        symbol="EURUSD",
        side="sell",
        quantity=0.1,
        price=1.1,
        stop_loss=0.0,
        take_profit=0.0,
        reduce_only=True,
        token="old",
        position_id="1",
        expires_ts_ns=0,
    )
    books.fold(old)
    assert books.orders.orders["old"].kind is OrderKind.CLOSE


def test_finished_orders_are_forgotten_but_not_their_ids() -> None:
    """Memory is bounded: a thousand finished orders stay; a repeated id is still recognised."""
    books = Books()
    ids = [books.place(OrderKind.CANCEL, target="9") for _ in range(1_100)]
    for order_id in ids:
        say(books, order_id, "rejected")
    assert len(books.orders.orders) == 1_000
    assert ids[0] not in books.orders.orders
    assert books.orders.is_known(ids[0])
