"""Signed checkpoints: what a tenant's log was at a time, noted down outside the database.

One line of JSON per checkpoint in `<folder>/<tenant>.jsonl`, each naming the hash of the one before
it and signed with Ed25519. The file only grows; a line counts once it is on the disk. A second
folder, best on another disk, gets the same lines.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.private_file import write_private
from plan2.foundation.values import TenantId

KEY_FILE: Final = "signing.key"
PUBLIC_FILE: Final = "signing.pub"
DOMAIN: Final = "plan2 checkpoint v1"
LINE_MAX_BYTES: Final = 1_024


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The log of a tenant at a time.

    Attributes:
        size: how many events it had. head_hash: hex of the last one's chain hash.
        root_hash: hex of its Merkle root (`log_tree.py` says what the leaves are).
        at_us: when it was signed, UTC microseconds.
        previous: hex of the SHA-256 of the line before this one, "" for the first.
        signature: hex, by the key whose public half is in `signing.pub`.
    """

    tenant: str
    size: int
    head_hash: str
    root_hash: str
    at_us: int
    previous: str
    signature: str = ""


def signed_text(checkpoint: Checkpoint) -> bytes:
    """The bytes that a checkpoint's signature covers."""
    fields = (
        DOMAIN,
        checkpoint.tenant,
        checkpoint.size,
        checkpoint.head_hash,
        checkpoint.root_hash,
        checkpoint.at_us,
        checkpoint.previous,
    )
    return "\n".join(str(field) for field in fields).encode()


def line_of(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as its file holds it, with the end of the line."""
    return msgspec.json.encode(checkpoint) + b"\n"


class Signer:
    """The installation's signing key, kept in a file that only its user may read."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    @classmethod
    def in_folder(cls, folder: Path) -> "Signer":
        """The key of a folder; made there when there is none.

        Raises:
            ConfigError: the file is not a key, or others may read it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / KEY_FILE
        if not path.exists():
            fresh = Ed25519PrivateKey.generate()
            write_private(path, fresh.private_bytes_raw().hex().encode())
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(
                f"{path} signs checkpoints, and other users of this machine may read it.",
                remedy=f"chmod 600 {path}, and look who could have copied it.",
            )
        try:
            key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii")))
        except ValueError as error:
            raise ConfigError(
                f"{path} is not a signing key (64 hex digits are expected).",
                remedy="Restore it from a backup, or move it away to get a new one.",
            ) from error
        signer = cls(key)
        (folder / PUBLIC_FILE).write_text(signer.public_key + "\n", encoding="ascii")
        return signer

    def signed(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with its signature."""
        return msgspec.structs.replace(
            checkpoint, signature=self.sign(signed_text(checkpoint)).hex()
        )

    def sign(self, text: bytes) -> bytes:
        """The signature of any bytes; say in them what they are."""
        return self._key.sign(text)


def is_signed(public_key: str, text: bytes, signature: str) -> bool:
    """Whether a signature in hex fits."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_checkpoints(lines: Sequence[Checkpoint], public_key: str, tenant: TenantId | str) -> str:
    """What is wrong with a tenant's checkpoints among themselves; "" when nothing is."""
    last: Checkpoint | None = None
    for number, each in enumerate(lines, 1):
        expected = hashlib.sha256(line_of(last)).hexdigest() if last else ""
        if each.tenant != tenant:
            return f"checkpoint {number} is of tenant {each.tenant}, not {tenant}"
        if each.previous != expected:
            return f"checkpoint {number} does not follow the one before it"
        if last is not None and each.size <= last.size:
            return f"checkpoint {number} covers {each.size} events, the one before {last.size}"
        if not is_signed(public_key, signed_text(each), each.signature):
            return f"the signature of checkpoint {number} does not fit"
        last = each
    return ""


class CheckpointFile:
    """The checkpoints of one tenant in one folder."""

    def __init__(self, folder: Path, tenant: TenantId) -> None:
        self.path = folder / f"{tenant}.jsonl"

    def read(self) -> list[Checkpoint]:
        """Every checkpoint, oldest first; a torn last line was never acknowledged and is left out.

        Raises:
            InputError: a line before the last is not a checkpoint.
        """
        if not self.path.exists():
            return []
        return self._decoded(self.path.read_bytes().splitlines(keepends=True))

    def newest(self, limit: int = 1) -> list[Checkpoint]:
        """The last checkpoints, oldest first; reads only the end of the file.

        Raises:
            InputError: one of them is not a checkpoint.
        """
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - (limit + 1) * LINE_MAX_BYTES)
            file.seek(start)
            lines = file.read().splitlines(keepends=True)
        if start:
            del lines[0]  # most likely the end of a line only
        return self._decoded(lines)[-limit:]

    def append(self, checkpoint: Checkpoint) -> None:
        """Add a line; it is on the disk when this returns.

        Raises:
            OSError: the disk refused.
        """
        self._write(line_of(checkpoint))

    def copy_missing(self, original: "CheckpointFile") -> None:
        """Add whatever the original has beyond this copy; on the disk when this returns.

        Raises:
            OSError: the disk refused, or this is not a beginning of the original.
        """
        mine = self.path.read_bytes() if self.path.exists() else b""
        theirs = original.path.read_bytes()
        mine = mine[: mine.rfind(b"\n") + 1]
        if not theirs.startswith(mine):
            raise OSError(f"{self.path} is not a copy of {original.path}: one was changed")
        if len(theirs) > len(mine):
            self._write(theirs[len(mine) :])

    def _decoded(self, lines: Sequence[bytes]) -> list[Checkpoint]:
        found: list[Checkpoint] = []
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                break
            try:
                found.append(msgspec.json.decode(line, type=Checkpoint))
            except msgspec.MsgspecError as error:
                raise InputError(
                    f"Line {number} of {self.path} is not a checkpoint: {error}.",
                    remedy="Somebody changed the file; compare it with its second copy.",
                ) from error
        return found

    def _write(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self.path, flags, 0o644), "a+b") as file:
            _cut_torn_line(file.fileno())
            file.write(content)  # unlike `os.write`, all of it or an error: a disk may be full
            file.flush()
            os.fsync(file.fileno())


def _cut_torn_line(descriptor: int) -> None:
    """Remove what a crash left of a line that was never acknowledged."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return
    start = max(0, size - LINE_MAX_BYTES)
    os.lseek(descriptor, start, os.SEEK_SET)
    tail = os.read(descriptor, size - start)
    end = tail.rfind(b"\n") + 1
    if end != len(tail):
        os.ftruncate(descriptor, start + end)
