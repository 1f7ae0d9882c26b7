"""A log as one file that anybody can check: events, checkpoints, the public key, a statement.

Lines of JSON: a head, checkpoints, events in order, and an end with the SHA-256 of every byte
before it, signed. Checking needs neither database nor network.
"""

import hashlib
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.eventstore.audit import Boundary, Break, ChainReport, ChainWalk, Witness
from plan2.foundation.eventstore.checkpoints import Checkpoint, Signer, is_signed
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.values import TenantId

FORMAT: Final = 1
DOMAIN: Final = b"plan2 audit file v1\n"
LINE_MAX_BYTES: Final = 64 * 1024 * 1024

STATEMENT: Final = (
    "Every event carries a SHA-256 over its content and over the event before it. The installation "
    "signs, at most every 60 seconds or 1,000 events, how many events there are, the last hash and "
    "the Merkle root (RFC 6962), and keeps these checkpoints outside the database. Proven, if you "
    "got the public key or any checkpoint of that time by another way than this file: no event up "
    "to the last such checkpoint was changed, removed, added or moved since it was signed, by "
    "anybody, the database's administrator included. Not proven: that an event was true when it "
    "was written; events after the last checkpoint, which are chained but may be cut off; and "
    "anything against somebody who holds the signing key and can replace every copy of the "
    "checkpoints. A log without independent witnesses is a promise, not a proof: keep checkpoints "
    "with somebody else. Personal values are sealed; erasing a person destroys their key, and the "
    "chain stays whole because it covers the sealed bytes."
)
"""What the signature under a file says, and what it does not."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: whose log it is, and what the file claims."""

    plan2_audit: int
    tenant: str
    exported_us: int
    public_key: str
    statement: str
    boundary: Boundary


class EventLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event; hashes and sealed bytes in hex, the payload as the text that was hashed."""

    position: int
    at_us: int
    stream_id: str
    version: int
    event_id: str
    type: str
    schema_ver: int
    actor: str
    source_ts_ns: int
    payload: str
    prev_hash: str
    hash: str
    correlation_id: str = ""
    causation_id: str = ""
    sealed: str | None = None
    key_id: str = ""


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The last line; `signature` covers everything before it."""

    events: int
    sha256: str
    signature: str


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """Any line but the first: exactly one member is there."""

    checkpoint: Checkpoint | None = None
    event: EventLine | None = None
    end: End | None = None


class OfflineReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is worth: its chain, and whether its own signature fits."""

    chain: ChainReport
    public_key: str
    statement: str
    is_signed: bool

    @property
    def is_whole(self) -> bool:
        """Whether nothing at all is wrong with it."""
        return self.is_signed and self.chain.is_whole


def line_of_event(stored: StoredEvent) -> EventLine:
    """A stored event as a line shows it."""
    fields = msgspec.structs.asdict(stored) | {
        "payload": stored.payload.decode(),
        "sealed": stored.sealed.hex() if stored.sealed is not None else None,
        "prev_hash": stored.prev_hash.hex(),
        "hash": stored.hash.hex(),
    }
    return EventLine(**fields)


def event_of_line(line: EventLine) -> StoredEvent:
    """The stored event that a line shows.

    Raises:
        ValueError: a hash is not hex.
    """
    fields = msgspec.structs.asdict(line) | {
        "payload": line.payload.encode(),
        "sealed": bytes.fromhex(line.sealed) if line.sealed is not None else None,
        "prev_hash": bytes.fromhex(line.prev_hash),
        "hash": bytes.fromhex(line.hash),
    }
    return StoredEvent(**fields)


class AuditFileWriter:
    """Writes a file line by line and signs it at the end."""

    def __init__(self, target: BinaryIO, signer: Signer) -> None:
        self._target = target
        self._signer = signer
        self._digest = hashlib.sha256()
        self.events = 0

    def begin(self, tenant: TenantId, exported_us: int, boundary: Boundary) -> None:
        """The first line."""
        head = Head(
            plan2_audit=FORMAT,
            tenant=tenant,
            exported_us=exported_us,
            public_key=self._signer.public_key,
            statement=STATEMENT,
            boundary=boundary,
        )
        self._write(msgspec.json.encode(head))

    def add_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Lines of checkpoints, in order; before the events."""
        for each in checkpoints:
            self._write(msgspec.json.encode(Line(checkpoint=each)))

    async def add_events(self, events: AsyncIterator[StoredEvent]) -> None:
        """Lines of events, in order."""
        async for event in events:
            self.add_event(event)

    def add_event(self, event: StoredEvent) -> None:
        """The line of one event."""
        self._write(msgspec.json.encode(Line(event=line_of_event(event))))
        self.events += 1

    def finish(self) -> str:
        """The last line; returns the SHA-256 of what it signs, in hex."""
        sha256 = self._digest.digest()
        end = End(
            events=self.events,
            sha256=sha256.hex(),
            signature=self._signer.sign(DOMAIN + sha256).hex(),
        )
        self._write(msgspec.json.encode(Line(end=end)))
        return end.sha256

    def _write(self, line: bytes) -> None:
        self._target.write(line + b"\n")
        self._digest.update(line + b"\n")


def verify_file(path: Path, public_key: str = "") -> OfflineReport:
    """Check a file by itself; with a public key got elsewhere, against that key.

    Raises:
        InputError: the file cannot be read as one of ours.
    """
    try:
        with path.open("rb") as source:
            return _verified(source, public_key)
    except (OSError, msgspec.MsgspecError, ValueError, struct.error) as error:
        raise InputError(
            f"{path} is not an audit file that can be checked: {error}.",
            remedy="It is made by `plan2 audit export --out FILE`; get an unbroken copy.",
        ) from error


def _verified(source: BinaryIO, wanted_key: str) -> OfflineReport:
    first = source.readline(LINE_MAX_BYTES)
    head = msgspec.json.decode(first, type=Head)
    if head.plan2_audit != FORMAT:
        raise ValueError(f"form {head.plan2_audit} is not known here, {FORMAT} is")
    boundary = head.boundary
    if not boundary.frontier.is_sound or boundary.frontier.size != boundary.position:
        raise ValueError("its beginning does not fit together")
    key = wanted_key or head.public_key
    digest = hashlib.sha256(first)
    checkpoints: list[Checkpoint] = []
    walk: ChainWalk | None = None
    broken: Break | None = None
    end: End | None = None
    for raw, line in _lines(source):
        if line.checkpoint is not None and walk is None:
            checkpoints.append(line.checkpoint)
        elif line.event is not None:
            walk = walk or _walk(head, checkpoints, key)
            broken = broken or walk.step(event_of_line(line.event))
        elif line.end is not None:
            end = line.end
            break
        digest.update(raw)
    walk = walk or _walk(head, checkpoints, key)
    fits = (
        end is not None
        and not source.read(1)
        and end.events == walk.read
        and end.sha256 == digest.hexdigest()
        and is_signed(key, DOMAIN + digest.digest(), end.signature)
    )
    return OfflineReport(
        chain=walk.report(broken), public_key=key, statement=head.statement, is_signed=fits
    )


def _lines(source: BinaryIO) -> Iterator[tuple[bytes, Line]]:
    while raw := source.readline(LINE_MAX_BYTES):
        yield raw, msgspec.json.decode(raw, type=Line)


def _walk(head: Head, checkpoints: Sequence[Checkpoint], key: str) -> ChainWalk:
    witness = Witness(head.tenant, checkpoints, key, head.boundary)
    return ChainWalk(TenantId(head.tenant), witness, head.boundary)
