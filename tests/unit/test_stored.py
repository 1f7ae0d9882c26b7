"""Draining a journal: everything once, and what an older version stored stays as it was."""

import asyncio

import msgspec
import pytest
from trading_fixtures import NOON_NS, Desk, forecast, scene, tick

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import JournalLost
from plan2.foundation.events.fact import Fact
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.values import TenantId
from plan2.intelligence.trading.journal import Entry
from plan2.intelligence.trading.placing import TAKEN
from plan2.intelligence.trading.stored import StoreSink, drain, new_event

TENANT = TenantId("default")


async def test_draining_twice_stores_once() -> None:
    """The second start finds the same journal again and adds nothing."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    store = InMemoryEventStore(SimulatedClock(NOON_NS))
    await drain(desk.journal.entries, store, TENANT)
    once = await store.tail(TENANT, 0)
    await drain(desk.journal.entries, store, TENANT)
    assert await store.tail(TENANT, 0) == once
    assert {"DecisionMade", "OrderPlaced"} <= {event.type for event in once}


async def test_what_another_version_stored_under_the_same_id_stays() -> None:
    """The journal's payload lacks a field that the store's has: same fact, left alone."""
    store = InMemoryEventStore(SimulatedClock(NOON_NS))
    stored = OrderSent(ts_ns=1, order_id="o", account_id="a", symbol="EURUSD")
    event_id = derived_id("some order")
    new = NewEvent(stream_id="order:a", event=stored, event_id=event_id)
    await store.append(TENANT, [new])
    other = msgspec.structs.replace(stored, symbol="written differently by another version")
    entry = Entry(event_id, "order:a", "OrderSent", 1, "", msgspec.json.encode(other))
    await drain([entry], store, TENANT)
    (left,) = await store.tail(TENANT, 0)
    assert left.data["symbol"] == "EURUSD"


async def test_a_decision_in_another_versions_form_is_a_clear_refusal() -> None:
    """Nothing is guessed and nothing skipped: the sentence names the order and the way out."""
    entry = Entry("order-7", "", TAKEN, 1, "", msgspec.msgpack.encode(["another", "shape"]))
    store = InMemoryEventStore(SimulatedClock(NOON_NS))
    with pytest.raises(JournalLost, match=r"order-7.*Start the version that wrote it"):
        await drain([entry], store, TENANT)
    assert await store.position(TENANT) == 0


def sent(order_id: str, symbol: str = "EURUSD", name: str = "") -> Fact:
    """A fact about an order, under an id of its own or that of `name`."""
    event = OrderSent(ts_ns=1, order_id=order_id, account_id="a", symbol=symbol)
    return Fact("order:a", derived_id(name or order_id), event)


async def test_a_fact_that_was_stored_before_still_frees_its_journal() -> None:
    """The same fact comes twice, also of an earlier run: every record of it is told, none kept."""
    store = InMemoryEventStore(SimulatedClock(NOON_NS))
    await store.append(TENANT, [new_event(sent("one")), new_event(sent("two"))])
    appender = Appender(store, TENANT)
    sink, freed = StoreSink(appender), list[int]()
    task = asyncio.create_task(appender.run())
    sink.put(sent("two"), lambda: freed.append(2))
    await appender.flush()
    sink.put(sent("one"), lambda: freed.append(1))
    await appender.flush()
    sink.put(sent("three"), lambda: freed.append(3))
    sink.put(sent("three"), lambda: freed.append(4))
    await appender.flush()
    task.cancel()
    assert freed == [2, 1, 3, 4]
    assert sink._waiting == {}


async def test_what_the_store_refuses_is_never_told_to_be_stored_nor_kept_waiting() -> None:
    """An id that stands for something else there: its journal record stays, others go on."""
    store = InMemoryEventStore(SimulatedClock(NOON_NS))
    await store.append(TENANT, [new_event(sent("one"))])
    refused: list[str] = []
    appender = Appender(store, TENANT, on_refused=lambda new, _: refused.append(new.event_id))
    sink, freed = StoreSink(appender), list[str]()
    task = asyncio.create_task(appender.run())
    sink.put(sent("other", "GBPUSD", name="one"), lambda: freed.append("other"))
    sink.put(sent("two"), lambda: freed.append("two"))
    await appender.flush()
    task.cancel()
    assert refused == [derived_id("one")]
    assert freed == ["two"]
    assert sink._waiting == {}


def test_what_the_appender_does_not_take_waits_for_nothing() -> None:
    """Its mailbox is full: trading stops, and the fact stays in the journal alone."""
    appender = Appender(InMemoryEventStore(SimulatedClock(NOON_NS)), TENANT, capacity=1)
    sink = StoreSink(appender)
    sink.put(sent("one"), lambda: None)
    with pytest.raises(JournalLost):
        sink.put(sent("two"), lambda: None)
    assert list(sink._waiting) == [derived_id("one")]
