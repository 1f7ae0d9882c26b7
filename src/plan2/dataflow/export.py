"""Archived or imported market data as plain files for other tools: Parquet, or CSV by its name.

The file appears whole: it is written beside its place and then takes its name.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from plan2.dataflow.bar_archive import bar_table
from plan2.dataflow.bar_series import BarSeries
from plan2.dataflow.store_files import StagedFiles
from plan2.foundation.errors import InputError
from plan2.foundation.values import TickBlock

TICK_SCHEMA: Final = pa.schema(
    [("time_utc", pa.timestamp("ns", "UTC")), ("bid", pa.float64()), ("ask", pa.float64())]
)


def write_tick_table(path: Path, blocks: Iterable[TickBlock]) -> int:
    """Write ticks as time_utc (ns), bid, ask; returns how many.

    Raises:
        InputError: the file cannot be written; an older version of it is unchanged.
    """
    written = 0

    def write(beside: Path) -> None:
        nonlocal written
        with _writer(beside, path, TICK_SCHEMA) as writer:
            for block in blocks:
                times = pa.array(block.ts_ns).cast(TICK_SCHEMA.field("time_utc").type)
                writer.write_table(pa.table([times, block.bid, block.ask], schema=TICK_SCHEMA))
                written += len(block)

    _replace(path, write)
    return written


def write_bar_table(path: Path, series: BarSeries) -> None:
    """Write bars as time_utc (start, ms), bid and ask OHLC, ticks.

    Raises:
        InputError: the file cannot be written; an older version of it is unchanged.
    """
    table = bar_table(series)

    def write(beside: Path) -> None:
        with _writer(beside, path, table.schema) as writer:
            writer.write_table(table)

    _replace(path, write)


def _writer(beside: Path, path: Path, schema: pa.Schema) -> "pq.ParquetWriter | pa_csv.CSVWriter":
    if path.suffix.lower() == ".csv":
        return pa_csv.CSVWriter(beside, schema)
    return pq.ParquetWriter(beside, schema, compression="zstd")


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    staged = StagedFiles()
    try:
        staged.stage(path, write)
        staged.commit()
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}.") from error
    finally:
        staged.discard()
