"""Storing a file of ticks: a first reading checks every row, only then is anything written.

A file that is too large to be kept in memory is read a second time to store it; the memory needed
is bounded by `ROWS_KEPT` rows, or one batch and one day.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.importers.checks import CheckedTicks, checked_ticks
from plan2.dataflow.importers.dataset import TickFile
from plan2.dataflow.importers.outcome import Outcome
from plan2.dataflow.importers.source import SourceFile
from plan2.dataflow.quarantine import RejectedRows, rejected_rows
from plan2.dataflow.tick_merge import MergeResult, join_ticks
from plan2.foundation.values import NS_PER_DAY, TickBlock

ROWS_KEPT: Final = 8_000_000
"""Rows kept from the first reading for storing them, about 200 MB."""

CROSSED: Final = "crossed"


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first reading found; `batches` gives the checked ticks again.

    first_ns, last_ns: times of the first and last row, UTC, None in a file without rows.
    """

    rows: int
    rejected: int
    first_ns: int | None
    last_ns: int | None
    batches: Callable[[], Iterable[CheckedTicks]]


def survey_ticks(
    source: SourceFile, file: TickFile, symbol: str, progress: Callable[[int], None]
) -> Survey:
    """Read and check the whole file; `progress` is called with the number of rows so far.

    Raises:
        InputError: the file must be refused; nothing was written.
    """
    rows = rejected = 0
    first_ns = last_ns = None
    kept: list[CheckedTicks] | None = []
    for checked in checked_ticks(source, file, symbol):
        rows += checked.rows
        rejected += len(checked.rejected)
        first_ns = checked.first_ns if first_ns is None else first_ns
        last_ns = checked.last_ns
        if kept is not None:
            kept.append(checked)
        if rows > ROWS_KEPT:
            kept = None
        progress(rows)
    if rejected * 2 > rows:
        raise source.refuse(
            f"{rejected:,} of {rows:,} rows have the ask below the bid.",
            "The columns are probably exchanged.",
        )
    again = partial(checked_ticks, source, file, symbol)
    return Survey(rows, rejected, first_ns, last_ns, again if kept is None else partial(iter, kept))


def store_ticks(
    survey: Survey, archive: TickArchive, symbol: str, data_dir: Path, sha256: str
) -> Outcome:
    """Put the surveyed ticks into the archive and the rejected ones into quarantine.

    Raises:
        StoreBusy: the disk is full or not writable; the archive is as it was.
    """
    merged = MergeResult()
    with ExitStack() as stack:
        writer = stack.enter_context(archive.writing(symbol))
        rejected = None
        if survey.rejected:
            rejected = stack.enter_context(rejected_rows(data_dir, symbol, sha256))
        for block in whole_days(symbol, _usable(survey, rejected)):
            merged = merged.plus(writer.merge(block))
    return _outcome(survey, symbol, merged)


def preview_ticks(survey: Survey, archive: TickArchive, symbol: str) -> Outcome:
    """What `store_ticks` would do, without writing anything."""
    merged = MergeResult()
    for block in whole_days(symbol, _usable(survey, None)):
        merged = merged.plus(archive.preview(block))
    return _outcome(survey, symbol, merged)


def whole_days(symbol: str, blocks: Iterable[TickBlock]) -> Iterator[TickBlock]:
    """The same ticks in blocks that each end with a UTC day.

    So each day is merged once, and equal ticks on both sides of a batch's edge stay two ticks.
    """
    pending = join_ticks(symbol, [])
    for block in blocks:
        pending = join_ticks(symbol, [pending, block])
        if len(pending):
            midnight_ns = int(pending.ts_ns[-1]) // NS_PER_DAY * NS_PER_DAY
            cut = int(pending.ts_ns.searchsorted(midnight_ns))
            if cut:
                yield pending.slice(0, cut)
                pending = pending.slice(cut, len(pending))
    if len(pending):
        yield pending


def _usable(survey: Survey, rejected: RejectedRows | None) -> Iterator[TickBlock]:
    for checked in survey.batches():
        if rejected is not None:
            rejected.add(checked.rejected, checked.rejected_rows, CROSSED)
        yield checked.usable


def _outcome(survey: Survey, symbol: str, merged: MergeResult) -> Outcome:
    mixed = (
        f"{merged.interleaved:,} ticks lie between ticks of {symbol} that this file does not have: "
        "two feeds are mixed. Keep feeds apart with --symbol."
    )
    return Outcome(
        rows=survey.rows,
        rejected=survey.rejected,
        added=merged.added,
        duplicates=merged.duplicates,
        first_ns=survey.first_ns,
        last_ns=survey.last_ns,
        warnings=(mixed,) if merged.interleaved else (),
    )
