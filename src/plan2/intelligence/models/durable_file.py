"""Files of the registry: they appear whole, and are on the disk when the call returns."""

import os
from pathlib import Path


def write_durably(file: Path, content: bytes) -> None:
    """Write a file that nobody looks at yet."""
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def write_atomically(file: Path, content: bytes) -> None:
    """Replace a file that others may be reading; its folder is made when it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    staging = file.with_name(f".{file.name}.{os.getpid()}")
    write_durably(staging, content)
    staging.replace(file)
