"""A file as the user gives it: plain, gzip or zip, opened as the data inside.

A zip must hold exactly one file of data; a description beside it (.txt, .md) is passed over.
"""

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, Final, cast

from plan2.foundation.errors import InputError

GZIP_MAGIC: Final = b"\x1f\x8b"
ZIP_MAGIC: Final = b"PK\x03\x04"
HEAD_BYTES: Final = 65_536
HASH_BLOCK_BYTES: Final = 1 << 20
DESCRIPTIONS: Final = frozenset({".txt", ".md", ".pdf", ".html"})


class UnknownFormat(InputError):
    """The file holds nothing that we know; in a folder such files are passed over."""

    code = "format_unknown"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of market data.

    Attributes:
        path: the file on the disk.
        inner: absolute path whose name and folders describe the data: without `.gz`, or into a zip.
        member: the zip's member, empty for anything else. is_gzip: whether to decompress.
        head: the first bytes of the data, at most HEAD_BYTES.
    """

    path: Path
    inner: PurePath
    member: str
    is_gzip: bool
    head: bytes

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The data as a stream of bytes.

        Raises:
            InputError: the file cannot be read or its compression is damaged.
        """
        with _told_plainly(self.path):
            if self.member:
                with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as inside:
                    yield cast("BinaryIO", inside)
            elif self.is_gzip:
                with gzip.open(self.path) as unpacked:
                    yield cast("BinaryIO", unpacked)
            else:
                with self.path.open("rb") as plain:
                    yield plain

    def sha256(self) -> str:
        """Hex digest of the file as it lies on the disk."""
        digest = hashlib.sha256()
        with _told_plainly(self.path), self.path.open("rb") as file:
            while block := file.read(HASH_BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def refuse(self, reason: str, remedy: str = "") -> InputError:
        """The error that says why this file cannot be used; nothing of it was stored."""
        return InputError(f"{self.path}: {reason}", remedy=remedy)


def open_source(path: Path) -> SourceFile:
    """Look at a file and at how it is wrapped.

    Raises:
        InputError: it does not exist, cannot be read, or is a zip with more than one file of data.
    """
    with _told_plainly(path):
        with path.open("rb") as file:
            magic = file.read(4)
        is_gzip = magic.startswith(GZIP_MAGIC)
        member = _only_member(path) if magic == ZIP_MAGIC else ""
    inner = path.absolute()
    if member:
        inner = inner.with_suffix("") / member
    elif is_gzip and path.suffix.lower() == ".gz":
        inner = inner.with_suffix("")
    bare = SourceFile(path, inner, member, is_gzip, b"")
    with bare.open() as stream:
        head = stream.read(HEAD_BYTES)
    return SourceFile(path, inner, member, is_gzip, head)


def _only_member(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    data = [name for name in names if PurePath(name).suffix.lower() not in DESCRIPTIONS]
    chosen = data or names
    if len(chosen) != 1:
        raise UnknownFormat(
            f"{path}: a zip with one file of data was expected, it holds {len(chosen)}.",
            remedy="Unpack it and import the files, or their folder.",
        )
    return chosen[0]


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{path}: the compressed file is damaged: {error}.") from error
    except (OSError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read: {error}.") from error
