"""Runs in folders of their own; each appears whole or not at all and is never changed.

<tenant folder>/backtests/<run_id>/run.json figures.json report.html *.parquet
"""

import hashlib
import io
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from plan2.foundation.errors import InputError, require
from plan2.foundation.private_file import write_private
from plan2.intelligence.backtest.figures.terms import RunFigures
from plan2.intelligence.backtest.kept.terms import (
    TABLES,
    VERSION,
    BrokenRun,
    DamagedRun,
    FileMark,
    RunRecord,
    RunSummary,
    Shelf,
    Table,
    UnknownRun,
    is_run_id,
)
from plan2.intelligence.backtest.run import BacktestRun

FOLDER: Final = "backtests"
RECORD: Final = "run.json"
FIGURES: Final = "figures.json"
PAGE: Final = "report.html"


class KeptRuns:
    """The runs of one tenant; the folder is made when the first one is kept.

    Args:
        tenant_folder: the tenant's own.
    """

    def __init__(self, tenant_folder: Path) -> None:
        self._folder = tenant_folder / FOLDER

    def add(self, run: BacktestRun, summary: RunSummary, figures: RunFigures, page: str) -> str:
        """Keep a run; one that is there already stays as it is. Returns its id."""
        require(is_run_id(run.run_id), f"{run.run_id!r} is no id of a run")
        home = self._folder / run.run_id
        if home.is_dir():
            if not self._damage(run.run_id):
                return run.run_id
            self._take_away(home)
        fresh = self._folder / f".{run.run_id}.{os.getpid()}"
        contents = {
            FIGURES: msgspec.json.encode(figures),
            PAGE: page.encode("utf-8"),
            **{f"{name}.parquet": _parquet(getattr(run, name)) for name in TABLES},
        }
        for name, content in contents.items():
            write_private(fresh / name, content)
        record = RunRecord(
            version=VERSION,
            summary=summary,
            flow=run.flow,
            denials={reason: int(count) for reason, count in run.denials.items()},
            rejects={int(code): int(count) for code, count in run.rejects.items()},
            files={name: _mark(content) for name, content in contents.items()},
        )
        write_private(fresh / RECORD, msgspec.json.format(msgspec.json.encode(record)))
        try:
            fresh.rename(home)
        except OSError:  # the same run was kept by somebody else meanwhile
            shutil.rmtree(fresh)
            if not home.is_dir():
                raise
        return run.run_id

    def list(self) -> Shelf:
        """All runs, newest first; what cannot be read is named with its reason."""
        runs, damaged, size = list[RunSummary](), list[DamagedRun](), 0
        for home in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
            if home.name.startswith("."):
                continue
            try:
                record = self.record(home.name)
            except InputError as error:
                damaged.append(DamagedRun(run_id=home.name, reason=error.message))
                continue
            size += sum(mark.size for mark in record.files.values())
            reason = _missing(home, record.files)
            if reason:
                damaged.append(DamagedRun(run_id=home.name, reason=reason))
            else:
                runs.append(record.summary)
        runs.sort(key=lambda each: (-each.made_ns, each.run_id))
        return Shelf(runs=tuple(runs), damaged=tuple(damaged), size=size)

    def record(self, run_id: str) -> RunRecord:
        """What was kept of a run besides its tables and figures.

        Raises:
            UnknownRun: there is no such run.
            BrokenRun: its record cannot be read.
        """
        content = self._content(run_id, RECORD)
        try:
            record = msgspec.json.decode(content, type=RunRecord)
        except msgspec.DecodeError as error:
            raise BrokenRun(run_id, f"{RECORD} cannot be read: {error}") from error
        if record.version != VERSION or record.summary.run_id != run_id:
            raise BrokenRun(run_id, f"{RECORD} is of another version or another run")
        return record

    def figures(self, run_id: str) -> RunFigures:
        """The figures of a run.

        Raises:
            UnknownRun: there is no such run.
            BrokenRun: a file of it is damaged.
        """
        try:
            return msgspec.json.decode(self._checked(run_id, FIGURES), type=RunFigures)
        except msgspec.DecodeError as error:
            raise BrokenRun(run_id, f"{FIGURES} cannot be read: {error}") from error

    def page(self, run_id: str) -> bytes:
        """The report of a run, HTML.

        Raises:
            UnknownRun: there is no such run.
            BrokenRun: a file of it is damaged.
        """
        return self._checked(run_id, PAGE)

    def page_file(self, run_id: str) -> Path:
        """Where the report of a run is."""
        return self._folder / run_id / PAGE

    def table(self, run_id: str, name: Table) -> pl.DataFrame:
        """Trades, orders or equity of a run, as in `backtest/run.py`.

        Raises:
            UnknownRun: there is no such run.
            BrokenRun: a file of it is damaged.
        """
        return pl.read_parquet(io.BytesIO(self._checked(run_id, f"{name}.parquet")))

    def parquet(self, run_id: str, name: Table) -> bytes:
        """The file of a table, as it is.

        Raises:
            UnknownRun: there is no such run.
            BrokenRun: a file of it is damaged.
        """
        return self._checked(run_id, f"{name}.parquet")

    def remove(self, run_id: str) -> None:
        """Take a run away, whole or damaged.

        Raises:
            UnknownRun: there is no such run.
        """
        home = self._folder / run_id
        if not is_run_id(run_id) or not home.is_dir():
            raise UnknownRun(run_id)
        self._take_away(home)

    def prune(self, runs_max: int, size_max: int) -> tuple[str, ...]:
        """Remove the oldest runs until there are at most so many and so many bytes.

        The newest one always stays. Returns the ids of what was removed.
        """
        gone: list[str] = []
        kept = [(each, self._size(each.run_id)) for each in self.list().runs]
        total = sum(size for _, size in kept)
        while len(kept) > 1 and (len(kept) > runs_max or total > size_max):
            oldest, size = kept.pop()
            self.remove(oldest.run_id)
            gone.append(oldest.run_id)
            total -= size
        return tuple(gone)

    def _size(self, run_id: str) -> int:
        return sum(mark.size for mark in self.record(run_id).files.values())

    def _take_away(self, home: Path) -> None:
        """It is gone at once, also for who reads the folder while the files are deleted."""
        leaving = home.with_name(f".{home.name}.{os.getpid()}.leaving")
        home.rename(leaving)
        shutil.rmtree(leaving)

    def _content(self, run_id: str, name: str) -> bytes:
        home = self._folder / run_id
        if not is_run_id(run_id) or not home.is_dir():
            raise UnknownRun(run_id)
        try:
            return (home / name).read_bytes()
        except OSError as error:
            raise BrokenRun(run_id, f"{name} cannot be read: {error.strerror}") from error

    def _checked(self, run_id: str, name: str) -> bytes:
        """A file whose bytes are still those that were written."""
        mark = self.record(run_id).files.get(name)
        content = self._content(run_id, name)
        if mark is None or _mark(content) != mark:
            raise BrokenRun(run_id, f"{name} is not what was written")
        return content

    def _damage(self, run_id: str) -> str:
        """What is wrong with a run, every byte looked at; "" when nothing is."""
        try:
            for name in self.record(run_id).files:
                self._checked(run_id, name)
        except InputError as error:
            return error.message
        return ""


def _missing(home: Path, files: Mapping[str, FileMark]) -> str:
    """What a look at names and lengths shows; "" when nothing is missing."""
    for name, mark in files.items():
        file = home / name
        if not file.is_file() or file.stat().st_size != mark.size:
            return f"{name} is missing or has another length."
    return ""


def _mark(content: bytes) -> FileMark:
    return FileMark(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def _parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file, compression="zstd")
    return file.getvalue()
