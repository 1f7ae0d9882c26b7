"""Reads what happened to the orders of an account from its tenant's log."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import STORED
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.values import TenantId

PAGE: Final = 500
SEEN: Final = ("OrderPlaced", "OrderExecuted", "OrderRejected", "OrderDenied")
"""What a day of a flow is rebuilt from."""
TRADED: Final = ("OrderPlaced", "OrderExecuted", "FlowMoved")
"""What the figures of its trading are rebuilt from."""


class AccountLog:
    """Follows the log of a tenant: whoever asks again is told of what has come since alone.

    Args:
        account_id: events of orders of other accounts are left out.
        types: of events. take: is given them in the order of the log, each once.
    """

    def __init__(
        self,
        whose: tuple[EventStore, TenantId],
        account_id: str,
        types: tuple[str, ...],
        take: Callable[[Event], object],
    ) -> None:
        self._store, self._tenant_id = whose
        self._account_id = account_id
        self._types = types
        self._take = take
        self._position = 0
        self._turn = asyncio.Lock()

    async def catch_up(self) -> None:
        """Take everything that is stored by now.

        Raises:
            StoreBusy: the database does not answer; the next call goes on from there.
        """
        async with self._turn:  # two that ask at once must not both take the same events
            while await self._page() == PAGE:
                pass

    async def _page(self) -> int:
        page = await self._store.read_all(
            self._tenant_id, after=self._position, limit=PAGE, types=self._types
        )
        events = [
            (each.type, msgspec.json.decode(each.payload, type=STORED[each.type][1]))
            for each in page
        ]
        for name, event in events:
            if name not in SEEN or getattr(event, "account_id", "") == self._account_id:
                self._take(event)
        if page:
            self._position = page[-1].position
        return len(page)


async def order_events(
    store: EventStore, account_id: str, tenant_id: TenantId = MAIN_TENANT
) -> list[Event]:
    """What happened to the orders of an account of a tenant, oldest first."""
    found: list[Event] = []
    await AccountLog((store, tenant_id), account_id, SEEN, found.append).catch_up()
    return found
