"""TrueFX tick files: `USD/JPY,YYYYMMDD HH:MM:SS.mmm,bid,ask`, UTC, no header."""

import re
from collections.abc import Iterator
from typing import Final

from plan2.dataflow.importers.dataset import ImportOptions, TickBatch, TickFile
from plan2.dataflow.importers.source import SourceFile
from plan2.dataflow.importers.text import read_rows

LINE: Final = re.compile(r"([A-Z]{3})/([A-Z]{3}),\d{8} \d\d:\d\d:\d\d\.\d+,[\d.]+,[\d.]+")


def recognise(
    source: SourceFile,
    lines: list[str],
    options: ImportOptions,  # noqa: ARG001 - every format is asked the same way
) -> TickFile | None:
    """The file as a TrueFX file, or None when its first line is not of that layout."""
    found = LINE.fullmatch(lines[0])
    if found is None:
        return None
    pair = f"{found.group(1)}/{found.group(2)}"
    symbol = pair.replace("/", "")
    return TickFile("TrueFX ticks", "UTC", "line", symbol, lambda: _ticks(source, pair))


def _ticks(source: SourceFile, pair: str) -> Iterator[TickBatch]:
    for rows in read_rows(source, ("pair", "time", "bid", "ask"), ",", header_lines=0):
        is_other = rows.frame["pair"].ne_missing(pair)
        if is_other.any():
            line = rows.first_line + int(is_other.arg_max() or 0)
            raise source.refuse(f"line {line}: the file is about {pair}, found another pair.")
        times = rows.times(("time",), ("%Y%m%d %H:%M:%S%.f",))
        yield TickBatch(rows.first_line, times, rows.prices("bid"), rows.prices("ask"))
