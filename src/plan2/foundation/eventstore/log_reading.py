"""Reading a log for people: by filters, one event, page after page, where it begins."""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.eventstore.audit import WHOLE, Boundary
from plan2.foundation.eventstore.merkle import Frontier
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.store import OpenUnit, select
from plan2.foundation.values import TenantId

PAGE: Final = 200
FOREVER: Final = 2**62
LAST_US: Final = 253_402_300_799_000_000
BOUNDARY: Final = (
    "select last_pos, us_of(last_at), last_hash, frontier from archived_month "
    "order by last_pos desc limit 1"
)
"""Finds what the newest archived month left behind."""


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: `after` < position < `before`, `from_us` ≤ recorded ≤ `to_us`; "" means any."""

    after: int = 0
    before: int = FOREVER
    types: tuple[str, ...] = ()
    actor: str = ""
    stream: str = ""
    from_us: int = 0
    to_us: int = LAST_US


async def search(
    uow: UnitOfWork, wanted: LogFilter, limit: int, *, newest_first: bool = True
) -> list[StoredEvent]:
    """Events that fit, at most `limit`."""
    order = "desc" if newest_first else "asc"
    return await select(
        uow.raw,
        "where pos > %s and pos < %s and at between at_of(%s) and at_of(%s) "
        "and (%s or type = any(%s)) and (%s = '' or actor = %s) "
        f"and (%s = '' or stream_id = %s) order by pos {order} limit %s",
        (
            wanted.after,
            wanted.before,
            wanted.from_us,
            wanted.to_us,
            not wanted.types,
            list(wanted.types),
            wanted.actor,
            wanted.actor,
            wanted.stream,
            wanted.stream,
            limit,
        ),
    )


async def event_at(uow: UnitOfWork, position: int) -> StoredEvent | None:
    """The event at a position; None when there is none (any more)."""
    found = await select(uow.raw, "where pos = %s", (position,))
    return found[0] if found else None


async def each_event(
    open_unit: OpenUnit, tenant: TenantId, wanted: LogFilter
) -> AsyncIterator[StoredEvent]:
    """Every event that fits, oldest first, read in pages with a transaction each."""
    while True:
        async with open_unit(tenant) as uow:
            page = await search(uow, wanted, PAGE, newest_first=False)
        for event in page:
            yield event
        if len(page) < PAGE:
            return
        wanted = msgspec.structs.replace(wanted, after=page[-1].position, from_us=page[-1].at_us)


async def boundary_of(uow: UnitOfWork) -> Boundary:
    """Where the tenant's log in the database begins."""
    return boundary_in(await (await uow.raw.execute(BOUNDARY)).fetchone())


def boundary_in(row: tuple[Any, ...] | None) -> Boundary:
    """Where a log begins by the row that `BOUNDARY` finds, whose values have many SQL types."""
    if row is None:
        return WHOLE
    frontier = msgspec.msgpack.decode(row[3], type=Frontier)
    return Boundary(position=row[0], at_us=row[1], hash=row[2], frontier=frontier)
