"""What goes into the event store, what comes out, and the bytes that its hash chain covers.

Stream versions count from 0; positions count from 1 per tenant, without gaps, in order of commit.
"""

import enum
import hashlib
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from plan2.foundation.errors import EventIdReused, InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import NAME_OF, STORED
from plan2.foundation.values import TenantId

GENESIS = b""
"""What the hash of the first event is chained to."""


class Expected(enum.IntEnum):
    """What must be true of a stream before an append; a plain number ≥ 0 is an exact version."""

    NONE = -1
    """It has no event yet."""
    ANY = -2
    """Nothing in particular."""
    EXISTS = -4
    """It has at least one event."""


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way into the store.

    Attributes:
        stream_id: what it is about, such as `account:4711` or `order:…`.
        event: the fact; its class must be in the catalogue.
        event_id: 32 hex digits; sending the same id again is harmless.
        expected: version of the stream before this event, or an `Expected`.
        actor: who caused it: user, key, strategy or "system".
        correlation_id: what it belongs to (a decision, a request).
        causation_id: the event or command that led to it.
        sealed: personal data, encrypted; covered by the hash as it is; empty counts as none.
        key_id: which key seals it.
    """

    stream_id: str
    event: Event
    event_id: str
    expected: int = Expected.ANY
    actor: str = "system"
    correlation_id: str = ""
    causation_id: str = ""
    sealed: bytes | None = None
    key_id: str = ""


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the store keeps it.

    Attributes:
        position: its place in the tenant's log, from 1.
        at_us: when it was recorded, UTC microseconds; strictly increasing with the position.
        version: its place in the stream, from 0.
        source_ts_ns: the time it speaks of, UTC nanoseconds.
        payload: the event as JSON, exactly the bytes that were hashed.
        prev_hash, hash: the chain, SHA-256.
    """

    position: int
    at_us: int
    stream_id: str
    version: int
    event_id: str
    type: str
    schema_ver: int
    actor: str
    correlation_id: str
    causation_id: str
    source_ts_ns: int
    payload: bytes
    sealed: bytes | None
    key_id: str
    prev_hash: bytes
    hash: bytes

    @property
    def data(self) -> dict[str, Any]:
        """The payload as plain data, in the shape of its own schema version."""
        decoded: dict[str, Any] = msgspec.json.decode(self.payload)  # any JSON value
        return decoded


@dataclass(frozen=True, slots=True)
class Encoded:
    """A new event with its payload as bytes, checked to be readable again."""

    new: NewEvent
    type: str
    schema_ver: int
    payload: bytes


def encode(new: NewEvent) -> Encoded:
    """Serialise an event and prove that it can be read back.

    Raises:
        InputError: its class is not in the catalogue, a field has the wrong type or is not a
            number (JSON knows no NaN), or an id is malformed.
    """
    name = NAME_OF.get(new.event.__class__)
    if name is None:
        raise InputError(f"{new.event.__class__.__name__} is not an event that is stored.")
    schema_ver, cls = STORED[name]
    try:
        uuid.UUID(hex=new.event_id)
        payload = msgspec.json.encode(new.event)
        msgspec.json.decode(payload, type=cls)
        for text in (new.stream_id, new.actor, new.correlation_id, new.causation_id, new.key_id):
            _check_text(text)
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise InputError(
            f"A {name} of stream {new.stream_id} cannot be stored: {error}."
        ) from error
    if new.sealed == b"":
        new = msgspec.structs.replace(
            new, sealed=None
        )  # the hash does not tell them apart, so nothing may
    return Encoded(new, name, schema_ver, payload)


def as_stored(
    each: Encoded, position: int, at_us: int, version: int, prev_hash: bytes, hash_: bytes
) -> StoredEvent:
    """The event with the place in log, time, stream and chain that the store gave it."""
    new = each.new
    return StoredEvent(
        position=position,
        at_us=at_us,
        stream_id=new.stream_id,
        version=version,
        event_id=new.event_id,
        type=each.type,
        schema_ver=each.schema_ver,
        actor=new.actor,
        correlation_id=new.correlation_id,
        causation_id=new.causation_id,
        source_ts_ns=new.event.ts_ns,
        payload=each.payload,
        sealed=new.sealed,
        key_id=new.key_id,
        prev_hash=prev_hash,
        hash=hash_,
    )


def chain_hash(tenant: TenantId, stored: StoredEvent) -> bytes:
    """The hash that this event must carry; twin of `append_events` in the migrations.

    SHA-256 over the previous hash, the numbers (big-endian), and each text preceded by its length.
    """
    body = struct.pack(
        ">qqiiq",
        stored.position,
        stored.at_us,
        stored.version,
        stored.schema_ver,
        stored.source_ts_ns,
    )
    texts = (
        tenant.encode(),
        stored.stream_id.encode(),
        stored.type.encode(),
        stored.actor.encode(),
        stored.correlation_id.encode(),
        stored.causation_id.encode(),
        stored.payload,
        stored.key_id.encode(),
    )
    framed = b"".join(struct.pack(">i", len(text)) + text for text in texts)
    event_id = uuid.UUID(hex=stored.event_id).bytes
    return hashlib.sha256(
        stored.prev_hash + body + event_id + framed + (stored.sealed or b"")
    ).digest()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError(f"{text!r} contains the character NUL")
    text.encode()


def without_repeats(batch: Sequence[Encoded]) -> tuple[list[Encoded], list[int]]:
    """The batch with each event id once, and for each original event its index there.

    Raises:
        EventIdReused: two events of the batch share an id and differ.
    """
    first: dict[str, int] = {}
    unique: list[Encoded] = []
    places: list[int] = []
    for each in batch:
        place = first.setdefault(each.new.event_id, len(unique))
        if place == len(unique):
            unique.append(each)
        elif (unique[place].new.stream_id, unique[place].payload) != (
            each.new.stream_id,
            each.payload,
        ):
            raise EventIdReused(f"event id {each.new.event_id} is used for two different events")
        places.append(place)
    return unique, places


def distinct_streams(batch: Sequence[Encoded]) -> dict[str, int]:
    """Each stream of a batch and its number from 1, in order of appearance."""
    streams: dict[str, int] = {}
    for each in batch:
        streams.setdefault(each.new.stream_id, len(streams) + 1)
    return streams
