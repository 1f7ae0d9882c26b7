"""Draining a journal: everything once, and what an older version stored stays as it was."""

import msgspec
import pytest
from trading_fixtures import NOON_NS, Desk, forecast, scene, tick

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import JournalLost
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.values import TenantId
from plan2.intelligence.trading.journal import Entry
from plan2.intelligence.trading.placing import TAKEN
from plan2.intelligence.trading.stored import drain

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
