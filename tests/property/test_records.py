"""Order records of any life of any order: nothing mandatory is empty, nothing counted twice."""

import asyncio
import csv
import io
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from plan2.dataflow.terminals.port import OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderExecuted, OrderPlaced, PositionClosed
from plan2.foundation.events.tenancy import ClockMeasured
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.safe_csv import plain
from plan2.foundation.values import TenantId
from plan2.intelligence.records.export import RecordWriter, Stretch, rows_of, taker_of
from plan2.intelligence.records.fields import (
    BLANK_ORDER_FIELDS,
    BLANK_TRADE_FIELDS,
    MANDATORY,
    Firm,
    OrderRecord,
    TradeReport,
)
from plan2.intelligence.records.orders import OrderRecorder
from plan2.intelligence.records.trades import TradeReporter, uti_of
from property.test_order_books import Story, tellings
from simulation.driver import Run, memory_folder, run_virtual
from simulation.process import TENANT
from unit.order_books import NOON_NS, Books

MAIN = TenantId("t")
CODES = {
    "NEWO", "TRIG", "REME", "CHME", "CAME", "CAMO", "REMO", "EXPI", "PARF", "FILL",
}  # fmt: skip
"""The codes of RTS 24 field 21 that Plan2 has a use for."""
SEEDS = 25


def stored_of(events: Sequence[Event]) -> list[StoredEvent]:
    """Events as a store keeps them."""
    store = InMemoryEventStore(SimulatedClock())
    batch = [
        NewEvent(stream_id="order:a", event=event, event_id=derived_id("record", number))
        for number, event in enumerate(events)
    ]
    return asyncio.run(store.append(MAIN, batch))


def orders_of(stored: Sequence[StoredEvent]) -> list[OrderRecord]:
    """All order records."""
    recorder = OrderRecorder(Firm())
    return [row for event in stored for row in recorder.take(event)]


def check(rows: Sequence[OrderRecord]) -> None:
    """What must hold for every list of order records."""
    for row in rows:
        for name in MANDATORY:
            assert getattr(row, name) not in {None, ""}, (name, row)
        assert row.event_type in CODES
        assert row.remaining_quantity >= 0.0
        assert (row.trade_id != "") == (row.event_type in {"PARF", "FILL"})
        assert (row.transaction_price is not None) == (row.trade_id != "")
    news = Counter(row.order_id for row in rows if row.event_type == "NEWO")
    assert not news or max(news.values()) == 1
    trades = Counter(row.trade_id for row in rows if row.trade_id)
    assert not trades or max(trades.values()) == 1


@settings(deadline=None, max_examples=60)
@given(tellings())
def test_any_order_of_words_makes_whole_records(order: list[int]) -> None:
    """Each fill is one row, quantities add up, and the last fill of an order is a FILL."""
    story = Story()
    for index in order:
        story.books.hear(story.words[index])
    stored = stored_of(story.books.events)
    rows = orders_of(stored)
    check(rows)
    fills = [event for event in story.books.events if isinstance(event, OrderExecuted)]
    assert sorted(row.trade_id for row in rows if row.trade_id) == sorted(f.fill_id for f in fills)
    for order_id in story.orders:
        traded = [row for row in rows if row.order_id == order_id and row.trade_id]
        assert round(sum(row.traded_quantity for row in traded), 8) == 0.3
        assert [row.event_type for row in traded] == ["PARF", "FILL"]


def play(seed: int) -> list[StoredEvent]:
    """Everything that a seeded run of the whole order path stored, crashes and all."""
    folder = Path(tempfile.mkdtemp(prefix="plan2-records-", dir=memory_folder()))
    run = Run(seed, folder)
    try:
        run_virtual(run.play())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return asyncio.run(run.world.store.inner.read_all(TENANT, limit=1_000_000))


@pytest.fixture(scope="module")
def days() -> list[list[StoredEvent]]:
    """The logs of some seeded runs with every kind of order and misfortune."""
    return [play(seed) for seed in range(SEEDS)]


def test_simulated_days_make_whole_records(days: list[list[StoredEvent]]) -> None:
    """Every placed order is there once, every code occurs, and no blank field is undeclared."""
    codes: Counter[str] = Counter()
    blank = set(OrderRecord.__struct_fields__)
    for stored in days:
        rows = orders_of(stored)
        check(rows)
        codes.update(row.event_type for row in rows)
        for row in rows:
            blank -= {name for name in blank if getattr(row, name) not in {None, ""}}
        executed = {e.data["fill_id"] for e in stored if e.type == "OrderExecuted"}
        assert {row.trade_id for row in rows if row.trade_id} == executed
        placed = [msgspec.json.decode(e.payload, type=OrderPlaced)
                  for e in stored if e.type == "OrderPlaced"]  # fmt: skip
        orders = {p.order_id for p in placed if p.kind not in {"protect", "change", "cancel"}}
        assert {row.order_id for row in rows if row.event_type == "NEWO"} == orders
        assert orders_of(stored) == rows
    assert sum(codes.values()) > 500
    missing = CODES - set(codes)
    assert not missing, codes
    no_clock_here = {"clock_offset_us"}
    assert blank <= set(BLANK_ORDER_FIELDS) | no_clock_here


def test_each_closed_position_is_one_trade_report(days: list[list[StoredEvent]]) -> None:
    """With its figures, an id of its own, and blanks only where they are declared."""
    total = 0
    for stored in days:
        reporter = TradeReporter(Firm())
        reports = [row for event in stored for row in reporter.take(event)]
        closed = [msgspec.json.decode(e.payload, type=PositionClosed)
                  for e in stored if e.type == "PositionClosed"]  # fmt: skip
        assert [(r.position_id, r.profit) for r in reports] == [
            (c.position_id, c.profit) for c in closed
        ]
        assert all(r.execution_time <= r.termination_time for r in reports)
        for report in reports:
            values = msgspec.structs.asdict(report)
            blank = {name for name, value in values.items() if value in {None, ""}}
            known = {"decision_id", "opening_orders", "closing_fills", "notional_currency"}
            assert blank <= set(BLANK_TRADE_FIELDS) | known
        total += len(reports)
    assert total > 20


def test_a_life_by_hand() -> None:
    """A pending order, triggered, half filled, its rest withdrawn: codes and figures by hand."""
    books = Books()
    order_id = books.place(
        OrderKind.PENDING, trigger="stop", decided_by="user:7", executed_by="user:7",
        algorithm_version="0.4.0", client="main", reason="breakout",
    )  # fmt: skip
    books.hear(OrderUpdate(kind=UpdateKind.ACCEPTED, ts_ns=NOON_NS, order_id=order_id, ticket="t1"))
    books.deal(order_id, 0.1)
    cancel = books.place(OrderKind.CANCEL, target="t1")
    books.hear(OrderUpdate(kind=UpdateKind.DONE, ts_ns=NOON_NS, order_id=cancel))
    books.hear(OrderUpdate(kind=UpdateKind.CANCELLED, ts_ns=NOON_NS, order_id=order_id))
    clock = ClockMeasured(ts_ns=1, offset_us=-40.0, source="chrony", state="synchronised")
    rows = orders_of(stored_of([clock, *books.events]))
    assert [(r.event_type, r.status, r.remaining_quantity, r.traded_quantity) for r in rows] == [
        ("NEWO", "ACTI", 0.3, 0.0),
        ("TRIG", "ACTI", 0.3, 0.0),
        ("PARF", "ACTI", 0.2, 0.1),
        ("CAME", "INAC", 0.0, 0.0),
    ]
    first = rows[0]
    assert (first.order_type, first.stop_price, first.validity) == ("STOP", 1.1, "GTCV")
    assert (first.investment_decision, first.human_override) == ("user:7", "breakout")
    assert (first.event_time, first.side) == ("2024-03-05T12:00:00.000000Z", "BUYI")
    assert (first.is_clock_compliant, first.clock_offset_us) == (True, -40.0)
    assert rows[2].passive_or_aggressive == "AGRE"


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_stretch_is_written_whole(form: str) -> None:
    """Rows of the stretch only, though the order was placed before it; JSON and CSV agree."""
    books = Books()
    order_id = books.place(OrderKind.OPEN, reason="=1+1")
    books.deal(order_id, 0.3)
    store = InMemoryEventStore(SimulatedClock())
    batch = [
        NewEvent(stream_id="s", event=event, event_id=derived_id("stretch", number))
        for number, event in enumerate(books.events)
    ]
    stored = await store.append(MAIN, batch)

    async def events() -> AsyncIterator[StoredEvent]:
        for event in stored:
            yield event

    writer = RecordWriter("orders", "csv" if form == "csv" else "json")
    text = writer.begin()
    stretch = Stretch(first_ns=NOON_NS + 1, end_ns=NOON_NS + 2)
    async for row in rows_of(events(), taker_of("orders", Firm()), stretch):
        text += writer.row(row)
    text += writer.finish()
    if form == "json":
        (found,) = json.loads(text)
    else:
        (found,) = csv.DictReader(io.StringIO(text.decode(), newline=""))
        assert found["reason"].startswith("'=")
        found["reason"] = plain(found["reason"])
    assert (found["event_type"], found["order_id"], found["reason"]) == ("FILL", "o1", "=1+1")
    assert set(found) == set(OrderRecord.__struct_fields__)
    assert writer.rows == 1


def test_ids_of_trades_are_within_their_alphabet() -> None:
    """Letters and digits, at most 52; different positions have different ones."""
    made = uti_of("529900T8BM49AURSDO55", "main", "live:4711")
    assert (len(made), made[:20], made.isalnum(), made.isupper()) == (
        52, "529900T8BM49AURSDO55", True, True,
    )  # fmt: skip
    assert uti_of("", "t" * 48, "1") != uti_of("", "t" * 48, "2")
    assert TradeReport.__struct_fields__[0] == "uti"
