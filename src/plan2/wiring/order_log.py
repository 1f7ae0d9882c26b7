"""Reads what happened to the orders of an account from its tenant's log."""

from typing import Final

import msgspec

from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import STORED
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.values import TenantId

PAGE: Final = 500
SEEN: Final = ("OrderPlaced", "OrderExecuted", "OrderRejected", "OrderDenied")
"""What the trades of a flow are rebuilt from."""


async def order_events(
    store: EventStore, account_id: str, tenant_id: TenantId = MAIN_TENANT
) -> list[Event]:
    """What happened to the orders of an account of a tenant, oldest first."""
    return await events_of(store, tenant_id, account_id, SEEN)


async def events_of(
    store: EventStore, tenant_id: TenantId, account_id: str, types: tuple[str, ...]
) -> list[Event]:
    """Events of these types in the order of the log; those of an account of this one alone."""
    found: list[Event] = []
    after = 0
    while True:
        page = await store.read_all(tenant_id, after=after, limit=PAGE, types=types)
        for stored in page:
            event = msgspec.json.decode(stored.payload, type=STORED[stored.type][1])
            if stored.type not in SEEN or getattr(event, "account_id", "") == account_id:
                found.append(event)
        if len(page) < PAGE:
            return found
        after = page[-1].position
