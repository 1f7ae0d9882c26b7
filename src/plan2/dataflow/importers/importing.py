"""Taking one file into the archive: recognise, check as a whole, then store, all or nothing.

What is stored depends on nothing but the file and the options; storing the same file again changes
nothing.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.importers.bar_checks import bar_warnings, checked_bars
from plan2.dataflow.importers.checks import CheckedTicks, checked_ticks
from plan2.dataflow.importers.dataset import BarFile, ImportOptions, TickFile
from plan2.dataflow.importers.detect import recognise
from plan2.dataflow.importers.ledger import Entry, Ledger
from plan2.dataflow.importers.outcome import ImportResult, Outcome
from plan2.dataflow.importers.source import SourceFile, open_source
from plan2.dataflow.importers.tick_import import preview_ticks, store_ticks, survey_ticks
from plan2.foundation.clock import Clock
from plan2.foundation.values import NS_PER_MS

Progress = Callable[[Path, int], None]


class Importer:
    """Imports files into the archive of one data folder.

    Args:
        data_dir: the folder for everything Plan2 keeps. options: what the user said.
        clock: dates the ledger's entries. progress: told the rows read so far of a file.
    """

    def __init__(
        self,
        data_dir: Path,
        options: ImportOptions,
        clock: Clock,
        progress: Progress | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._options = options
        self._clock = clock
        self._progress = progress or _no_progress
        self._ticks = TickArchive(data_dir / "archive")
        self._bars = BarArchive(data_dir / "archive")
        self._ledger = Ledger(data_dir)

    def run(self, path: Path, *, dry_run: bool = False) -> ImportResult:
        """Import one file, or say what that would do.

        Raises:
            UnknownFormat: the file is of no format that we know.
            InputError: the file cannot be used; nothing of it was stored.
            StoreBusy: the archive cannot be written now; nothing of the file was stored.
        """
        source = open_source(path)
        file = recognise(source, self._options)
        symbol = _symbol(source, file, self._options)
        sha256 = source.sha256()
        if isinstance(file, TickFile):
            outcome = self._take_ticks(source, file, symbol, sha256, dry_run=dry_run)
        else:
            outcome = self._take_bars(source, file, symbol, dry_run=dry_run)
        result = ImportResult(
            file=str(path),
            kind="ticks" if isinstance(file, TickFile) else "bars",
            symbol=symbol,
            format=file.format,
            clock=file.clock,
            period_s=outcome.period_s,
            rows=outcome.rows,
            rejected=outcome.rejected,
            added=outcome.added,
            duplicates=outcome.duplicates,
            replaced=outcome.replaced,
            conflicting=outcome.conflicting,
            first=_iso(outcome.first_ns),
            last=_iso(outcome.last_ns),
            sha256=sha256,
            imported_before=self._ledger.has(sha256, symbol, file.clock),
            dry_run=dry_run,
            not_kept=file.not_kept,
            warnings=outcome.warnings,
        )
        if not dry_run:
            self._note(result)
        return result

    def _take_ticks(
        self, source: SourceFile, file: TickFile, symbol: str, sha256: str, *, dry_run: bool
    ) -> Outcome:
        survey = survey_ticks(source, file, symbol, lambda rows: self._progress(source.path, rows))
        if dry_run or survey.rows == 0:
            return preview_ticks(survey, self._ticks, symbol)
        return store_ticks(survey, self._ticks, symbol, self._data_dir, sha256)

    def _take_bars(
        self, source: SourceFile, file: BarFile, symbol: str, *, dry_run: bool
    ) -> Outcome:
        series = checked_bars(source, file, symbol)
        if series is None:
            return Outcome()
        self._progress(source.path, len(series))
        merged = self._bars.preview(series) if dry_run else self._bars.merge(series)
        warnings = bar_warnings(series, self._options.server_clock)
        if merged.conflicting:
            warnings.append(
                f"{merged.conflicting:,} bars differ from those stored for {symbol}, which were "
                "kept. Keep feeds apart with --symbol."
            )
        return Outcome(
            rows=len(series),
            added=merged.added,
            duplicates=merged.duplicates,
            replaced=merged.replaced,
            conflicting=merged.conflicting,
            first_ns=int(series.ts_ns[0]),
            last_ns=int(series.ts_ns[-1]),
            period_s=series.period_s,
            warnings=tuple(warnings),
        )

    def _note(self, result: ImportResult) -> None:
        if result.imported_before and result.added == result.replaced == 0:
            return
        fields = {name: getattr(result, name) for name in Entry.__struct_fields__[:-1]}
        self._ledger.add(Entry(**fields, imported_ts_ns=self._clock.now_ns()))


def read_ticks(path: Path, options: ImportOptions) -> Iterator[CheckedTicks]:
    """The ticks of any file that can be imported, checked, without storing anything.

    Raises:
        InputError: the file holds bars, or must be refused.
    """
    source = open_source(path)
    file = recognise(source, options)
    if not isinstance(file, TickFile):
        raise source.refuse(f"a file of ticks was expected, this is {file.format}.")
    return checked_ticks(source, file, options.symbol or file.symbol or "")


def _no_progress(path: Path, rows: int) -> None:
    """Nobody is told."""


def _symbol(source: SourceFile, file: TickFile | BarFile, options: ImportOptions) -> str:
    symbol = options.symbol or file.symbol
    if symbol is None:
        raise source.refuse(
            "neither the file nor its name says the symbol.", "Name it with --symbol."
        )
    return symbol


def _iso(ts_ns: int | None) -> str | None:
    return None if ts_ns is None else f"{np.datetime64(ts_ns // NS_PER_MS, 'ms')}Z"
