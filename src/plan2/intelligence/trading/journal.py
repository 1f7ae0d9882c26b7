"""The order journal: what must survive a crash is on disk here before anyone hears of it.

It does not depend on PostgreSQL. Segments are preallocated and written in full before use, then
overwritten in place through a descriptor that reaches the disk before `write` returns (O_DSYNC, or
fsync where that does not exist). Entries are drained into the event store, idempotently, and a
segment is deleted once everything in it is there.

A spare segment lies ready for the day when the disk is full: orders that add risk are refused then,
and trading halts; withdrawals, closes and what the broker answers are written into the spare, so
that the way out stays open without anything being sent that is not on disk first.

Record: u32 length, u32 CRC-32 of the rest, u64 sequence, MessagePack of a list of entries. A torn
record at the end fails its checksum and was never acknowledged; one in the middle is an error.
"""

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from plan2.foundation.durable import sync_folder
from plan2.foundation.errors import JournalLost

SEGMENT_BYTES = 4 * 1024 * 1024
SPARE_BYTES = 1024 * 1024
"""Of the spare: about a thousand orders out with all that the broker says about them."""
SPARE_NAME, NEW_NAME = "spare.segment", "new.segment"
HEADER = struct.Struct("<IIQ")
NOT_ALL = -1
"""No record's number: stands for one that the event store did not take."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One event to be kept: its stored name and version, its stream, its id, its JSON."""

    event_id: str
    stream: str
    type: str
    schema_ver: int
    correlation_id: str
    payload: bytes


class Journal(Protocol):
    """Where entries become durable."""

    def append(self, entries: Sequence[Entry], *, adds_risk: bool = False) -> int:
        """Keep all entries or none; durable when it returns. Returns the record's sequence.

        What `adds_risk` may be refused earlier than the way out.
        """
        ...

    def release(self, sequence: int) -> None:
        """This record is in the event store."""
        ...


class MemoryJournal:
    """A journal for backtests: same interface, nothing kept."""

    def __init__(self) -> None:
        self._sequence = 0

    def append(self, entries: Sequence[Entry], *, adds_risk: bool = False) -> int:  # noqa: ARG002
        """Count the record."""
        self._sequence += 1
        return self._sequence

    def release(self, sequence: int) -> None:
        """Nothing to release."""


class FileJournal:
    """The durable journal in a folder of its own.

    Raises:
        JournalLost: the folder cannot be written, or a record in the middle is damaged.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._spare = folder / SPARE_NAME
        self._segment_bytes = segment_bytes
        self._encoder = msgspec.msgpack.Encoder()
        self._fd = -1
        self._offset = self._size = 0
        self._sequence = 0
        self._segments: list[tuple[Path, int]] = []  # path and last sequence in it, oldest first
        self._released = 0
        self._unstored: set[int] = set()  # records that nobody has said to be in the event store
        self._is_short = False  # on the spare: there was no room for a segment

    def open(self) -> list[Entry]:
        """Read what earlier runs left, then start a fresh segment.

        Returns all entries found, oldest first; they may already be in the event store.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            found: list[Entry] = []
            for path in sorted(self._folder.glob("orders-*.journal")):
                entries, last = _read_segment(path)
                if not entries:
                    path.unlink()
                    continue
                found.extend(entries)
                self._sequence = max(self._sequence, last)
                self._segments.append((path, last))
            if found:
                self._unstored.add(self._sequence)
            self._start_segment()
            self._keep_spare()
        except OSError as error:
            raise JournalLost(
                f"The order journal in {self._folder} cannot be used: {error}.",
                remedy="Trading stays halted until the folder is writable and has space.",
            ) from error
        return found

    def append(self, entries: Sequence[Entry], *, adds_risk: bool = False) -> int:
        """Write one record; it is on disk when this returns.

        Raises:
            JournalLost: the disk refused; nothing counts as written. What adds risk is refused
                while only the spare is left.
        """
        body = self._encoder.encode(entries)
        sequence = self._sequence + 1
        checksum = zlib.crc32(body, zlib.crc32(sequence.to_bytes(8, "little")))
        record = HEADER.pack(len(body), checksum, sequence) + body
        try:
            if adds_risk and self._is_short:
                self._keep_spare()
                self._start_segment(len(record))
                self._is_short = False
            elif self._offset + len(record) + HEADER.size > self._size:
                self._next_segment(len(record), adds_risk=adds_risk)
            _write_at(self._fd, record, self._offset)
        except OSError as error:
            raise JournalLost(
                f"The order journal in {self._folder} refused a write: {error}.",
                remedy="Free disk space or repair the disk; trading is halted until then. "
                "Positions can still be closed while the spare of the journal lasts.",
            ) from error
        self._offset += len(record)
        self._sequence = sequence
        self._unstored.add(sequence)
        path, _ = self._segments[-1]
        self._segments[-1] = (path, sequence)
        return sequence

    def release(self, sequence: int) -> None:
        """Delete segments whose every record is in the event store."""
        self._unstored.discard(sequence)
        self._released = max(self._released, sequence)
        # A record that could not be handed over is never released: its segment stays.
        stored = min(self._released, min(self._unstored, default=self._released + 1) - 1)
        while len(self._segments) > 1 and self._segments[0][1] <= stored:
            path, _ = self._segments.pop(0)
            path.unlink(missing_ok=True)

    def release_all(self) -> None:
        """Everything found by `open` is in the event store."""
        self._unstored.clear()
        self.release(self._sequence)

    def hold(self) -> None:
        """The event store lacks something: what is written stays when this run ends."""
        self._unstored.add(NOT_ALL)

    def close(self) -> None:
        """Close the file; nothing is pending, since every append was durable.

        What is all in the event store is deleted: a next version need not be able to read it.
        """
        self._close_file()
        if not self._unstored:
            for path in (self._spare, *(path for path, _ in self._segments)):
                path.unlink(missing_ok=True)
            self._segments.clear()

    def _close_file(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _start_segment(self, least_bytes: int = 0) -> None:
        size = max(self._segment_bytes, least_bytes + 2 * HEADER.size)
        self._go_on_in(_zeros(self._folder / NEW_NAME, size), size)

    def _next_segment(self, least_bytes: int, *, adds_risk: bool) -> None:
        """A fresh segment; on a full disk the spare, for what does not add risk."""
        try:
            self._start_segment(least_bytes)
        except OSError:
            is_enough = least_bytes + HEADER.size <= SPARE_BYTES
            if adds_risk or not is_enough or not self._spare.is_file():
                raise
            self._go_on_in(self._spare, SPARE_BYTES)
            self._is_short = True

    def _keep_spare(self) -> None:
        """Lay the spare ready, written in full, unless it is there."""
        if not self._spare.is_file() or self._spare.stat().st_size != SPARE_BYTES:
            _zeros(self._folder / NEW_NAME, SPARE_BYTES).replace(self._spare)
            sync_folder(self._folder)

    def _go_on_in(self, file: Path, size: int) -> None:
        """Write from now on into a file of zeros, which becomes the segment after the last."""
        path = self._folder / f"orders-{self._sequence + 1:012d}.journal"
        self._close_file()
        if self._segments and self._segments[-1][0] == path:
            self._segments.pop()  # it holds nothing, and was too small
        file.replace(path)
        flags = os.O_RDWR | getattr(os, "O_DSYNC", 0) | getattr(os, "O_BINARY", 0)
        self._fd = os.open(path, flags)
        sync_folder(self._folder)
        self._offset, self._size = 0, size
        self._segments.append((path, self._sequence))


def _zeros(path: Path, size: int) -> Path:
    """A file of so many zeros, on disk; nothing is left of it when there is no room."""
    try:
        with path.open("wb") as file:
            file.write(bytes(size))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path


def _write_at(fd: int, record: bytes, offset: int) -> None:
    if hasattr(os, "pwrite"):
        written = os.pwrite(fd, record, offset)
    else:
        os.lseek(fd, offset, os.SEEK_SET)
        written = os.write(fd, record)
    if written != len(record):
        raise OSError(f"wrote {written} of {len(record)} bytes")
    if not hasattr(os, "O_DSYNC"):
        os.fsync(fd)


def _read_segment(path: Path) -> tuple[list[Entry], int]:
    data = path.read_bytes()
    entries: list[Entry] = []
    offset, last = 0, 0
    while offset + HEADER.size <= len(data):
        length, checksum, sequence = HEADER.unpack_from(data, offset)
        if length == 0:
            break
        end = offset + HEADER.size + length
        tail = data[offset + 8 : end]
        if end > len(data) or zlib.crc32(tail) != checksum:
            if any(data[end : end + HEADER.size]):
                raise JournalLost(
                    f"{path} is damaged at byte {offset}, and records follow.",
                    remedy="Keep the file, restore it from a backup, and reconcile by hand.",
                )
            break
        entries.extend(msgspec.msgpack.decode(data[offset + HEADER.size : end], type=list[Entry]))
        last = sequence
        offset = end
    return entries, last
