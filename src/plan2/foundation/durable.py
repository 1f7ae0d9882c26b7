"""What it takes until a change of a folder outlives a loss of power."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: what was created, replaced or removed there.

    Raises:
        OSError: the disk does not take it.
    """
    if os.name == "nt":
        return  # Windows has no folder handle to flush; NTFS journals the entry
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
