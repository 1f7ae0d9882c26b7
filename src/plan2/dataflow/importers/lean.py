"""LEAN tick files: `milliseconds since midnight,bid,ask`, the date and symbol in the file's name.

The clock is UTC, except for FXCM's data, which LEAN keeps in New York standard time (UTC-5).
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from plan2.dataflow.importers.dataset import ImportOptions, TickBatch, TickFile
from plan2.dataflow.importers.source import SourceFile
from plan2.dataflow.importers.text import read_rows
from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.values import NS_PER_MS

NAME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)_([a-z0-9]+)_tick_quote")
LINE: Final = re.compile(r"\d+(\.\d+)?,[\d.]+,[\d.]+")


def recognise(
    source: SourceFile,
    lines: list[str],
    options: ImportOptions,  # noqa: ARG001 - every format is asked the same way
) -> TickFile | None:
    """The file as a LEAN quote-tick file, or None when its name or first line is not like one."""
    named = NAME.fullmatch(source.inner.stem)
    if named is None or LINE.fullmatch(lines[0]) is None:
        return None
    year, month, day, symbol = named.groups()
    clock = ServerClock.parse("UTC-5" if "fxcm" in source.inner.parts else "UTC")
    try:
        midnight = np.datetime64(f"{year}-{month}-{day}", "ns")
    except ValueError:
        raise source.refuse(f"the name states the date {year}-{month}-{day}.") from None
    midnight_ns = int(midnight.astype(np.int64))
    return TickFile(
        "LEAN ticks",
        clock.name,
        "line",
        symbol.upper(),
        lambda: _ticks(source, midnight_ns, clock),
    )


def _ticks(source: SourceFile, midnight_ns: int, clock: ServerClock) -> Iterator[TickBatch]:
    for rows in read_rows(source, ("time", "bid", "ask"), ",", header_lines=0):
        elapsed_ns = np.rint(rows.prices("time") * NS_PER_MS).astype(np.int64)
        times = clock.to_utc(midnight_ns + elapsed_ns)
        yield TickBatch(rows.first_line, times, rows.prices("bid"), rows.prices("ask"))
