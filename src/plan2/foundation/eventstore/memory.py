"""The event store in memory: the same rules without a database, for tests and backtests.

One contract suite runs against both stores, so neither can drift from the other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import EventIdReused, VersionConflict
from plan2.foundation.eventstore.record import (
    GENESIS,
    Encoded,
    Expected,
    NewEvent,
    StoredEvent,
    as_stored,
    chain_hash,
    encode,
    without_repeats,
)
from plan2.foundation.values import TenantId

REMEMBERED = ("stream_id", "actor", "correlation_id", "causation_id")
"""What must be the same, besides type and payload, when an event id comes again."""


@dataclass(slots=True)
class _Log:
    """One tenant's events, the versions of its streams, and its events by id."""

    events: list[StoredEvent] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    by_id: dict[str, StoredEvent] = field(default_factory=dict)


class InMemoryEventStore:
    """An event store that forgets everything with the process.

    Args:
        clock: gives events the time of their recording.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logs: dict[TenantId, _Log] = {}

    async def append(self, tenant: TenantId, batch: Sequence[NewEvent]) -> list[StoredEvent]:
        """See `EventStore.append`."""
        return await self.append_encoded(tenant, [encode(each) for each in batch])

    async def append_encoded(self, tenant: TenantId, batch: Sequence[Encoded]) -> list[StoredEvent]:
        """See `EventStore.append_encoded`."""
        log = self._logs.setdefault(tenant, _Log())
        unique, places = without_repeats(batch)
        versions = dict(log.versions)
        answers: list[StoredEvent] = []
        fresh: list[StoredEvent] = []
        for each in unique:
            known = log.by_id.get(each.new.event_id)
            if known is not None:
                _check_repeat(each, known)
                place = (known.position, known.at_us, known.version, known.prev_hash, known.hash)
                answers.append(as_stored(each, *place))
                continue
            _check_version(each, versions.get(each.new.stream_id, -1))
            last = fresh[-1] if fresh else (log.events[-1] if log.events else None)
            versions[each.new.stream_id] = versions.get(each.new.stream_id, -1) + 1
            fresh.append(self._place(tenant, each, last, versions[each.new.stream_id]))
            answers.append(fresh[-1])
        log.versions = versions
        log.events.extend(fresh)
        log.by_id.update((stored.event_id, stored) for stored in fresh)
        return [answers[place] for place in places]

    async def read_stream(
        self, tenant: TenantId, stream_id: str, *, from_version: int = 0, limit: int = 10_000
    ) -> list[StoredEvent]:
        """See `EventStore.read_stream`."""
        mine = [each for each in self._events(tenant) if each.stream_id == stream_id]
        return mine[from_version : from_version + limit]

    async def tail(
        self, tenant: TenantId, after_position: int, limit: int = 1_000, *, since_us: int = 0
    ) -> list[StoredEvent]:
        """See `EventStore.tail`."""
        found = self._events(tenant)[after_position : after_position + limit]
        return [each for each in found if each.at_us >= since_us]

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
        found = self._events(tenant)[after : None if before is None else max(before - 1, 0)]
        if newest_first:
            found.reverse()
        return [each for each in found if not types or each.type in types][:limit]

    async def position(self, tenant: TenantId) -> int:
        """See `EventStore.position`."""
        return len(self._events(tenant))

    async def seen(self, tenant: TenantId, event_ids: Collection[str]) -> set[str]:
        """See `EventStore.seen`."""
        return {event.event_id for event in self._events(tenant)} & set(event_ids)

    def _events(self, tenant: TenantId) -> list[StoredEvent]:
        log = self._logs.get(tenant)
        return log.events if log else []

    def _place(
        self, tenant: TenantId, each: Encoded, last: StoredEvent | None, version: int
    ) -> StoredEvent:
        now_us = self._clock.now_ns() // 1_000
        stored = as_stored(
            each,
            position=last.position + 1 if last else 1,
            at_us=max(now_us, last.at_us + 1 if last else 1),
            version=version,
            prev_hash=last.hash if last else GENESIS,
            hash_=b"",
        )
        return msgspec.structs.replace(stored, hash=chain_hash(tenant, stored))


def _check_repeat(each: Encoded, known: StoredEvent) -> None:
    is_same = (each.type, each.schema_ver, each.payload) == (
        known.type,
        known.schema_ver,
        known.payload,
    ) and all(getattr(each.new, name) == getattr(known, name) for name in REMEMBERED)
    if each.new.expected >= Expected.NONE:
        is_same = is_same and known.version == each.new.expected + 1
    if not is_same:
        raise EventIdReused(f"event id {known.event_id} was used before for something else")


def _check_version(each: Encoded, found: int) -> None:
    wanted = each.new.expected
    exact_fails = wanted >= Expected.NONE and found != wanted
    if exact_fails or (wanted == Expected.EXISTS and found < 0):
        raise VersionConflict(
            f"stream {each.new.stream_id} is at version {found}, expected {int(wanted)}"
        )
