"""Parquet files of ticks (bid, ask) or bars (OHLC), ours and those of common tools.

The time column decides the clock: `time_utc`, `ts_ns` and any time with a zone are instants;
`time_server`, and MetaTrader's own `time_msc` and `time`, are server time. Files of the tick
archive hold whole points.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from plan2.dataflow.bar_series import PRICE_COLUMNS, UNKNOWN_SPREAD
from plan2.dataflow.importers.dataset import BarBatch, BarFile, ImportOptions, TickBatch, TickFile
from plan2.dataflow.importers.names import period_in, symbol_in
from plan2.dataflow.importers.source import SourceFile, UnknownFormat
from plan2.dataflow.price_grid import Grid, to_prices
from plan2.dataflow.server_clock import ServerClock
from plan2.dataflow.tick_file import SYMBOL_KEY, grid_of
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Float64Array, Int64Array

MAGIC: Final = b"PAR1"
BATCH_ROWS: Final = 1 << 20
SIDES: Final = (("bid", "ask"), ("bid_points", "ask_points"))
BID_ONLY: Final = ("open", "high", "low", "close")
MT5_COLUMNS: Final = frozenset({"tick_volume", "real_volume", "flags", "volume_real"})
EXPECTED: Final = (
    "Expected time_utc with bid and ask, or time_utc with open, high, low, close or with "
    "bid_open … ask_close."
)


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Which column holds the time, what one of its units is (0: a timestamp), whose clock it is."""

    name: str
    unit_ns: int
    clock: ServerClock
    is_server: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch of the file; `first_row` counts from 1.

    Columns become arrays without `to_numpy`, which would import pandas for nothing, and without
    `cast` where nothing is to be changed, which would import pyarrow's compute functions.
    """

    source: SourceFile
    first_row: int
    columns: pa.RecordBatch

    def numbers(self, name: str) -> Float64Array:
        """A column as float64; null is refused."""
        column = self.columns.column(name)
        if column.type == pa.int32() and not column.null_count:
            return np.from_dlpack(column).astype(np.float64)
        numbers: Float64Array = np.asarray(
            np.from_dlpack(self._cast(name, pa.float64())), np.float64
        )
        return numbers

    def counts(self, name: str, absent: int) -> Int64Array:
        """A column as int64, or `absent` everywhere when the file has no such column."""
        if name not in self.columns.schema.names:
            return np.full(self.columns.num_rows, absent, np.int64)
        counts: Int64Array = self._cast(name, pa.int64()).to_numpy()
        return counts

    def times(self, time: TimeColumn) -> Int64Array:
        """The time column in UTC ns."""
        if time.unit_ns:
            values: Int64Array = np.asarray(
                np.from_dlpack(self._cast(time.name, pa.int64())), np.int64
            )
            values = values * time.unit_ns
        else:
            zone = self.columns.schema.field(time.name).type.tz
            in_ns = self._cast(time.name, pa.timestamp("ns", zone))
            values = np.asarray(np.from_dlpack(in_ns.view(pa.int64())), np.int64)
        return time.clock.to_utc(values)

    def _cast(self, name: str, kind: pa.DataType) -> pa.Array:
        column = self.columns.column(name)
        if column.null_count:
            row = column.is_null().index(True).as_py()
            raise self.source.refuse(f"row {self.first_row + row}: {name} is missing.")
        if column.type == kind:
            return column
        try:
            return column.cast(kind)
        except pa.ArrowException as error:
            raise self.source.refuse(f"{name} is not {kind}: {error}.") from error


def recognise(source: SourceFile, options: ImportOptions) -> TickFile | BarFile | None:
    """The file as ticks or bars, or None when it is not Parquet.

    Raises:
        InputError: it is Parquet, but damaged or without columns that we know.
    """
    if not source.head.startswith(MAGIC):
        return None
    schema = _schema(source)
    names = frozenset(schema.names)
    time = _time_column(source, schema, options.server_clock)
    clock = f"server time, {time.clock.name}" if time.is_server else "UTC"
    metadata = schema.metadata or {}
    symbol = metadata[SYMBOL_KEY].decode() if SYMBOL_KEY in metadata else symbol_in(source.inner)
    times = {time.name, "time_utc", "time_server", "time_msc", "time", "ts_ns"}
    sides = next((pair for pair in SIDES if set(pair) <= names), None)
    if sides is not None:
        grid = _grid(source, schema, sides[0])
        return TickFile(
            "Parquet ticks",
            clock,
            "row",
            symbol,
            lambda: _ticks(source, time, sides, grid),
            tuple(sorted(names - times - set(sides))),
        )
    prices = next((p for p in (PRICE_COLUMNS, BID_ONLY) if set(p) <= names), None)
    if prices is None:
        raise _unknown(source, schema, "no bid and ask, and no open, high, low, close")
    counts = {"ticks", "tick_volume", "spread", "spread_points"}
    return BarFile(
        "Parquet bars",
        clock,
        "row",
        symbol,
        lambda: _bars(source, time, prices),
        tuple(sorted(names - times - set(prices) - counts)),
        period_in(source.inner) or 0,
    )


def _ticks(
    source: SourceFile, time: TimeColumn, sides: tuple[str, str], grid: Grid | None
) -> Iterator[TickBatch]:
    for rows in _rows(source, [time.name, *sides]):
        bid, ask = (rows.numbers(side) for side in sides)
        if grid is not None:
            bid, ask = to_prices(bid, grid), to_prices(ask, grid)
        yield TickBatch(rows.first_row, rows.times(time), bid, ask)


def _bars(source: SourceFile, time: TimeColumn, names: tuple[str, ...]) -> Iterator[BarBatch]:
    for rows in _rows(source):
        known = np.stack([rows.numbers(name) for name in names])
        unknown = np.full((8 - len(names), known.shape[1]), np.nan)
        ticks = "ticks" if "ticks" in rows.columns.schema.names else "tick_volume"
        spread = "spread" if "spread" in rows.columns.schema.names else "spread_points"
        yield BarBatch(
            rows.first_row,
            rows.times(time),
            np.concatenate([known, unknown]),
            rows.counts(ticks, 0),
            rows.counts(spread, UNKNOWN_SPREAD),
        )


def _rows(source: SourceFile, names: list[str] | None = None) -> Iterator[Rows]:
    first_row = 1
    try:
        with source.open() as stream, pq.ParquetFile(stream) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=names):
                if batch.num_rows:
                    yield Rows(source, first_row, batch)
                first_row += batch.num_rows
    except pa.ArrowException as error:
        raise source.refuse(f"rows from {first_row} on cannot be read: {error}.") from error


def _schema(source: SourceFile) -> pa.Schema:
    try:
        with source.open() as stream, pq.ParquetFile(stream) as file:
            return file.schema_arrow
    except pa.ArrowException as error:
        raise source.refuse(f"the Parquet file is damaged: {error}.") from error


def _time_column(source: SourceFile, schema: pa.Schema, server: ServerClock) -> TimeColumn:
    utc = ServerClock.parse("UTC")
    is_mt5 = not MT5_COLUMNS.isdisjoint(schema.names)
    rules: list[tuple[str, Callable[[pa.DataType], bool], int, bool]] = [
        ("time_utc", pa.types.is_timestamp, 0, False),
        ("ts_ns", pa.types.is_integer, 1, False),
        ("time_server", _is_naive, 0, True),
        ("time_msc", pa.types.is_integer, NS_PER_MS, True),
        ("time", lambda kind: is_mt5 and pa.types.is_integer(kind), NS_PER_SECOND, True),
        ("time", lambda kind: is_mt5 and _is_naive(kind), 0, True),
        *((name, _is_instant, 0, False) for name in ("time", "timestamp", "datetime")),
    ]
    for name, fits, unit_ns, is_server in rules:
        if name in schema.names and fits(schema.field(name).type):
            return TimeColumn(name, unit_ns, server if is_server else utc, is_server)
    raise _unknown(source, schema, "no time column whose clock is known")


def _is_instant(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) and kind.tz is not None


def _is_naive(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) and kind.tz is None


def _grid(source: SourceFile, schema: pa.Schema, bid: str) -> Grid | None:
    grid = grid_of(schema.metadata)
    if grid is None and not pa.types.is_floating(schema.field(bid).type):
        raise _unknown(source, schema, f"{bid} is not a floating-point price")
    return grid


def _unknown(source: SourceFile, schema: pa.Schema, what: str) -> UnknownFormat:
    found = ", ".join(f"{field.name} ({field.type})" for field in schema)
    return UnknownFormat(
        f"{source.path}: a Parquet file with {what}; its columns are {found}.", remedy=EXPECTED
    )
