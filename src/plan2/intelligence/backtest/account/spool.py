"""Rows of one kind in order: the newest in memory, the older ones in a file without a name.

So a run over years holds as much memory as one over a day; the file is gone with the process.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

Kept = npt.NDArray[np.void]
IN_MEMORY: Final = 65_536
"""Rows that are held before they are written, and read back at a time."""


class Spool:
    """Takes rows of a record type and gives them back.

    Args:
        folder: where the file is made once it is needed; None = where temporary files go.
    """

    def __init__(self, kind: np.dtype[np.void], folder: Path | None) -> None:
        self._kind = kind
        self._folder = folder
        self._held: list[Kept] = []
        self._count = 0
        self._file: IO[Any] | None = None  # bytes, which no stub of tempfile says

    def add(self, rows: Kept) -> None:
        """Take rows, which nobody may change afterwards.

        Raises:
            OSError: the disk is full.
        """
        self._held.append(rows)
        self._count += len(rows)
        if self._count >= IN_MEMORY:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._usable())  # noqa: SIM115 - it stays
            for part in self._held:
                self._file.write(part.tobytes())
            self._held, self._count = [], 0

    def parts(self) -> Iterator[Kept]:
        """All rows in order, in pieces; at least one piece, which may be empty."""
        if self._file is not None:
            self._file.seek(0)
            while data := self._file.read(IN_MEMORY * self._kind.itemsize):
                yield np.frombuffer(data, self._kind)
        yield np.concatenate(self._held) if self._held else np.zeros(0, self._kind)

    def _usable(self) -> Path | None:
        return self._folder if self._folder is not None and self._folder.is_dir() else None
