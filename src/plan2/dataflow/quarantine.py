"""Where ticks go that were not trusted: kept with the reason, never silently dropped.

Files lie under `<data_dir>/quarantine/<SYMBOL>/`: one for each imported file that had such rows,
named by the file's SHA-256, and one for each batch that the live quality gate set aside.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from plan2.dataflow.store_files import StagedFiles, folder_of, writable
from plan2.foundation.values import Int64Array, Tick, TickBlock

LOCK_WAIT_S: Final = 10.0
SCHEMA: Final = pa.schema(
    [
        ("time_utc", pa.timestamp("ns", "UTC")),
        ("bid", pa.float64()),
        ("ask", pa.float64()),
        ("reason", pa.string()),
        ("row", pa.int64()),
    ]
)
"""`row`: the row of the imported file, or the number of the tick in its feed (`Tick.seq`)."""


class Quarantined(msgspec.Struct, frozen=True, gc=False):
    """A tick that was set aside, and why."""

    tick: Tick
    reason: str


class RejectedRows:
    """Takes the rows of one imported file that were set aside; no row, no file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def add(self, ticks: TickBlock, rows: Int64Array, reason: str) -> None:
        """Keep these ticks; `rows` are their numbers in the file."""
        if len(ticks) == 0:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, SCHEMA, compression="zstd")
        times = pa.array(ticks.ts_ns).cast(SCHEMA.field("time_utc").type)
        columns = [times, ticks.bid, ticks.ask, [reason] * len(ticks), rows]
        self._writer.write_table(pa.table(columns, schema=SCHEMA))

    def close(self) -> bool:
        """Finish the file; whether there is one."""
        if self._writer is None:
            return False
        self._writer.close()
        return True


@contextmanager
def rejected_rows(data_dir: Path, symbol: str, sha256: str) -> Iterator[RejectedRows]:
    """Where the rejected rows of an imported file go; the file appears at the end, or not at all.

    Raises:
        StoreBusy: the disk is full or the folder may not be written.
    """
    folder = data_dir / "quarantine" / folder_of(symbol)
    with writable(folder, LOCK_WAIT_S):
        beside = folder / f".{sha256}.tmp"
        rows = RejectedRows(beside)
        try:
            yield rows
            if rows.close():
                beside.replace(folder / f"{sha256}.parquet")
        finally:
            rows.close()
            beside.unlink(missing_ok=True)


class QuarantineWriter:
    """Writes what live quality gates set aside, away from the tick path.

    Args:
        data_dir: the folder for everything Plan2 keeps.
    """

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "quarantine"

    async def write(self, symbol: str, quarantined: Sequence[Quarantined]) -> None:
        """Write these ticks of one symbol to a file of their own.

        Raises:
            StoreBusy: the disk is full or the folder may not be written.
        """
        if quarantined:
            await asyncio.to_thread(self._write, symbol, quarantined)

    def _write(self, symbol: str, quarantined: Sequence[Quarantined]) -> None:
        ticks = [entry.tick for entry in quarantined]
        table = pa.table(
            [
                pa.array([tick.ts_ns for tick in ticks]).cast(SCHEMA.field("time_utc").type),
                np.array([tick.bid for tick in ticks]),
                np.array([tick.ask for tick in ticks]),
                [entry.reason for entry in quarantined],
                np.array([tick.seq for tick in ticks]),
            ],
            schema=SCHEMA,
        )
        folder = self._root / folder_of(symbol)
        with writable(folder, LOCK_WAIT_S):
            path = _unused(folder, f"live-{ticks[0].ts_ns}")
            staged = StagedFiles()
            try:
                staged.stage(path, lambda beside: pq.write_table(table, beside))
                staged.commit()
            finally:
                staged.discard()


def _unused(folder: Path, stem: str) -> Path:
    """The first of stem.parquet, stem-1.parquet, … that does not exist."""
    path = folder / f"{stem}.parquet"
    number = 0
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.parquet"
    return path
