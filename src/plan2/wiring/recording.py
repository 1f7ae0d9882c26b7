"""Takes facts for any tenant's log: through its own appender, or beside it while it is not open.

A suspended tenant has no running appender, and what is done to it must be written down all the
same. Its facts wait here in order and are stored as soon as the database takes them.
"""

import asyncio
from collections.abc import Callable

import msgspec

from plan2.foundation.bus import Mailbox, Overflow
from plan2.foundation.events.base import Event
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import IdSource
from plan2.foundation.values import TenantId

WAITING_MAX = 10_000

AppenderOf = Callable[[str], Appender | None]
MakeAppender = Callable[[TenantId], Appender]


class _Waiting(msgspec.Struct, frozen=True):
    tenant_id: TenantId
    new: NewEvent


class Recording:
    """Implements `Record` for all tenants of the process.

    Args:
        open_one: the running appender of a tenant, None when it is not open.
        make: an appender for one that is not.
        ids: names the facts.
    """

    def __init__(self, open_one: AppenderOf, make: MakeAppender, ids: IdSource) -> None:
        self._open_one = open_one
        self._make = make
        self._ids = ids
        self._mailbox: Mailbox[_Waiting] = Mailbox(WAITING_MAX, Overflow.NEVER)

    def __call__(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        """Write a fact down.

        Raises:
            JournalLost: more wait for the database than may be lost.
        """
        new = NewEvent(
            stream_id=stream,
            event=event,
            event_id=self._ids.next_id("event"),
            actor=actor,
            correlation_id=correlation_id,
        )
        appender = self._open_one(tenant_id)
        if appender is not None:
            appender.put(new)
        else:
            self._mailbox.put(_Waiting(TenantId(tenant_id), new))

    async def run(self) -> None:
        """Store what waits, one tenant after another, until cancelled."""
        while True:
            for waiting in await self._mailbox.take(1):
                await self._store(waiting)

    async def _store(self, waiting: _Waiting) -> None:
        appender = self._open_one(waiting.tenant_id)
        if appender is not None:
            appender.put(waiting.new)
            return
        appender = self._make(waiting.tenant_id)
        appender.put(waiting.new)
        storing = asyncio.create_task(appender.run())
        try:
            await appender.flush()
        finally:
            storing.cancel()
            await asyncio.gather(storing, return_exceptions=True)
