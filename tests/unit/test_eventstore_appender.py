"""The appender: order, group commit, patience, and never a silent loss."""

import asyncio
from collections.abc import Sequence

import pytest

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import (
    EventIdReused,
    InputError,
    InvariantBroken,
    JournalLost,
    Plan2Error,
    StoreBusy,
)
from plan2.foundation.events.model import ModelAccuracyUpdated
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore import appender as module
from plan2.foundation.eventstore.appender import BATCH_MAX, Appender
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import Encoded, Expected, NewEvent, StoredEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.values import TenantId

MAIN = TenantId("main")


class Unreliable(InMemoryEventStore):
    """A store that fails when told to, before or after it has stored."""

    def __init__(self) -> None:
        super().__init__(SimulatedClock())
        self.batches: list[int] = []
        self.failures: list[str] = []

    async def append_encoded(self, tenant: TenantId, batch: Sequence[Encoded]) -> list[StoredEvent]:
        """Store, unless the next failure says otherwise."""
        self.batches.append(len(batch))
        failure = self.failures.pop(0) if self.failures else ""
        if failure == "before":
            raise StoreBusy("the database is away")
        stored = await super().append_encoded(tenant, batch)
        if failure == "after":
            raise StoreBusy("the answer was lost")
        return stored


def sent(n: int) -> NewEvent:
    """The n-th event."""
    event = OrderSent(ts_ns=n, order_id=str(n), account_id="a", symbol="EURUSD")
    return NewEvent(stream_id="s", event=event, event_id=derived_id("appender", n))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(module, "RETRY_FIRST_S", 0.0)


async def run_through(appender: Appender, events: int) -> int:
    """Put events, flush, and stop the task."""
    task = asyncio.create_task(appender.run())
    for n in range(events):
        appender.put(sent(n))
    position = await appender.flush()
    task.cancel()
    return position


async def test_events_are_stored_in_order_in_batches() -> None:
    """What piles up goes in batches of at most BATCH_MAX, and listeners hear each in order."""
    store, heard = Unreliable(), []
    appender = Appender(store, MAIN)
    appender.on_stored(heard.append)
    assert await run_through(appender, 600) == 600
    assert store.batches == [BATCH_MAX, BATCH_MAX, 600 - 2 * BATCH_MAX]
    assert [each.position for each in heard] == list(range(1, 601))
    assert [each.event_id for each in heard] == [sent(n).event_id for n in range(600)]
    assert len(appender) == 0


@pytest.mark.parametrize("failures", [["before"] * 4, ["after"], ["after", "before", "after"]])
async def test_an_outage_delays_and_loses_nothing(failures: list[str]) -> None:
    """Before or after the commit: retried until stored once; the outage is announced once."""
    store, heard, outages = Unreliable(), [], []
    store.failures = list(failures)
    appender = Appender(store, MAIN, on_outage=outages.append)
    appender.on_stored(heard.append)
    assert await run_through(appender, 10) == 10
    assert [each.position for each in heard] == list(range(1, 11))
    assert len(outages) == 2
    assert outages[1] == ""
    assert not appender.is_degraded


async def test_a_full_mailbox_stops_trading() -> None:
    """Nothing is dropped: the one who puts is told."""
    appender = Appender(Unreliable(), MAIN, capacity=3)
    for n in range(3):
        appender.put(sent(n))
    with pytest.raises(JournalLost, match="full at 3"):
        appender.put(sent(3))
    assert len(appender) == 3


async def test_an_event_that_was_stored_before_is_settled_silently() -> None:
    """A drained journal sends again what is in the store; nobody hears of it twice."""
    store, heard = Unreliable(), []
    await store.append(MAIN, [sent(0), sent(1)])
    appender = Appender(store, MAIN)
    appender.last_position = 2
    appender.on_stored(heard.append)
    assert await run_through(appender, 3) == 3
    assert [each.position for each in heard] == [3]


async def test_a_refused_event_is_reported_and_the_others_stored() -> None:
    """One event re-uses an id: its neighbours are stored, and the owner gets the culprit."""
    store = Unreliable()
    await store.append(MAIN, [_other_content(1)])
    refused: list[tuple[NewEvent, Plan2Error]] = []
    appender = Appender(store, MAIN, on_refused=lambda *both: refused.append(both))
    await run_through(appender, 4)
    assert [(new, type(error)) for new, error in refused] == [(sent(1), EventIdReused)]
    log = await store.tail(MAIN, 1)
    assert [each.event_id for each in log] == [sent(n).event_id for n in (0, 2, 3)]


async def test_without_an_owner_a_refusal_ends_everything() -> None:
    """Nobody to tell: the task fails, `flush` and `put` raise, trading stops."""
    store = Unreliable()
    await store.append(MAIN, [_other_content(1)])
    appender = Appender(store, MAIN)
    task = asyncio.create_task(appender.run())
    appender.put(sent(1))
    with pytest.raises(JournalLost):
        await appender.flush()
    with pytest.raises(EventIdReused):
        await task
    with pytest.raises(JournalLost):
        appender.put(sent(2))


async def test_stopping_wakes_those_who_wait() -> None:
    """A flush that can no longer succeed says so instead of waiting for ever."""
    store = Unreliable()
    store.failures = ["before"] * 1_000_000
    appender = Appender(store, MAIN)
    task = asyncio.create_task(appender.run())
    appender.put(sent(0))
    waiting = asyncio.create_task(appender.flush())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(JournalLost):
        await waiting


async def test_only_what_can_be_stored_is_taken() -> None:
    """Events with an expected version or a value JSON does not know are refused at the door."""
    appender = Appender(Unreliable(), MAIN)
    conflict = NewEvent(
        stream_id="s", event=sent(1).event, event_id=sent(1).event_id, expected=Expected.NONE
    )
    with pytest.raises(InvariantBroken):
        appender.put(conflict)
    nan = ModelAccuracyUpdated(ts_ns=0, model_id="m", accuracy=float("nan"), backtest_period="")
    with pytest.raises(InputError, match="ModelAccuracyUpdated"):
        appender.put(NewEvent(stream_id="s", event=nan, event_id=derived_id("nan")))
    assert len(appender) == 0
    assert await appender.flush() == 0


def _other_content(n: int) -> NewEvent:
    """An event with the id of the n-th and something else in it."""
    return NewEvent(stream_id="s", event=sent(99).event, event_id=sent(n).event_id)
