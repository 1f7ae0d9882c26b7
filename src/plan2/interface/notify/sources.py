"""Listens to what happens to each tenant and tells people; the bus hands over and goes on.

A handler on the bus must neither fail nor wait, so events are only put into a mailbox there; when
it is full the oldest is forgotten, which costs a message and never a tick.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from plan2.foundation.bus import Bus, Mailbox, Overflow
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import NAME_OF
from plan2.foundation.events.system import ServiceHealthChanged
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.upcast import upcast
from plan2.interface.notify.notification import Notification
from plan2.interface.notify.said import Context
from plan2.interface.notify.sentences import ANNOUNCED, STORED, notification_of
from plan2.interface.notify.sentences_system import BAD_HEALTH

WAITING_MAX: Final = 5_000
BATCH_MAX: Final = 100
STORED_NAMES: Final = frozenset(NAME_OF[each] for each in STORED)


class _Happened(msgspec.Struct, frozen=True):
    """Something that happened to a tenant."""

    context: Context
    event: Event | StoredEvent


class Sources:
    """Turns events of every tenant into notifications.

    Args:
        notify: takes them. who: the name of an actor of a tenant, for people to read.
    """

    def __init__(
        self, notify: Callable[[Notification], object], who: Callable[[str, str], str]
    ) -> None:
        self._notify = notify
        self._who = who
        self._happened: Mailbox[_Happened] = Mailbox(WAITING_MAX, Overflow.DROP_OLDEST)
        self._unwell: set[tuple[str, str]] = set()

    def listen(self, tenant_id: str, currency: str, bus: Bus, appender: Appender) -> None:
        """Hear of everything that happens to a tenant; before its bus is sealed."""
        context = Context(tenant_id, currency, lambda actor: self._who(tenant_id, actor))

        def on_event(event: Event) -> None:
            self._happened.put(_Happened(context, event))

        def on_stored(stored: StoredEvent) -> None:
            if stored.type in STORED_NAMES:
                self._happened.put(_Happened(context, stored))

        for event_type in ANNOUNCED:
            bus.subscribe(event_type, on_event)
        appender.on_stored(on_stored)

    async def run(self) -> None:
        """Tell people until cancelled."""
        while True:
            for happened in await self._happened.take(BATCH_MAX):
                self._tell(happened)
            await asyncio.sleep(0)

    def drain(self) -> None:
        """Tell what has happened so far."""
        for happened in self._happened.drain(WAITING_MAX):
            self._tell(happened)

    def _tell(self, happened: _Happened) -> None:
        event = happened.event
        if isinstance(event, StoredEvent):
            event = upcast(event.type, event.schema_ver, event.payload)
        if isinstance(event, ServiceHealthChanged) and not self._is_news(happened.context, event):
            return
        notification = notification_of(event, happened.context)
        if notification is not None:
            self._notify(notification)

    def _is_news(self, context: Context, event: ServiceHealthChanged) -> bool:
        """Whether a part became unwell, or one that was unwell is well again."""
        part = context.tenant_id, event.service_name
        if event.status in BAD_HEALTH:
            self._unwell.add(part)
            return True
        if event.status == "ok" and part in self._unwell:
            self._unwell.discard(part)
            return True
        return False
