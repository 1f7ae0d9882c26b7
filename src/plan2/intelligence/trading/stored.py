"""Between an account and the event store: facts on their way in, books on their way back."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import get_args

import msgspec

from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import STORED
from plan2.foundation.events.fact import Fact
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderCompleted,
    OrderExecuted,
    OrderExpired,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    OrderSent,
    PositionClaimed,
    PositionClosed,
    PositionOpened,
    PositionProtected,
)
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.record import Expected, NewEvent
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.values import TenantId
from plan2.intelligence.trading.journal import Entry
from plan2.intelligence.trading.placing import facts_of

OrderEvent = (
    OrderPlaced
    | OrderSent
    | OrderAccepted
    | OrderRejected
    | OrderOutcomeUnknown
    | OrderCompleted
    | OrderCancelled
    | OrderExpired
    | OrderAmended
    | OrderExecuted
)
PositionEvent = (
    PositionOpened | PositionProtected | PositionClaimed | PositionClosed | OrderExecuted
)
ORDER_EVENTS: tuple[type[Event], ...] = get_args(OrderEvent)
"""The events that say what becomes of an order."""
ORDER_AND_POSITION_TYPES = frozenset(
    each.__name__ for each in (*ORDER_EVENTS, *get_args(PositionEvent))
)
"""The names of the events of an account's orders and positions."""
BOOK_TYPES: Sequence[str] = (
    *sorted(ORDER_AND_POSITION_TYPES),
    "TradingStateChanged",
    "KillBegun",
    "KillFinished",
    "BalanceAdjusted",
    "EquityRecorded",
    "ReconciliationDifference",
)
"""The events that an account's books are folded from."""

ACTOR = "pipeline"
"""Who causes an account's events; the same when a journal is drained, or a repeat would differ."""
PAGE = 1_000


class StoreSink:
    """Hands facts to the appender and tells the journal once they are committed."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        appender.on_settled(self._on_settled)

    def put(self, fact: Fact, on_stored: Callable[[], None] | None) -> None:
        """Queue a fact.

        Raises:
            JournalLost: the queue is full or no longer written; trading must stop.
        """
        self._appender.put(new_event(fact))
        if on_stored is not None:
            self._waiting.setdefault(fact.event_id, []).append(on_stored)

    def _on_settled(self, event_id: str, is_durable: bool) -> None:
        """What was there already is as durable as what is new; what was refused is not."""
        for done in self._waiting.pop(event_id, ()):
            if is_durable:
                done()


def new_event(fact: Fact) -> NewEvent:
    """A fact as the event store takes it; a repetition of it is harmless."""
    return NewEvent(
        stream_id=fact.stream,
        event=fact.event,
        event_id=fact.event_id,
        expected=Expected.ANY,
        actor=ACTOR,
        correlation_id=fact.correlation_id,
    )


async def drain(entries: Sequence[Entry], store: EventStore, tenant: TenantId) -> None:
    """Put what an earlier run's journal holds into the event store.

    What is there stays as it is, also when this version of the program would write it differently.
    The last fact of an entry is the one that was stored last.
    """
    for start in range(0, len(entries), PAGE):
        groups = [facts_of(entry) for entry in entries[start : start + PAGE]]
        seen = await store.seen(tenant, [facts[-1].event_id for facts in groups])
        missing = [facts for facts in groups if facts[-1].event_id not in seen]
        batch = [new_event(item) for facts in missing for item in facts]
        if batch:
            await store.append(tenant, batch)


async def book_events(store: EventStore, tenant: TenantId, account_id: str) -> AsyncIterator[Event]:
    """Events of one account that its books are made of, oldest first."""
    after = 0
    while True:
        page = await store.read_all(tenant, after=after, limit=PAGE, types=BOOK_TYPES)
        for stored in page:
            _, cls = STORED[stored.type]
            event = msgspec.json.decode(stored.payload, type=cls)
            if getattr(event, "account_id", "") == account_id:
                yield event
        if len(page) < PAGE:
            return
        after = page[-1].position
