"""The bar archive: imported bars as Parquet by symbol, period and UTC year.

Files lie under `<root>/bars/<SYMBOL>/<period_s>/<YYYY>.parquet`: `time_utc` (start of the bar), the
eight price columns (NaN where the source had no such side), `ticks`, `spread_points`. A bar that
is stored stays: a given bar may add what it did not know (the other side, the ticks), but where
their prices differ the stored bar stands and the conflict is counted. Only the last stored bar is
corrected, because an export may have been taken before it was complete.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from plan2.dataflow.archive import END_OF_TIME_NS, LOCK_WAIT_S
from plan2.dataflow.bar_series import (
    PRICE_COLUMNS,
    UNKNOWN_SPREAD,
    BarSeries,
    empty_bars,
    join_bars,
)
from plan2.dataflow.store_files import StagedFiles, folder_of, symbols_in, writable
from plan2.dataflow.tick_file import read_footer
from plan2.foundation.errors import StoreBusy
from plan2.foundation.values import NS_PER_MS


@dataclass(frozen=True, slots=True)
class BarMergeResult:
    """What a merge did, in bars; the four add up to the bars given.

    duplicates: stored already, with the same prices. replaced: the last stored bar, corrected.
    conflicting: not stored, because a bar with other prices is there.
    """

    added: int = 0
    duplicates: int = 0
    replaced: int = 0
    conflicting: int = 0


@dataclass(frozen=True, slots=True)
class BarCoverage:
    """What is stored of one symbol and period; times are starts of bars, both inclusive."""

    symbol: str
    period_s: int
    bars: int
    first_ts_ns: int
    last_ts_ns: int
    size_bytes: int


class BarArchive:
    """All archived bars; constructing it touches nothing on the disk.

    Args:
        root: the archive's folder, `<data_dir>/archive`.
        lock_wait_s: how long a writer waits for another writer of the same bars.
    """

    def __init__(self, root: Path, lock_wait_s: float = LOCK_WAIT_S) -> None:
        self._root = root / "bars"
        self._lock_wait_s = lock_wait_s

    def symbols(self) -> tuple[str, ...]:
        """Every symbol that has bars, sorted."""
        return tuple(symbol for symbol in symbols_in(self._root) if self.periods(symbol))

    def periods(self, symbol: str) -> tuple[int, ...]:
        """The stored periods of a symbol in seconds, shortest first."""
        folders = (self._root / folder_of(symbol)).glob("[0-9]*")
        return tuple(sorted(int(folder.name) for folder in folders if any(folder.glob("????.*"))))

    def coverage(self) -> list[BarCoverage]:
        """What is stored, by symbol and period."""
        return [
            self._coverage(symbol, period_s)
            for symbol in self.symbols()
            for period_s in self.periods(symbol)
        ]

    def read(
        self, symbol: str, period_s: int, start_ns: int = 0, end_ns: int = END_OF_TIME_NS
    ) -> BarSeries:
        """All bars with start ≤ bar's start < end, oldest first; empty when there are none."""
        parts = [_read(path, symbol, period_s) for path in self._files(symbol, period_s)]
        if not parts:
            return empty_bars(symbol, period_s)
        whole = join_bars(parts)
        start, stop = np.searchsorted(whole.ts_ns, [start_ns, end_ns])
        return whole.slice(int(start), int(stop))

    def preview(self, series: BarSeries) -> BarMergeResult:
        """What `merge` would say, without storing anything."""
        return _merged(self.read(series.symbol, series.period_s), series)[1]

    def merge(self, series: BarSeries) -> BarMergeResult:
        """Store bars; see the module for what happens to bars that are there already.

        Raises:
            StoreBusy: the disk is full, the folder may not be written or is being written by
                another process; nothing was stored.
        """
        folder = self._folder(series.symbol, series.period_s)
        with writable(folder, self._lock_wait_s):
            staged = StagedFiles()
            try:
                whole, result = _merged(self.read(series.symbol, series.period_s), series)
                for year, part in _by_year(whole):
                    if not _is_stored(folder / f"{year}.parquet", part):
                        _stage(staged, folder / f"{year}.parquet", part)
                staged.commit()
            finally:
                staged.discard()
        return result

    def _coverage(self, symbol: str, period_s: int) -> BarCoverage:
        footers = [read_footer(path) for path in self._files(symbol, period_s)]
        return BarCoverage(
            symbol,
            period_s,
            sum(footer.rows for footer in footers),
            footers[0].first_ts_ns,
            footers[-1].last_ts_ns,
            sum(footer.size_bytes for footer in footers),
        )

    def _folder(self, symbol: str, period_s: int) -> Path:
        return self._root / folder_of(symbol) / str(period_s)

    def _files(self, symbol: str, period_s: int) -> list[Path]:
        return sorted(self._folder(symbol, period_s).glob("[0-9][0-9][0-9][0-9].parquet"))


def bar_table(series: BarSeries) -> pa.Table:
    """The bars as `time_utc`, the eight price columns and `ticks`; the start in ms, UTC."""
    starts = pa.array(series.ts_ns // NS_PER_MS).cast(pa.timestamp("ms", "UTC"))
    columns = {"time_utc": starts} | dict(zip(PRICE_COLUMNS, series.prices, strict=True))
    return pa.table(columns | {"ticks": series.ticks})


def _stage(staged: StagedFiles, path: Path, series: BarSeries) -> None:
    table = bar_table(series).append_column("spread_points", pa.array(series.spread_points))
    staged.stage(path, lambda beside: pq.write_table(table, beside, compression="zstd"))


def _is_stored(path: Path, series: BarSeries) -> bool:
    if not path.exists():
        return False
    stored = _read(path, series.symbol, series.period_s)
    return (
        np.array_equal(stored.ts_ns, series.ts_ns)
        and np.array_equal(stored.prices, series.prices, equal_nan=True)
        and np.array_equal(stored.ticks, series.ticks)
        and np.array_equal(stored.spread_points, series.spread_points)
    )


def _read(path: Path, symbol: str, period_s: int) -> BarSeries:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise StoreBusy(
            f"The archive file {path} cannot be read: {error}.",
            remedy="Restore it from a backup, or remove it and import that year again.",
        ) from error
    return BarSeries(
        symbol,
        period_s,
        table.column("time_utc").cast(pa.int64()).to_numpy() * NS_PER_MS,
        np.stack([table.column(name).to_numpy() for name in PRICE_COLUMNS]),
        table.column("ticks").to_numpy(),
        table.column("spread_points").to_numpy(),
    )


def _merged(stored: BarSeries, given: BarSeries) -> tuple[BarSeries, BarMergeResult]:
    """The union by start, and what became of the given bars."""
    common, in_stored, in_given = np.intersect1d(
        stored.ts_ns, given.ts_ns, assume_unique=True, return_indices=True
    )
    old, new = stored.take(in_stored), given.take(in_given)
    differs = ((old.prices != new.prices) & ~np.isnan(old.prices) & ~np.isnan(new.prices)).any(0)
    is_last = differs & (old.ts_ns == (stored.ts_ns[-1] if len(stored) else 0))
    is_new = np.isin(given.ts_ns, common, assume_unique=True, invert=True)
    is_untouched = np.isin(stored.ts_ns, common, assume_unique=True, invert=True)
    union = join_bars(
        [
            stored.take(is_untouched),
            old.take(differs & ~is_last),
            new.take(is_last),
            _completed(old.take(~differs), new.take(~differs)),
            given.take(is_new),
        ]
    )
    replaced, conflicting = int(is_last.sum()), int((differs & ~is_last).sum())
    result = BarMergeResult(int(is_new.sum()), int((~differs).sum()), replaced, conflicting)
    return union.take(np.argsort(union.ts_ns)), result


def _completed(old: BarSeries, new: BarSeries) -> BarSeries:
    """The stored bars, with what only the given ones know."""
    is_unknown = old.spread_points == UNKNOWN_SPREAD
    return replace(
        old,
        prices=np.where(np.isnan(old.prices), new.prices, old.prices),
        ticks=np.where(old.ticks == 0, new.ticks, old.ticks),
        spread_points=np.where(is_unknown, new.spread_points, old.spread_points),
    )


def _by_year(series: BarSeries) -> Iterator[tuple[int, BarSeries]]:
    years = series.ts_ns.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970
    for year in np.unique(years).tolist():
        yield year, series.take(years == year)
