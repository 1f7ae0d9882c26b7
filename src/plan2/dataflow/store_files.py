"""Files of a store: a folder per symbol, one writer at a time, new versions that appear whole.

A reader never sees half a file: a new version is written beside the old one, flushed to disk, and
then takes its name. What a killed writer left behind is removed by the next one.
"""

import os
import string
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import unquote

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import StoreBusy
from plan2.foundation.lock import DataDirLock
from plan2.foundation.values import NS_PER_SECOND

PLAIN = frozenset(string.ascii_letters + string.digits + "_-+#&")
"""Characters that every file system takes as they are."""

LOCK_POLL_S = 0.02


def folder_of(symbol: str) -> str:
    """The folder name of a symbol; every character outside `PLAIN` and inner dots is escaped."""
    escaped = [
        char
        if char in PLAIN or (char == "." and 0 < index < len(symbol) - 1)
        else "".join(f"%{byte:02X}" for byte in char.encode())
        for index, char in enumerate(symbol)
    ]
    return "".join(escaped)


def symbol_of(folder: str) -> str:
    """The symbol that `folder_of` made this name from."""
    return unquote(folder)


def symbols_in(root: Path) -> tuple[str, ...]:
    """The symbols that have a folder under `root`, sorted."""
    if not root.is_dir():
        return ()
    return tuple(sorted(symbol_of(entry.name) for entry in root.iterdir() if entry.is_dir()))


@contextmanager
def writable(folder: Path, wait_s: float) -> Iterator[None]:
    """Be the only writer of `folder`, which is created when missing.

    Raises:
        StoreBusy: another writer holds the folder longer than `wait_s`, the disk is full, or the
            folder may not be written; the message says which.
    """
    with _told_plainly(folder):
        lock = DataDirLock(folder)
        deadline_ns = stopwatch_ns() + int(wait_s * NS_PER_SECOND)
        while not lock.try_acquire():
            if stopwatch_ns() >= deadline_ns:
                raise StoreBusy(
                    f"{folder} is being written by another Plan2 (process {lock.holder()}).",
                    remedy="Try again when it has finished.",
                )
            time.sleep(LOCK_POLL_S)
        try:
            for left_behind in folder.glob(".*.tmp"):
                left_behind.unlink()
            yield
        finally:
            lock.release()


class StagedFiles:
    """New versions of files that take their names together in `commit`.

    Until then the old versions stand. `discard` forgets what was not committed.
    """

    def __init__(self) -> None:
        self._staged: dict[Path, Path] = {}

    def newest(self, path: Path) -> Path:
        """Where the newest version of `path` lies: staged here, or in its place."""
        return self._staged.get(path, path)

    def stage(self, path: Path, write: Callable[[Path], None]) -> None:
        """Let `write` make a new version of `path` beside it, and flush that to the disk."""
        beside = path.with_name(f".{path.name}.{len(self._staged)}.tmp")
        with ExitStack() as unfinished:
            unfinished.callback(beside.unlink, missing_ok=True)
            write(beside)
            _flush(beside)
            unfinished.pop_all()
        earlier = self._staged.get(path)
        if earlier is not None:
            beside.replace(earlier)
        else:
            self._staged[path] = beside

    def commit(self) -> None:
        """Give every staged version its name.

        Each file is either old or new. A crash in this moment may leave some old and some new;
        as merging is idempotent, the same write completes it.
        """
        for path, beside in self._staged.items():
            beside.replace(path)
        for folder in {path.parent for path in self._staged}:
            _flush_folder(folder)
        self._staged.clear()

    def discard(self) -> None:
        """Remove what was staged and not committed."""
        for beside in self._staged.values():
            beside.unlink(missing_ok=True)
        self._staged.clear()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle on a folder to flush; its journal orders renames
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told_plainly(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreBusy(
            f"Cannot write in {folder}: {error.strerror or error}. Nothing was changed there.",
            remedy="Free space or give the right to write, then do the same again.",
        ) from error
