"""One Plan2 per data folder: a lock file that the operating system releases with the process.

The lock dies with its holder, so there is nothing to clean up after a crash. The file holds the
pid of the holder for the message only; the truth is the lock. Locks are per open file, so a child
must not inherit it: Python's files are not inheritable unless asked, and we never `fork`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from plan2.foundation.errors import ConfigError

if sys.platform == "win32":
    import msvcrt

    LOCKED_BYTE = 1 << 30
    """Far beyond the text, because a locked byte of Windows cannot be read by others."""

    def _try_lock(file: IO[str]) -> bool:
        file.seek(LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # gives up with OSError after ten seconds

else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def exclusively(path: Path) -> Iterator[int]:
    """A descriptor of a file that no other process has this way, for reading and appending.

    Waits until the others are done; the file is created when it is missing.

    Raises:
        OSError: it cannot be opened or locked.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        _wait_for_lock(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


class DataDirLock:
    """The right to write in a data folder; a context manager, or `try_acquire` and `release`."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "plan2.lock"
        self._file: IO[str] | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def try_acquire(self) -> bool:
        """Take the lock if it is free; creates the folder when it is missing."""
        _make_private(self.path.parent)
        # Opened for update and not for writing: the holder's pid must survive our attempt.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "r+", encoding="ascii")
        if not _try_lock(file):
            file.close()
            return False
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return True

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            ConfigError: another process holds it; the message names its pid.
        """
        if not self.try_acquire():
            raise self.refusal()

    def refusal(self) -> ConfigError:
        """The error that says who holds the lock."""
        return ConfigError(
            f"The data folder {self.path.parent} is in use by another Plan2 "
            f"(process {self.holder() or 'unknown'}).",
            remedy="Stop that one, or give this one its own folder with PLAN2_DATA_DIR.",
        )

    def holder(self) -> int | None:
        """The pid written by the last holder, which may be gone; None when unreadable."""
        try:
            return int(self.path.read_text(encoding="ascii").split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _make_private(folder: Path) -> None:
    """Create the data folder closed to others; root's lets its database server's user through."""
    is_root = sys.platform != "win32" and os.geteuid() == 0
    folder.mkdir(mode=0o711 if is_root else 0o700, parents=True, exist_ok=True)
