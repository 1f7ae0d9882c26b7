"""A file of entries that can be added to and read, never changed: each line seals those before it.

A line holds an entry (JSON), its number and the SHA-256 of the line before it together with the
entry. Changing, dropping or reordering a line breaks every seal after it, which reading finds. Cut
off lines at the end are not found by the file alone; whoever needs that keeps `len` elsewhere too.
Several processes may add at the same time.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.errors import InvariantBroken
from plan2.foundation.lock import exclusively

START: Final = "0" * 64
"""The seal that the first line follows."""
_READ_BYTES: Final = 65_536


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    seal: str
    entry: msgspec.Raw


class ChainedFile:
    """Entries of JSON in one file; its folder is made when it is first written to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, entry: bytes) -> int:
        """Write an entry, JSON on one line, at the end and return its number, from 1.

        It is on the disk when this returns. What a crash left of a line is removed first.

        Raises:
            InvariantBroken: the last line cannot be read.
            OSError: the disk refused.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with exclusively(self._path) as descriptor:
            last = self._last(descriptor)
            number, seal = (last.number, last.seal) if last is not None else (0, START)
            line = _Line(number=number + 1, seal=_seal(seal, entry), entry=msgspec.Raw(entry))
            rest = memoryview(msgspec.json.encode(line) + b"\n")
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        return line.number

    def entries(self) -> list[bytes]:
        """All entries, oldest first; a line that a crash tore is not one.

        Raises:
            InvariantBroken: a line was changed, dropped or moved; the message says which.
        """
        if not self._path.exists():
            return []
        lines = self._path.read_bytes().split(b"\n")[:-1]
        found, seal = [], START
        for number, text in enumerate(lines, 1):
            line = self._read(text, number)
            entry = bytes(line.entry)
            seal = _seal(seal, entry)
            if line.number != number or line.seal != seal:
                raise self._broken(number, "its seal does not follow from the lines before it")
            found.append(entry)
        return found

    def _last(self, descriptor: int) -> _Line | None:
        """The last whole line; bytes after it are cut off."""
        tail, end = b"", os.lseek(descriptor, 0, os.SEEK_END)
        start = end
        while start > 0 and tail.count(b"\n") < 2:
            count = min(_READ_BYTES, start)
            start -= count
            os.lseek(descriptor, start, os.SEEK_SET)
            tail = os.read(descriptor, count) + tail
        whole, _, torn = tail.rpartition(b"\n")
        if torn:
            os.truncate(descriptor, end - len(torn))
        return self._read(whole.rpartition(b"\n")[2], None) if whole else None

    def _read(self, text: bytes, number: int | None) -> _Line:
        try:
            return msgspec.json.decode(text, type=_Line)
        except msgspec.MsgspecError as error:
            raise self._broken(number, str(error)) from error

    def _broken(self, number: int | None, why: str) -> InvariantBroken:
        place = "the last line" if number is None else f"line {number}"
        return InvariantBroken(
            f"{self._path}: {place} is not what was written, {why}.",
            remedy="Restore the file from a backup; it must never be edited.",
        )


def _seal(before: str, entry: bytes) -> str:
    return hashlib.sha256(before.encode("ascii") + entry).hexdigest()
