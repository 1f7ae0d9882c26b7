"""Reports of evaluations in a folder: each a page that stands alone, and a few lines about it.

A page is a single HTML file without scripts or addresses, so it can be kept, sent and opened
anywhere. Pages are written once and never changed.
"""

import hashlib
import re
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.private_file import write_private

FOLDER: Final = "reports"
"""Below the data folder."""
_ID: Final = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")


class ReportItem(msgspec.Struct, frozen=True, kw_only=True):
    """One report in a list.

    `made_by`: "train" or "evaluate". Times are UTC ns; `first_ts_ns` to `last_ts_ns` are the ticks.
    `n_required`: independent events that the observed accuracy needs to be shown, of which there
    are `n_eff`; None when it is no better than a coin. `metrics` are the ensemble's
    (`report.metrics_of`).
    """

    report_id: str
    made_by: str
    made_ts_ns: int
    symbols: tuple[str, ...]
    families: tuple[str, ...]
    horizon_s: int
    first_ts_ns: int
    last_ts_ns: int
    events: int
    n_eff: float
    n_required: float | None
    verdict: str
    flags: tuple[str, ...]
    metrics: dict[str, float]
    model_ids: tuple[str, ...]
    note: str


class Reports:
    """All reports of an installation; the folder is made when the first one is written."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def add(self, item: ReportItem, page: str) -> Path:
        """Write a page and what is listed about it; returns the page's file."""
        html = self._folder / f"{item.report_id}.html"
        write_private(html, page.encode("utf-8"))
        write_private(html.with_suffix(".json"), msgspec.json.encode(item, order="sorted"))
        return html

    def list(self) -> tuple[ReportItem, ...]:
        """All reports, newest first.

        Raises:
            InputError: a file of the folder cannot be read.
        """
        files = self._folder.glob("*.json") if self._folder.is_dir() else ()
        found = [_read(file) for file in files if _ID.fullmatch(file.stem)]
        return tuple(sorted(found, key=lambda item: (-item.made_ts_ns, item.report_id)))

    def page(self, report_id: str) -> bytes:
        """A report's HTML.

        Raises:
            InputError: there is no such report.
        """
        file = self._folder / f"{report_id}.html"
        if not _ID.fullmatch(report_id) or not file.is_file():
            raise InputError(
                f"There is no report {report_id!r} in {self._folder}.",
                remedy="`plan2 train` and `plan2 evaluate` write one each time.",
            )
        return file.read_bytes()


def report_id_of(made_ts_ns: int, page: str) -> str:
    """An id that sorts by time: the UTC second, and 8 hex digits of the page's hash."""
    second = str(np.datetime64(made_ts_ns, "ns").astype("datetime64[s]"))
    digest = hashlib.sha256(page.encode("utf-8")).hexdigest()
    return f"{re.sub('[-:]', '', second)}-{digest[:8]}"


def _read(file: Path) -> ReportItem:
    try:
        return msgspec.json.decode(file.read_bytes(), type=ReportItem)
    except msgspec.DecodeError as error:
        raise InputError(
            f"The report {file} cannot be read: {error}.",
            remedy="Move it and its page away; nothing else depends on them.",
        ) from error
