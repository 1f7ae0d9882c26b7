"""The tick archive: Parquet by symbol and UTC day, merged atomically, read back bit for bit.

Files lie under `<root>/ticks/<SYMBOL>/<YYYY-MM-DD>.parquet` (`tick_file` says what is in one). A
day's file is replaced as a whole, the days of one write appear together, and writing the same
ticks again adds nothing. Readers need no lock; writers of one symbol wait for each other.
"""

import datetime as dt
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plan2.dataflow.bar_series import BarSeries, empty_bars, join_bars
from plan2.dataflow.bars import build_bars_of_points
from plan2.dataflow.store_files import StagedFiles, folder_of, symbols_in, writable
from plan2.dataflow.tick_file import (
    StoredTicks,
    count_rows,
    empty_block,
    read_footer,
    read_ticks,
    write_ticks,
)
from plan2.dataflow.tick_merge import MergeResult, join_ticks, merge_ticks
from plan2.foundation.errors import StoreBusy, require
from plan2.foundation.values import NS_PER_DAY, TickBlock

END_OF_TIME_NS = 2**63 - 1
EPOCH = dt.date(1970, 1, 1)
THREADS = max(2, min(4, os.cpu_count() or 2))
"""Days are decoded and encoded side by side: the codecs run without the interpreter's lock."""

LOCK_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """One stored UTC day; times are the first and last tick, both inclusive."""

    day: dt.date
    ticks: int
    first_ts_ns: int
    last_ts_ns: int
    size_bytes: int


class TickArchive:
    """All archived ticks; constructing it touches nothing on the disk.

    Args:
        root: the archive's folder, `<data_dir>/archive`.
        lock_wait_s: how long a writer waits for another writer of the same symbol.
    """

    def __init__(self, root: Path, lock_wait_s: float = LOCK_WAIT_S) -> None:
        self._root = root / "ticks"
        self._lock_wait_s = lock_wait_s

    def symbols(self) -> tuple[str, ...]:
        """Every symbol that has ticks, sorted."""
        return tuple(symbol for symbol in symbols_in(self._root) if self._days(symbol))

    def coverage(self, symbol: str) -> list[DayCoverage]:
        """What is stored of a symbol, by day, oldest first; reads only the files' footers."""
        covered = []
        for day in self._days(symbol):
            footer = read_footer(self._path(symbol, day))
            covered.append(
                DayCoverage(
                    EPOCH + dt.timedelta(days=day),
                    footer.rows,
                    footer.first_ts_ns,
                    footer.last_ts_ns,
                    footer.size_bytes,
                )
            )
        return covered

    def read(self, symbol: str, start_ns: int = 0, end_ns: int = END_OF_TIME_NS) -> TickBlock:
        """All ticks with start ≤ time < end, oldest first; an empty block when there are none."""
        while True:
            paths = [self._path(symbol, day) for day in self._days(symbol, start_ns, end_ns)]
            whole = _read_all(symbol, paths)
            if whole is not None:  # else a writer replaced a day meanwhile
                return _within(whole, start_ns, end_ns)

    def iter_days(
        self, symbol: str, start_ns: int = 0, end_ns: int = END_OF_TIME_NS
    ) -> Iterator[TickBlock]:
        """The same ticks as `read`, one UTC day at a time."""
        for day in self._days(symbol, start_ns, end_ns):
            block = _within(self._read_day(symbol, day), start_ns, end_ns)
            if len(block):
                yield block

    def bars(
        self, symbol: str, period_s: int, start_ns: int = 0, end_ns: int = END_OF_TIME_NS
    ) -> BarSeries:
        """Bars of the ticks with start ≤ time < end, without making every tick a float."""
        days = self._days(symbol, start_ns, end_ns)

        def build(day: int) -> BarSeries:
            ticks = read_ticks(self._path(symbol, day))
            return build_bars_of_points(symbol, _rows_within(ticks, start_ns, end_ns), period_s)

        with ThreadPoolExecutor(THREADS) as pool:
            parts = [part for part in pool.map(build, days) if len(part)]
        return join_bars(parts) if parts else empty_bars(symbol, period_s)

    def merge(self, block: TickBlock) -> MergeResult:
        """Store a block; ticks that are there already count as duplicates.

        Raises:
            StoreBusy: as `writing`; nothing was stored.
        """
        with self.writing(block.symbol) as writer:
            return writer.merge(block)

    @contextmanager
    def writing(self, symbol: str) -> "Iterator[TickWriter]":
        """Write several blocks of a symbol that appear together at the end, or not at all.

        Raises:
            StoreBusy: the disk is full, the folder may not be written, or another process has been
                writing this symbol for longer than the wait; nothing was stored.
        """
        folder = self._root / folder_of(symbol)
        with writable(folder, self._lock_wait_s):
            staged = StagedFiles()
            try:
                yield TickWriter(symbol, folder, staged)
                staged.commit()
            finally:
                staged.discard()

    def preview(self, block: TickBlock) -> MergeResult:
        """What `merge` would say, without storing anything."""
        result = MergeResult()
        for day, part in _by_day(block):
            stored = self._read_day(block.symbol, day)
            result = result.plus(merge_ticks(stored, part)[1])
        return result

    def verify(self, symbol: str) -> Iterator[str]:
        """One sentence for each fault in the files of a symbol: order, day, prices, damage."""
        for day in self._days(symbol):
            path = self._path(symbol, day)
            try:
                block = self._read_day(symbol, day)
            except StoreBusy as error:
                yield error.message
                continue
            if bool((np.diff(block.ts_ns) < 0).any()):
                yield f"{path}: the ticks are not in time order."
            if bool((block.ts_ns // NS_PER_DAY != day).any()):
                yield f"{path}: holds ticks of another day."
            if not bool((np.isfinite(block.bid) & (block.bid > 0) & (block.ask > 0)).all()):
                yield f"{path}: holds a price that is not a positive number."

    def _path(self, symbol: str, day: int) -> Path:
        return _day_path(self._root / folder_of(symbol), day)

    def _days(self, symbol: str, start_ns: int = 0, end_ns: int = END_OF_TIME_NS) -> list[int]:
        names = (self._root / folder_of(symbol)).glob("????-??-??.parquet")
        days = sorted((dt.date.fromisoformat(path.stem) - EPOCH).days for path in names)
        first, last = start_ns // NS_PER_DAY, (end_ns - 1) // NS_PER_DAY
        return [day for day in days if first <= day <= last]

    def _read_day(self, symbol: str, day: int) -> TickBlock:
        return _read_block(symbol, self._path(symbol, day))


class TickWriter:
    """What `TickArchive.writing` gives: blocks go in, files appear when the block is left."""

    def __init__(self, symbol: str, folder: Path, staged: StagedFiles) -> None:
        self._symbol = symbol
        self._folder = folder
        self._staged = staged

    def merge(self, block: TickBlock) -> MergeResult:
        """Merge a block, in time order, into the days that it touches.

        Raises:
            InvariantBroken: the block is of another symbol, not in time order or not finite.
        """
        require(
            block.symbol == self._symbol, f"writing {self._symbol}, got ticks of {block.symbol}"
        )
        require(
            not bool((block.ts_ns[1:] < block.ts_ns[:-1]).any()),
            f"ticks of {block.symbol} for the archive are not in time order",
        )
        require(
            bool(np.isfinite(block.bid).all() and np.isfinite(block.ask).all()),
            f"ticks of {block.symbol} for the archive hold a price that is not a number",
        )
        result = MergeResult()
        with ThreadPoolExecutor(THREADS) as pool:
            for part in pool.map(self._merge_day, _by_day(block)):
                result = result.plus(part)
        return result

    def _merge_day(self, day_and_block: tuple[int, TickBlock]) -> MergeResult:
        day, block = day_and_block
        path = _day_path(self._folder, day)
        stored = _read_block(self._symbol, self._staged.newest(path))
        merged, result = merge_ticks(stored, block)
        if result.added:
            self._staged.stage(path, lambda beside: write_ticks(beside, merged))
        return result


def _day_path(folder: Path, day: int) -> Path:
    return folder / f"{EPOCH + dt.timedelta(days=day)}.parquet"


def _read_block(symbol: str, path: Path) -> TickBlock:
    return read_ticks(path).block(symbol) if path.exists() else join_ticks(symbol, [])


def _read_all(symbol: str, paths: list[Path]) -> TickBlock | None:
    """The ticks of consecutive days, or None when one of the files changed while being read.

    The columns are made once, at their full length: fresh memory costs more than decoding.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        rows = list(pool.map(count_rows, paths))
        ends = np.cumsum(rows, dtype=int).tolist()
        whole = empty_block(symbol, ends[-1] if ends else 0)

        def decode(path: Path, rows: int, end: int) -> bool:
            ticks = read_ticks(path)
            if len(ticks.times) != rows:
                return False
            ticks.write_to(whole.slice(end - rows, end))
            return True

        return whole if all(pool.map(decode, paths, rows, ends)) else None


def _by_day(block: TickBlock) -> list[tuple[int, TickBlock]]:
    if len(block) == 0:
        return []
    days = range(int(block.ts_ns[0]) // NS_PER_DAY, int(block.ts_ns[-1]) // NS_PER_DAY + 1)
    midnights = np.arange(days.start, days.stop + 1) * NS_PER_DAY
    edges = np.searchsorted(block.ts_ns, midnights).tolist()
    spans = zip(days, edges[:-1], edges[1:], strict=True)
    return [(day, block.slice(start, stop)) for day, start, stop in spans if start < stop]


def _within(block: TickBlock, start_ns: int, end_ns: int) -> TickBlock:
    start, stop = np.searchsorted(block.ts_ns, [start_ns, end_ns])
    return block.slice(int(start), int(stop))


def _rows_within(ticks: StoredTicks, start_ns: int, end_ns: int) -> StoredTicks:
    """Rows with start ≤ time < end; the bounds round up to the file's own steps."""
    bounds = [-(-start_ns // ticks.step_ns), -(-end_ns // ticks.step_ns)]
    start, stop = np.searchsorted(ticks.times, bounds)
    rows = slice(int(start), int(stop))
    return StoredTicks(
        ticks.times[rows], ticks.step_ns, ticks.bid[rows], ticks.ask[rows], ticks.grid
    )
