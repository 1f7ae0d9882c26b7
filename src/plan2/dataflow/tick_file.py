"""One Parquet file of ticks: how they are written small and read back bit for bit.

Columns: `time_utc` (a UTC timestamp in the coarsest of ms, µs, ns that holds every time exactly)
and `bid_points`, `ask_points` (whole points; the file's metadata says `digits` and `rounding`), or
`bid`, `ask` as float64 where no grid of 8 digits holds the prices. Rows are in time order; rows
that share a time are in the order in which they arrived. Whole numbers are delta-encoded, times in
the coarsest unit: zstd on top saves only 6 % and doubles the time of reading, as does a column that
may hold nulls (benchmarks/archive.py). Floats are compressed. Each page carries a checksum that
every reading verifies. Files of before (compressed, nullable, without checksums) read the same.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from plan2.dataflow.price_grid import Grid, PointArray, Rounding, to_points, to_prices
from plan2.foundation.errors import StoreBusy
from plan2.foundation.values import Float64Array, Int64Array, TickBlock

UNITS_NS: Final = {"ms": 1_000_000, "us": 1_000, "ns": 1}
DIGITS_KEY: Final = b"digits"
ROUNDING_KEY: Final = b"rounding"
SYMBOL_KEY: Final = b"symbol"
FLOATS: Final = frozenset({"bid", "ask"})


@dataclass(frozen=True, slots=True)
class StoredTicks:
    """Ticks as the file holds them, not yet converted.

    times: int64[n] in steps of `step_ns` since the epoch, UTC. bid, ask: points of `grid`, or
    float64 prices when that is None.
    """

    times: Int64Array
    step_ns: int
    bid: PointArray | Float64Array
    ask: PointArray | Float64Array
    grid: Grid | None

    def write_to(self, block: TickBlock) -> None:
        """Fill the columns of a block of the same length with nanoseconds and prices."""
        np.multiply(self.times, self.step_ns, out=block.ts_ns)
        for column, prices in ((self.bid, block.bid), (self.ask, block.ask)):
            if self.grid is None:
                prices[:] = column
            else:
                to_prices(column, self.grid, out=prices)

    def block(self, symbol: str) -> TickBlock:
        """The same ticks as nanoseconds and prices."""
        block = empty_block(symbol, len(self.times))
        self.write_to(block)
        return block


@dataclass(frozen=True, slots=True)
class Footer:
    """What a file says of itself without reading its rows; times UTC ns, both inclusive."""

    rows: int
    first_ts_ns: int
    last_ts_ns: int
    size_bytes: int


def empty_block(symbol: str, ticks: int) -> TickBlock:
    """A block of so many ticks whose columns are yet to be filled."""
    return TickBlock(symbol, np.empty(ticks, np.int64), np.empty(ticks), np.empty(ticks))


def as_prices(column: PointArray | Float64Array, grid: Grid | None) -> Float64Array:
    """Prices of a column of `StoredTicks`: points of a grid, or prices already."""
    if grid is None:
        prices: Float64Array = np.asarray(column, np.float64)
        return prices
    return to_prices(column, grid)


def grid_of(metadata: dict[bytes, bytes] | None) -> Grid | None:
    """The grid that a file's metadata states, or None when its prices are floats."""
    if not metadata or DIGITS_KEY not in metadata:
        return None
    return Grid(int(metadata[DIGITS_KEY]), Rounding(metadata[ROUNDING_KEY].decode()))


def write_ticks(path: Path, block: TickBlock) -> None:
    """Write a block of at least one tick, replacing the file; not flushed to the disk."""
    unit, steps = _coarsest(block.ts_ns)
    columns = {"time_utc": pa.array(steps).cast(pa.timestamp(unit, "UTC"))}
    metadata = {SYMBOL_KEY: block.symbol.encode()}
    found = to_points(block.bid, block.ask)
    if found is None:
        columns |= {"bid": pa.array(block.bid), "ask": pa.array(block.ask)}
    else:
        columns |= {"bid_points": pa.array(found.bid), "ask_points": pa.array(found.ask)}
        metadata[DIGITS_KEY] = str(found.grid.digits).encode()
        metadata[ROUNDING_KEY] = found.grid.rounding.value.encode()
    fields = [pa.field(name, column.type, nullable=False) for name, column in columns.items()]
    pq.write_table(
        pa.table(columns, schema=pa.schema(fields, metadata)),
        path,
        compression={name: "zstd" if name in FLOATS else "none" for name in columns},
        compression_level={name: 1 for name in columns if name in FLOATS} or None,
        use_dictionary=False,
        write_page_checksum=True,
        column_encoding={
            name: "BYTE_STREAM_SPLIT" if name in FLOATS else "DELTA_BINARY_PACKED"
            for name in columns
        },
    )


def read_ticks(path: Path) -> StoredTicks:
    """Read a whole tick file.

    Raises:
        StoreBusy: the file is damaged or cannot be opened.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error
    times, bid, ask = (table.column(index) for index in range(3))
    return StoredTicks(
        times=times.cast(pa.int64()).to_numpy(),
        step_ns=UNITS_NS[times.type.unit],
        bid=bid.to_numpy(),
        ask=ask.to_numpy(),
        grid=grid_of(table.schema.metadata),
    )


def count_rows(path: Path) -> int:
    """How many rows a file has.

    Raises:
        StoreBusy: the file is damaged or cannot be opened.
    """
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error


def read_footer(path: Path) -> Footer:
    """Count, first and last `time_utc` of a file of ticks or bars, from its own statistics.

    Raises:
        StoreBusy: the file is damaged or cannot be opened.
    """
    try:
        with pq.ParquetFile(path) as file:
            metadata, schema = file.metadata, file.schema_arrow
        size_bytes = path.stat().st_size
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error
    step_ns = UNITS_NS[schema.field("time_utc").type.unit]
    first = metadata.row_group(0).column(0).statistics
    last = metadata.row_group(metadata.num_row_groups - 1).column(0).statistics
    return Footer(metadata.num_rows, first.min_raw * step_ns, last.max_raw * step_ns, size_bytes)


def _coarsest(ts_ns: Int64Array) -> tuple[str, Int64Array]:
    """The coarsest unit that holds every time exactly, and the times in it."""
    for unit, step_ns in UNITS_NS.items():
        steps = ts_ns // step_ns
        if np.array_equal(steps * step_ns, ts_ns):  # several times faster than a remainder
            return unit, steps
    return "ns", ts_ns


def _damaged(path: Path, error: Exception) -> StoreBusy:
    return StoreBusy(
        f"The archive file {path} cannot be read: {error}.",
        remedy="Restore it from a backup, or remove it and import that day again.",
    )
