"""State of a stream, folded from its events, with snapshots that are only caches.

A snapshot counts only if its hash is right and it has today's state version; any other is ignored
and replaced. Deleting all of them changes no answer, only how long it takes.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.store import select
from plan2.foundation.values import TenantId

State = TypeVar("State")

PAGE = 1_000
FOREVER_US = 253_402_300_799_000_000
"""The last second of the year 9999."""


@dataclass(frozen=True)
class Fold(Generic[State]):
    """How events become a state.

    Attributes:
        state_type: a msgspec-encodable class; a snapshot is its MessagePack.
        schema_ver: raise it whenever the shape or the meaning of the state changes.
        initial: the state before the first event.
        apply: the state after one more event; must be pure.
    """

    state_type: type[State]
    schema_ver: int
    initial: State
    apply: Callable[[State, StoredEvent], State]


@dataclass(frozen=True)
class Folded(Generic[State]):
    """A state, and version, position and time of the last event in it (-1, 0, 0: none)."""

    state: State
    version: int
    position: int
    at_us: int


async def state_at(
    uow: UnitOfWork, stream_id: str, fold: Fold[State], at_us: int = FOREVER_US
) -> Folded[State]:
    """The state of a stream after every event recorded up to a time, or now.

    Args:
        uow: an open transaction of the tenant.
        stream_id: whose state.
        fold: how to compute it.
        at_us: UTC microseconds, inclusive.
    """
    folded = await _newest_snapshot(uow, stream_id, fold, at_us)
    while True:
        page = await _page(uow, stream_id, folded, at_us)
        for event in page:
            folded = Folded(
                fold.apply(folded.state, event), event.version, event.position, event.at_us
            )
        if len(page) < PAGE:
            return folded


async def save_snapshot(
    uow: UnitOfWork, stream_id: str, fold: Fold[State], folded: Folded[State]
) -> None:
    """Keep a state, so that later reads start from it; replaces one of the same version."""
    if folded.version < 0:
        return
    state = msgspec.msgpack.encode(folded.state)
    await uow.raw.execute(
        """insert into snapshot (stream_id, version, pos, at, schema_ver, state, hash)
            values (%s, %s, %s, at_of(%s), %s, %s, %s)
            on conflict (stream_id, version) do update set schema_ver = excluded.schema_ver,
                state = excluded.state, hash = excluded.hash""",
        (
            stream_id,
            folded.version,
            folded.position,
            folded.at_us,
            fold.schema_ver,
            state,
            _hash(uow.tenant, stream_id, folded, fold.schema_ver, state),
        ),
    )


async def _newest_snapshot(
    uow: UnitOfWork, stream_id: str, fold: Fold[State], at_us: int
) -> Folded[State]:
    """The newest usable snapshot, or the initial state."""
    cursor = await uow.raw.execute(
        """select version, pos, us_of(at), state, hash from snapshot
            where stream_id = %s and schema_ver = %s and at <= at_of(%s)
            order by version desc limit 10""",
        (stream_id, fold.schema_ver, at_us),
    )
    for version, position, time_us, state, hash_ in await cursor.fetchall():
        plain = Folded(fold.initial, version, position, time_us)
        if hash_ == _hash(uow.tenant, stream_id, plain, fold.schema_ver, state):
            decoded = msgspec.msgpack.decode(state, type=fold.state_type)
            return Folded(decoded, version, position, time_us)
    return Folded(fold.initial, -1, 0, 0)


async def _page(
    uow: UnitOfWork, stream_id: str, folded: Folded[State], at_us: int
) -> list[StoredEvent]:
    """The next events of the stream; both time bounds spare the search of other months."""
    return await select(
        uow.raw,
        "where stream_id = %s and version > %s and at between at_of(%s) and at_of(%s) "
        "order by version limit %s",
        (stream_id, folded.version, folded.at_us, at_us, PAGE),
    )


def _hash(
    tenant: TenantId, stream_id: str, folded: Folded[State], schema_ver: int, state: bytes
) -> bytes:
    place = struct.pack(">qqii", folded.position, folded.at_us, folded.version, schema_ver)
    texts = b"".join(
        struct.pack(">i", len(text)) + text for text in (tenant.encode(), stream_id.encode(), state)
    )
    return hashlib.sha256(place + texts).digest()
