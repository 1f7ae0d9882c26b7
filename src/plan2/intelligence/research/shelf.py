"""Where a tenant's research is kept: wishes, reports, and the trials of all of it."""

import re
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from plan2.foundation.errors import InputError
from plan2.intelligence.models.durable_file import write_atomically
from plan2.intelligence.research.report import Report
from plan2.intelligence.research.wish import Wish

FOLDER: Final = "research"
WISH: Final = "wish.json"
REPORT: Final = "report.json"
KEPT_MAX: Final = 200
"""Reports that are kept; the oldest make room. Trials are never removed."""
T = TypeVar("T", Wish, Report)
_ID: Final = re.compile(r"[0-9a-f]{16}")


class Shelf:
    """The research of one tenant.

    Args:
        folder: the tenant's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def ask(self, wish: Wish) -> None:
        """Keep a wish; what an earlier run of an equal one found stays until it is replaced."""
        write_atomically(self._path(wish.research_id, WISH), msgspec.json.encode(wish))
        self._prune(wish.research_id)

    def wish(self, research_id: str) -> Wish:
        """What was asked for.

        Raises:
            InputError: there is no such research, or its file is damaged.
        """
        return self._read(research_id, WISH, Wish)

    def write(self, report: Report) -> None:
        """Keep a report in place of an earlier one."""
        write_atomically(self._path(report.research_id, REPORT), msgspec.json.encode(report))

    def report(self, research_id: str) -> Report | None:
        """What was found so far; None before anything was.

        Raises:
            InputError: the file is damaged.
        """
        if not self._path(research_id, REPORT).exists():
            return None
        return self._read(research_id, REPORT, Report)

    def has(self, research_id: str) -> bool:
        """Whether it was asked for."""
        return bool(_ID.fullmatch(research_id)) and self._path(research_id, WISH).exists()

    def newest(self, limit: int) -> list[str]:
        """Ids, the newest wish first."""
        if not self.folder.is_dir():
            return []
        asked = [path / WISH for path in self.folder.iterdir() if _ID.fullmatch(path.name)]
        times = {path.parent.name: path.stat().st_mtime_ns for path in asked if path.exists()}
        return sorted(times, key=lambda name: -times[name])[:limit]

    def _path(self, research_id: str, name: str) -> Path:
        if not _ID.fullmatch(research_id):
            raise _unknown(research_id)
        return self.folder / research_id / name

    def _read(self, research_id: str, name: str, shape: type[T]) -> T:
        path = self._path(research_id, name)
        try:
            return msgspec.json.decode(path.read_bytes(), type=shape)
        except FileNotFoundError as error:
            raise _unknown(research_id) from error
        except msgspec.MsgspecError as error:
            raise InputError(
                f"{path} is damaged: {error}.", remedy="Remove its folder and ask again."
            ) from error

    def _prune(self, keep: str) -> None:
        for research_id in self.newest(10 * KEPT_MAX)[KEPT_MAX:]:
            if research_id != keep:
                for name in (REPORT, WISH):
                    self._path(research_id, name).unlink(missing_ok=True)
                self._path(research_id, "").rmdir()


def _unknown(research_id: str) -> InputError:
    return InputError(
        f"There is no research {research_id!r}.",
        remedy="`plan2 research list` shows what there is.",
    )
