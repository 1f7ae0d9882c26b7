"""Who was erased, kept outside the database: replayed after every restore of an older backup.

One line of JSON per erasure, with pseudonyms only; a line that is whole stays for good.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId

FILE_NAME: Final = "erasures.jsonl"


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """A person of a tenant was erased at a time, UTC microseconds."""

    tenant: TenantId
    subject: str
    erased_us: int


class ErasureLedger:
    """The file beside the checkpoints.

    Args:
        folder: where it lies. second: another folder that gets the same lines.
    """

    def __init__(self, folder: Path, second: Path | None = None) -> None:
        self._paths = [each / FILE_NAME for each in (folder, second) if each is not None]

    def add(self, erasure: Erasure) -> None:
        """Write a line down everywhere; on the disk when this returns.

        Raises:
            OSError: a disk refused.
        """
        for path in self._paths:
            append_line(path, msgspec.json.encode(erasure))

    def of(self, tenant: TenantId) -> list[Erasure]:
        """A tenant's erasures, oldest first, from every copy, each person once.

        Raises:
            InputError: a line is broken, so somebody might be forgotten.
        """
        found: dict[str, Erasure] = {}
        for path in self._paths:
            for erasure in _read(path):
                if erasure.tenant == tenant:
                    found.setdefault(erasure.subject, erasure)
        return list(found.values())


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a private file; on the disk when this returns.

    Raises:
        OSError: the disk refused.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _cut_torn_line(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def whole_lines(path: Path) -> list[bytes]:
    """Every line that was acknowledged; none without the file."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()  # a crash tore it: what it begins was not acknowledged
    return lines


def _cut_torn_line(path: Path) -> None:
    """Remove what a crash left of a line; the next one would make an unreadable whole with it."""
    lines = path.read_bytes() if path.exists() else b""
    if lines and not lines.endswith(b"\n"):
        os.truncate(path, lines.rfind(b"\n") + 1)


def _read(path: Path) -> list[Erasure]:
    try:
        return [msgspec.json.decode(line, type=Erasure) for line in whole_lines(path)]
    except msgspec.MsgspecError as error:
        raise InputError(
            f"The list of erased people {path} is damaged: {error}.",
            remedy="Restore it from its copy; without it a restored backup brings people back.",
        ) from error
