"""What simulated ticks were made of, kept beside them: `<data_dir>/simulated/market.json`.

Whoever looks at the ticks later can draw the same market again and see what is planted in it.
"""

from pathlib import Path
from typing import Final

import msgspec

FILE_NAME: Final = "market.json"


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The market that begins at `start_ns` (UTC) with this seed and this strength of structure."""

    seed: int
    strength: float
    start_ns: int

    def __str__(self) -> str:
        return f"synthetic market of seed {self.seed}, planted strength {self.strength:g}"


def write_origin(folder: Path, origin: Origin) -> None:
    """Keep it, replacing the file as a whole; the same again writes nothing."""
    if read_origin(folder) == origin:
        return
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{FILE_NAME}.new"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(origin)))
    fresh.replace(folder / FILE_NAME)


def read_origin(folder: Path) -> Origin | None:
    """What was kept; None where there is nothing, or nothing that can be read."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Origin)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
