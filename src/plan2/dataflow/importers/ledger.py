"""The list of files that were imported, `<data_dir>/archive/imports.jsonl`, one line each.

It only remembers; what counts as new is decided by the archive itself, tick by tick. A last line
that a crash cut off is passed over.
"""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from plan2.foundation.errors import StoreBusy


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One import that was stored; times ISO 8601 UTC, counts in rows of the file."""

    sha256: str
    symbol: str
    kind: str
    file: str
    format: str
    clock: str
    rows: int
    rejected: int
    added: int
    first: str | None
    last: str | None
    imported_ts_ns: int


class Ledger:
    """Read once, appended to after each import."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "archive" / "imports.jsonl"
        self._known = {(entry.sha256, entry.symbol, entry.clock) for entry in self.entries()}

    def entries(self) -> list[Entry]:
        """Every import so far, oldest first."""
        entries = []
        if self._path.exists():
            for line in self._path.read_bytes().splitlines():
                with suppress(msgspec.DecodeError):
                    entries.append(msgspec.json.decode(line, type=Entry))
        return entries

    def has(self, sha256: str, symbol: str, clock: str) -> bool:
        """Whether the same bytes were imported as this symbol and in this clock before."""
        return (sha256, symbol, clock) in self._known

    def add(self, entry: Entry) -> None:
        """Note an import, durably.

        Raises:
            StoreBusy: the file cannot be written; the archive itself is complete.
        """
        # The leading line feed ends a line that a crash may have cut off; blank lines are ignored.
        line = b"\n" + msgspec.json.encode(entry) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreBusy(
                f"The ticks are stored, but {self._path} cannot be written: {error}."
            ) from error
        self._known.add((entry.sha256, entry.symbol, entry.clock))
