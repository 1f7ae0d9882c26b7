"""The audit file: checked by itself, against another key, and with anything changed in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.audit import WHOLE, Boundary
from plan2.foundation.eventstore.audit_file import (
    STATEMENT,
    AuditFileWriter,
    event_of_line,
    line_of_event,
    verify_file,
)
from plan2.foundation.eventstore.checkpoints import Checkpoint, Signer
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.merkle import Frontier, leaf_hash
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.values import TenantId

MAIN = TenantId("main")


async def log(count: int) -> list[StoredEvent]:
    """A log with texts of every kind and sealed bytes."""
    store = InMemoryEventStore(SimulatedClock())
    batch = [
        NewEvent(
            stream_id=f"s{number % 2}",
            event=OrderSent(ts_ns=number, order_id="é\n\u2028", account_id="a", symbol='"'),
            event_id=derived_id("file", number),
            correlation_id="c" * (number % 3),
            sealed=bytes([0, 255, number]) if number % 4 == 0 else None,
            key_id="u" if number % 4 == 0 else "",
        )
        for number in range(count)
    ]
    return await store.append(MAIN, batch)


def frontier_of(events: list[StoredEvent]) -> Frontier:
    """The Merkle tree of some events from the first on."""
    frontier = Frontier()
    for event in events:
        frontier.append(leaf_hash(event.hash))
    return frontier


def signed(signer: Signer, events: list[StoredEvent], at_us: int = 5) -> Checkpoint:
    """A first checkpoint over some events."""
    return signer.signed(
        Checkpoint(
            tenant=MAIN,
            size=events[-1].position,
            head_hash=events[-1].hash.hex(),
            root_hash=frontier_of(events).root().hex(),
            at_us=at_us,
            previous="",
        )
    )


async def written(
    path: Path, signer: Signer, events: list[StoredEvent], boundary: Boundary = WHOLE
) -> Path:
    """A file of a log with one checkpoint over its first seven events."""

    async def each() -> AsyncIterator[StoredEvent]:
        for event in events[boundary.position :]:
            yield event

    with path.open("wb") as target:
        writer = AuditFileWriter(target, signer)
        writer.begin(MAIN, 7, boundary)
        writer.add_checkpoints([signed(signer, events[:7])])
        await writer.add_events(each())
        writer.finish()
    return path


async def test_a_file_proves_itself(tmp_path: Path) -> None:
    """Chain, checkpoint and signature fit; the statement is in it; a given key is used."""
    signer = Signer.in_folder(tmp_path)
    path = await written(tmp_path / "a.jsonl", signer, await log(10))
    for key in ("", signer.public_key):
        report = verify_file(path, key)
        assert report.is_whole, report
        assert (report.chain.events, report.chain.checkpoints) == (10, 1)
    assert report.statement == STATEMENT
    stranger = Signer.in_folder(tmp_path / "other")
    report = verify_file(path, stranger.public_key)
    assert not report.is_whole
    assert not report.is_signed


async def test_any_changed_byte_is_found(tmp_path: Path) -> None:
    """Every 7th byte of the whole file, each bent once: never whole, and never a traceback."""
    signer = Signer.in_folder(tmp_path)
    good = (await written(tmp_path / "a.jsonl", signer, await log(8))).read_bytes()
    bad = tmp_path / "b.jsonl"
    passed = []
    for place in range(0, len(good), 7):
        bad.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        try:
            is_whole = verify_file(bad).is_whole
        except InputError:
            is_whole = False
        if is_whole:
            passed.append((place, good[place - 20 : place + 5]))
    assert passed == []


async def test_a_removed_a_changed_and_a_foreign_line(tmp_path: Path) -> None:
    """The chain names the place; signing anew does not help without the checkpoint's key."""
    signer, forger = Signer.in_folder(tmp_path), Signer.in_folder(tmp_path / "f")
    events = await log(9)
    lines = (await written(tmp_path / "a.jsonl", signer, events)).read_bytes().splitlines(True)
    path = tmp_path / "b.jsonl"
    path.write_bytes(b"".join(lines[:4] + lines[5:]))
    broken = verify_file(path).chain.broken
    assert broken is not None
    assert broken.position == 4
    path.write_bytes(b"".join(lines[:-2] + lines[-1:]))  # the last event is gone
    assert not verify_file(path).is_signed
    path.write_bytes(b"".join(lines) + b"{}\n")
    assert not verify_file(path).is_signed
    path.write_bytes(b"")
    with pytest.raises(InputError, match="audit export"):
        verify_file(path)
    # A forger who re-signs everything with a key of their own is found by the key one knows.
    await written(path, forger, events)
    assert verify_file(path).is_whole
    assert not verify_file(path, signer.public_key).is_whole


async def test_a_log_whose_beginning_was_archived(tmp_path: Path) -> None:
    """The boundary carries hash, time and tree; a bent boundary is found."""
    signer, events = Signer.in_folder(tmp_path), await log(10)
    boundary = Boundary(
        position=4, at_us=events[3].at_us, hash=events[3].hash, frontier=frontier_of(events[:4])
    )
    path = await written(tmp_path / "a.jsonl", signer, events, boundary)
    report = verify_file(path)
    assert (report.is_whole, report.chain.events, report.chain.checkpoints) == (True, 6, 1)
    wrong = msgspec.structs.replace(boundary, frontier=frontier_of(events[1:5]))
    path = await written(tmp_path / "b.jsonl", signer, events, wrong)
    report = verify_file(path)
    assert report.chain.broken is not None
    assert "written anew" in report.chain.broken.reason


async def test_an_event_comes_back_from_its_line() -> None:
    """Bit for bit, sealed or not."""
    for event in await log(8):
        line = msgspec.json.decode(
            msgspec.json.encode(line_of_event(event)), type=type(line_of_event(event))
        )
        assert event_of_line(line) == event
