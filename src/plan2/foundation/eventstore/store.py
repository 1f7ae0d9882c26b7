"""The event store: append-only, per tenant, in order of commit, each event chained to the last.

The rules live in one SQL function (`migrations/sql/0001_append_events.sql`): expected versions,
harmless repetition, positions without gaps, the hash chain. Every append is one call of it at the
end of a transaction, so the lock that orders a tenant's events is held for that call alone.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import psycopg

from plan2.foundation.clock import Clock
from plan2.foundation.database.unit_of_work import RawConnection, UnitOfWork
from plan2.foundation.errors import EventIdReused, InvariantBroken, VersionConflict
from plan2.foundation.eventstore.record import (
    Encoded,
    NewEvent,
    StoredEvent,
    as_stored,
    distinct_streams,
    encode,
    without_repeats,
)
from plan2.foundation.values import TenantId

OpenUnit = Callable[[TenantId], AbstractAsyncContextManager[UnitOfWork]]

SELECT = (
    "select pos, us_of(at), stream_id, version, event_id, type, schema_ver, actor, "
    "correlation_id, causation_id, source_ts, payload::text, sealed, key_id, prev, hash from event "
)
APPEND = (
    "select o_pos, us_of(o_at), o_version, o_prev, o_hash "
    "from append_events(%s::bigint, %s::text[], %s::int[], %s::int[], %s::uuid[], %s::text[], "
    "%s::int[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::bytea[], "
    "%s::text[])"
)
ERROR_OF_STATE: dict[str | None, type[VersionConflict | InvariantBroken]] = {
    "P2001": VersionConflict,
    "P2002": EventIdReused,
    "P2003": InvariantBroken,
    "P2004": InvariantBroken,
}


class EventStore(Protocol):
    """What every event store offers; `memory.py` is the one for tests and backtests."""

    async def append(self, tenant: TenantId, batch: Sequence[NewEvent]) -> list[StoredEvent]:
        """Store all of the batch or nothing, and return it as stored, in order.

        An event whose id is in the store already is answered with its first place: position, time,
        version, hashes. What is sealed is as offered now: sealing again makes other bytes.

        Raises:
            InputError: an event cannot be serialised.
            VersionConflict: a stream is not at the expected version.
            EventIdReused: an id was used before for something else.
            StoreBusy: the database does not answer; repeating the same batch is safe.
        """
        ...

    async def append_encoded(self, tenant: TenantId, batch: Sequence[Encoded]) -> list[StoredEvent]:
        """The same for events that were serialised before."""
        ...

    async def read_stream(
        self, tenant: TenantId, stream_id: str, *, from_version: int = 0, limit: int = 10_000
    ) -> list[StoredEvent]:
        """A stream's events from a version on, oldest first."""
        ...

    async def tail(
        self, tenant: TenantId, after_position: int, limit: int = 1_000, *, since_us: int = 0
    ) -> list[StoredEvent]:
        """Events after a position, in order; never skips one.

        `since_us`, the time of the last event seen, spares the search of older months.
        """
        ...

    async def read_all(
        self,
        tenant: TenantId,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
        types: Sequence[str] = (),
    ) -> list[StoredEvent]:
        """Events with `after < position < before`, of the named types or of all."""
        ...

    async def position(self, tenant: TenantId) -> int:
        """The position of the newest event; 0 when there is none."""
        ...

    async def seen(self, tenant: TenantId, event_ids: Collection[str]) -> set[str]:
        """Which of these events are in the store already."""
        ...


class PostgresEventStore:
    """The event store in PostgreSQL.

    Args:
        open_unit: opens a unit of work for a tenant; also offered as `unit`.
        clock: gives events the time of their recording.
    """

    def __init__(self, open_unit: OpenUnit, clock: Clock) -> None:
        self.unit = open_unit
        self._clock = clock

    async def append(self, tenant: TenantId, batch: Sequence[NewEvent]) -> list[StoredEvent]:
        """See `EventStore.append`."""
        return await self.append_encoded(tenant, [encode(each) for each in batch])

    async def append_encoded(self, tenant: TenantId, batch: Sequence[Encoded]) -> list[StoredEvent]:
        """See `EventStore.append_encoded`."""
        async with self.unit(tenant) as uow:
            return await self.append_in(uow, batch)

    async def append_in(self, uow: UnitOfWork, batch: Sequence[Encoded]) -> list[StoredEvent]:
        """Append as part of a larger transaction; do it last, for the tenant's log is locked."""
        unique, places = without_repeats(batch)
        if not unique:
            return []
        streams = distinct_streams(unique)
        try:
            cursor = await uow.raw.execute(APPEND, _arguments(self._clock, streams, unique))
        except psycopg.DatabaseError as error:
            kind = ERROR_OF_STATE.get(error.sqlstate)
            if kind is None:
                raise
            raise kind(error.diag.message_primary or str(error)) from error
        rows = await cursor.fetchall()
        stored = [as_stored(each, *row) for each, row in zip(unique, rows, strict=True)]
        return [stored[place] for place in places]

    async def read_stream(
        self, tenant: TenantId, stream_id: str, *, from_version: int = 0, limit: int = 10_000
    ) -> list[StoredEvent]:
        """See `EventStore.read_stream`."""
        async with self.unit(tenant) as uow:
            return await select(
                uow.raw,
                "where stream_id = %s and version >= %s order by version limit %s",
                (stream_id, from_version, limit),
            )

    async def tail(
        self, tenant: TenantId, after_position: int, limit: int = 1_000, *, since_us: int = 0
    ) -> list[StoredEvent]:
        """See `EventStore.tail`."""
        async with self.unit(tenant) as uow:
            return await self.tail_in(uow, after_position, limit, since_us=since_us)

    async def tail_in(
        self, uow: UnitOfWork, after_position: int, limit: int, *, since_us: int = 0
    ) -> list[StoredEvent]:
        """The same inside a transaction that is open already."""
        return await select(
            uow.raw,
            "where pos > %s and at >= at_of(%s) order by pos limit %s",
            (after_position, since_us, limit),
        )

    async def read_all(
        self,
        tenant: TenantId,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
        types: Sequence[str] = (),
    ) -> list[StoredEvent]:
        """See `EventStore.read_all`."""
        order = "desc" if newest_first else "asc"
        async with self.unit(tenant) as uow:
            return await select(
                uow.raw,
                "where pos > %s and pos < coalesce(%s::bigint, 9223372036854775807) "
                f"and (%s or type = any(%s)) order by pos {order} limit %s",
                (after, before, not types, list(types), limit),
            )

    async def position(self, tenant: TenantId) -> int:
        """See `EventStore.position`."""
        async with self.unit(tenant) as uow:
            row = await (await uow.raw.execute("select pos from log_head")).fetchone()
            return int(row[0]) if row else 0

    async def seen(self, tenant: TenantId, event_ids: Collection[str]) -> set[str]:
        """See `EventStore.seen`."""
        async with self.unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "select event_id from seen_event where event_id = any(%s::uuid[])",
                (list(event_ids),),
            )
            return {row[0].hex for row in await cursor.fetchall()}


async def select(
    raw: RawConnection, where: str, parameters: tuple[object, ...]
) -> list[StoredEvent]:
    """Events of the open transaction's tenant that fit a condition of ours (never user text)."""
    cursor = await raw.execute(SELECT + where, parameters)
    return [from_row(row) for row in await cursor.fetchall()]


def from_row(row: tuple[Any, ...]) -> StoredEvent:
    """An event from one row of `SELECT`, whose values have many SQL types."""
    return StoredEvent(
        position=row[0],
        at_us=row[1],
        stream_id=row[2],
        version=row[3],
        event_id=row[4].hex,
        type=row[5],
        schema_ver=row[6],
        actor=row[7],
        correlation_id=row[8],
        causation_id=row[9],
        source_ts_ns=row[10],
        payload=row[11].encode(),
        sealed=row[12],
        key_id=row[13],
        prev_hash=row[14],
        hash=row[15],
    )


def _arguments(
    clock: Clock, streams: dict[str, int], batch: Sequence[Encoded]
) -> tuple[object, ...]:
    """What `append_events` takes: the time, the streams, then one array per column."""
    return (
        clock.now_ns() // 1_000,
        list(streams),
        [streams[each.new.stream_id] for each in batch],
        [int(each.new.expected) for each in batch],
        [each.new.event_id for each in batch],
        [each.type for each in batch],
        [each.schema_ver for each in batch],
        [each.new.actor for each in batch],
        [each.new.correlation_id for each in batch],
        [each.new.causation_id for each in batch],
        [each.new.event.ts_ns for each in batch],
        [each.payload.decode() for each in batch],
        [each.new.sealed for each in batch],
        [each.new.key_id for each in batch],
    )
