"""However a broker's words arrive, doubled, late and shuffled, the books end up the same."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.dataflow.terminals.port import OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.events.order import OrderExecuted, ReconciliationDifference
from plan2.intelligence.trading.orders import OPEN_STATES, OrderState
from unit.order_books import NOON_NS, Books, told

ENTRIES = (0.1, 0.2)
"""Two deals fill each order of 0.3 lots."""
RANK = {
    OrderState.PLACED: 0,
    OrderState.SENT: 1,
    OrderState.ACCEPTED: 2,
    OrderState.UNKNOWN: 2,
    OrderState.PARTIALLY_FILLED: 3,
    OrderState.REJECTED: 4,
    OrderState.CANCELLED: 5,
    OrderState.EXPIRED: 5,
    OrderState.DONE: 5,
    OrderState.FILLED: 6,
}
"""An order only ever moves up; between UNKNOWN and ACCEPTED both ways are legal."""


class Story:
    """Two positions, one closed by its stop in two parts, and every word of the broker on them."""

    def __init__(self) -> None:
        self.books = Books()
        self.words: list[OrderUpdate] = []
        self.orders: list[str] = []
        for position, kind in (("1", OrderKind.OPEN), ("2", OrderKind.PENDING)):
            order_id = self.books.place(kind)
            self.orders.append(order_id)
            self._answers(order_id)
            self._deals(order_id, position)

    def _answers(self, order_id: str) -> None:
        for kind in (UpdateKind.ACCEPTED, UpdateKind.UNKNOWN):
            word = OrderUpdate(kind=kind, ts_ns=NOON_NS, order_id=order_id, ticket=f"t{order_id}")
            self.words.append(word)

    def _deals(self, order_id: str, position: str) -> None:
        for quantity in ENTRIES:
            deal = self.books.make_deal(
                order_id, quantity, position=position, commission=Decimal("-0.10")
            )
            self.words.append(told(deal))
        if position == "1":
            for quantity in ENTRIES[::-1]:
                stop = {"is_exit": True, "reason": "stop_loss", "profit": Decimal("-5.00")}
                deal = self.books.make_deal(order_id, quantity, position=position, side=-1, **stop)
                self.words.append(told(deal))


@st.composite
def tellings(draw: st.DrawFn) -> list[int]:
    """An order of the words of a story in which each occurs at least once."""
    count = len(Story().words)
    again = draw(st.lists(st.integers(0, count - 1), max_size=8))
    return draw(st.permutations([*range(count), *again]))


@settings(deadline=None, max_examples=300)
@given(tellings(), st.sampled_from([None, UpdateKind.CANCELLED, UpdateKind.EXPIRED]))
def test_nothing_is_lost_or_counted_twice(order: list[int], end: UpdateKind | None) -> None:
    """Σ fills = position quantity = what the deals say by hand; states never go back."""
    story = Story()
    books = story.books
    for number, index in enumerate(order):
        before = {key: books.orders.orders[key].state for key in story.orders}
        books.hear(story.words[index])
        if end is not None and number == len(order) // 2:
            books.hear(OrderUpdate(kind=end, ts_ns=NOON_NS, order_id=story.orders[1]))
        for key, was in before.items():
            assert RANK[books.orders.orders[key].state] >= RANK[was]
    fills = [event for event in books.events if isinstance(event, OrderExecuted)]
    assert len(fills) == len({fill.fill_id for fill in fills}) == 6
    assert list(books.positions.open) == ["a:2"]
    position = books.positions.open["a:2"]
    assert (position.quantity, position.opened_quantity) == (0.3, 0.3)
    assert books.positions.waiting == {}
    assert books.positions.realised == Decimal("-10.40")
    for key in story.orders:
        found = books.orders.orders[key]
        assert (found.state, found.filled_quantity) == (OrderState.FILLED, 0.3)
    assert not [event for event in books.events if isinstance(event, ReconciliationDifference)]


@settings(deadline=None, max_examples=100)
@given(tellings(), st.integers(0, 100))
def test_folding_the_stored_events_again_gives_the_same_books(order: list[int], cut: int) -> None:
    """After a restart between any two records, the broker's repetitions lead to the same end."""
    story = Story()
    for index in order:
        story.books.hear(story.words[index])
    whole = Books()
    whole.fold(*story.books.events)
    assert shown(whole) == shown(story.books)
    records = [end for end in story.books.records if end >= len(story.orders)]
    again = Books()
    again.fold(*story.books.events[: records[cut % len(records)]])
    for index in order:
        again.hear(story.words[index])
    for name in ("positions", "realised", "waiting"):
        assert shown(again)[name] == shown(story.books)[name]
    states = {key: one.state for key, one in again.orders.orders.items()}
    assert states == {key: one.state for key, one in story.books.orders.orders.items()}


def shown(books: Books) -> dict[str, object]:
    """Everything that the books hold, comparable."""
    return {
        "orders": {key: msgspec.to_builtins(one) for key, one in books.orders.orders.items()},
        "open": sorted(books.orders.open),
        "states": [one.state in OPEN_STATES for one in books.orders.orders.values()],
        "tickets": dict(books.orders.by_ticket),
        "positions": {
            key: msgspec.structs.asdict(one) for key, one in books.positions.open.items()
        },
        "waiting": {key: len(fills) for key, fills in books.positions.waiting.items()},
        "realised": books.positions.realised,
    }
