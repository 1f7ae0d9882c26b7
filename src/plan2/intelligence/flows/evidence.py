"""Which backtests of a flow are finished: the runs that a tenant keeps as files.

A run is `<tenant folder>/backtests/<run_id>/run.json` with its page `report.html` beside it.
"""

from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = "backtests"
RECORD: Final = "run.json"
PAGE: Final = "report.html"


class _Summary(msgspec.Struct, frozen=True):
    flow_digest: str


class _Run(msgspec.Struct, frozen=True):
    """What is looked at of a run's record; everything else in it is somebody else's."""

    summary: _Summary


class RunFiles:
    """The kept runs of one tenant; what was read once is remembered, as runs never change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._digests: dict[str, str] = {}

    def of(self, digest: str) -> tuple[str, ...]:
        """Ids of the finished runs of a flow's digest, newest first; damaged ones do not count."""
        found = [
            (path.stat().st_mtime_ns, path.parent.name)
            for path in self._folder.glob(f"*/{RECORD}")
            if (path.parent / PAGE).is_file() and self._digest_of(path) == digest
        ]
        return tuple(name for _, name in sorted(found, reverse=True))

    def _digest_of(self, path: Path) -> str:
        name = path.parent.name
        if name not in self._digests:
            try:
                run = msgspec.json.decode(path.read_bytes(), type=_Run)
                self._digests[name] = run.summary.flow_digest
            except (OSError, msgspec.DecodeError):
                return ""
        return self._digests[name]
