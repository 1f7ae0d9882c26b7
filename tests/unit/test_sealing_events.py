"""Personal fields of events: sealed on their way in, opened, masked, erased."""

import asyncio

import msgspec
import pytest

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderSent
from plan2.foundation.events.people import PERSONAL, ActionTaken, SignInRefused, UserInvited
from plan2.foundation.eventstore import appender as module
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import NewEvent, StoredEvent, chain_hash
from plan2.foundation.eventstore.sealing_events import (
    NOT_KEPT,
    EventSealer,
    PersonalState,
    masked,
    open_personal,
)
from plan2.foundation.ids import derived_id
from plan2.foundation.secrets.sealing import SealBroken
from plan2.foundation.values import TenantId
from unit.privacy_fixtures import FakeSealer

MAIN = TenantId("main")
CANARY = "Zebulon Canary"


def invited(user_id: str, name: str = CANARY) -> UserInvited:
    """Somebody was invited."""
    return UserInvited(ts_ns=1, user_id=user_id, name=name, role="Analyst", purpose="join", by="x")


def sent(n: int) -> OrderSent:
    """An event without personal fields."""
    return OrderSent(ts_ns=n, order_id=str(n), account_id="a", symbol="EURUSD")


async def stored_by(sealer: FakeSealer, *events: Event) -> list[StoredEvent]:
    """What a store holds after an appender took these events."""
    store = InMemoryEventStore(SimulatedClock())
    appender = Appender(store, MAIN, seal=EventSealer(sealer, MAIN).seal)
    for number, event in enumerate(events):
        new = NewEvent(stream_id="s", event=event, event_id=derived_id("seal", number))
        appender.put(new)
    task = asyncio.create_task(appender.run())
    await appender.flush()
    task.cancel()
    return await store.read_all(MAIN)


async def test_personal_fields_never_reach_the_store_in_the_clear() -> None:
    """The payload holds "", the sealed bytes open to what was given, the order stays."""
    sealer = FakeSealer()
    stored = await stored_by(sealer, sent(1), invited("u1"), sent(2), invited("u2"), sent(3))
    assert [event.type for event in stored] == [
        "OrderSent", "UserInvited", "OrderSent", "UserInvited", "OrderSent",
    ]  # fmt: skip
    for event in stored:
        assert CANARY.encode() not in event.payload
        assert CANARY.encode() not in (event.sealed or b"")
        assert chain_hash(MAIN, event) == event.hash
    person = stored[1]
    assert (person.data["name"], person.key_id, person.data["role"]) == ("", "u1", "Analyst")
    opened = await open_personal(sealer, MAIN, person)
    assert (opened.state, opened.fields) == (PersonalState.OPENED, {"name": CANARY})
    assert masked(person).fields == {"name": "•••"}
    nothing = await open_personal(sealer, MAIN, stored[0])
    assert (nothing.state, masked(stored[0]).state) == (PersonalState.NONE, PersonalState.NONE)


async def test_an_erased_person_leaves_a_whole_chain() -> None:
    """What was sealed does not open any more; what comes later is not kept at all."""
    sealer = FakeSealer()
    first, second = await stored_by(sealer, invited("u1"), invited("u2"))
    await sealer.destroy_subject(MAIN, "u1")
    assert (await open_personal(sealer, MAIN, first)).state is PersonalState.ERASED
    assert (await open_personal(sealer, MAIN, second)).state is PersonalState.OPENED
    assert chain_hash(MAIN, first) == first.hash
    (later,) = await stored_by(sealer, invited("u1"))
    assert (later.sealed, later.key_id, later.data["name"]) == (None, "u1", "")
    assert (await open_personal(sealer, MAIN, later)).state is PersonalState.ERASED


async def test_a_seal_that_was_changed_or_moved_is_unreadable() -> None:
    """Another byte, another event, another tenant: no value, and no exception."""
    sealer = FakeSealer()
    (event,) = await stored_by(sealer, invited("u1"))
    assert event.sealed is not None
    flipped = msgspec.structs.replace(event, sealed=event.sealed[:-1] + b"\0")
    moved = msgspec.structs.replace(event, event_id=derived_id("another"))
    for bent in (flipped, moved):
        assert (await open_personal(sealer, MAIN, bent)).state is PersonalState.UNREADABLE
    stranger = await open_personal(sealer, TenantId("other"), event)
    assert stranger.state is PersonalState.UNREADABLE


async def test_an_event_does_not_wait_for_a_key() -> None:
    """Without a key the event is kept and says that the value is not."""
    sealer = FakeSealer()
    sealer.is_away = True
    (event,) = await stored_by(sealer, invited("u1"))
    assert (event.data["name"], event.sealed) == (NOT_KEPT, None)


async def test_a_damaged_key_does_not_end_the_log() -> None:
    """The event is kept without the value, and the next one follows."""
    sealer = FakeSealer()
    sealer.failures = [SealBroken("The key of u1 was changed.")]
    first, second = await stored_by(sealer, invited("u1"), invited("u2"))
    assert (first.data["name"], first.sealed) == (NOT_KEPT, None)
    assert second.sealed is not None


async def test_without_a_subject_the_tenants_key_seals() -> None:
    """A refused sign-in of nobody: its address is sealed all the same; empty fields are not."""
    sealer = FakeSealer()
    refused = SignInRefused(ts_ns=1, user_id="", reason="password", ip_address="192.0.2.9")
    nobody, unknown = await stored_by(
        sealer, refused, msgspec.structs.replace(refused, ip_address="")
    )
    assert (nobody.data["ip_address"], nobody.key_id) == ("", "")
    opened = await open_personal(sealer, MAIN, nobody)
    assert opened.fields == {"ip_address": "192.0.2.9"}
    assert unknown.sealed is None


async def test_the_appender_is_patient_when_keys_need_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """StoreBusy while sealing is an outage like any other; nothing is lost."""
    monkeypatch.setattr(module, "RETRY_FIRST_S", 0.0)
    sealer = FakeSealer()
    sealer.failures = [StoreBusy("away"), StoreBusy("away")]
    (event,) = await stored_by(sealer, invited("u1"))
    assert event.sealed is not None


def test_the_table_names_fields_that_exist() -> None:
    """Every entry names an event class with its subject and text fields."""
    from plan2.foundation.events.catalog import STORED

    for name, (subject, fields) in PERSONAL.items():
        _, cls = STORED[name]
        hints = {field.name: field.type for field in msgspec.structs.fields(cls)}
        assert hints[subject] is str
        assert fields
        assert {hints[field] for field in fields} == {str}
    assert "ip_address" in PERSONAL[ActionTaken.__name__][1]
