"""HistData "Generic ASCII" files: ticks and one-minute bid bars, New York time without summer time.

Ticks: `YYYYMMDD HHMMSSmmm,bid,ask,volume`. Bars: `YYYYMMDD HHMMSS;open;high;low;close;volume`. Both
clocks are UTC-5 all year.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from plan2.dataflow.bar_series import UNKNOWN_SPREAD
from plan2.dataflow.importers.dataset import BarBatch, BarFile, ImportOptions, TickBatch, TickFile
from plan2.dataflow.importers.names import symbol_in
from plan2.dataflow.importers.source import SourceFile
from plan2.dataflow.importers.text import read_rows
from plan2.dataflow.server_clock import ServerClock

TICK_LINE: Final = re.compile(r"\d{8} \d{9},[\d.]+,[\d.]+,\d+")
BAR_LINE: Final = re.compile(r"\d{8} \d{6};[\d.]+;[\d.]+;[\d.]+;[\d.]+;\d+")
CLOCK: Final = ServerClock.parse("UTC-5")
CLOCK_NAME: Final = "UTC-5 all year"


def recognise(
    source: SourceFile,
    lines: list[str],
    options: ImportOptions,  # noqa: ARG001 - every format is asked the same way
) -> TickFile | BarFile | None:
    """The file as a HistData file, or None when its first line is not one of the two layouts."""
    symbol = symbol_in(source.inner)
    if TICK_LINE.fullmatch(lines[0]):
        return TickFile(
            "HistData ticks", CLOCK_NAME, "line", symbol, lambda: _ticks(source), ("volume",)
        )
    if BAR_LINE.fullmatch(lines[0]):
        return BarFile(
            "HistData one-minute bars",
            CLOCK_NAME,
            "line",
            symbol,
            lambda: _bars(source),
            ("volume",),
            period_s=60,
        )
    return None


def _ticks(source: SourceFile) -> Iterator[TickBatch]:
    for rows in read_rows(source, ("time", "bid", "ask", "volume"), ",", header_lines=0):
        times = CLOCK.to_utc(rows.times(("time",), ("%Y%m%d %H%M%S%3f",)))
        yield TickBatch(rows.first_line, times, rows.prices("bid"), rows.prices("ask"))


def _bars(source: SourceFile) -> Iterator[BarBatch]:
    columns = ("time", "open", "high", "low", "close", "volume")
    for rows in read_rows(source, columns, ";", header_lines=0):
        bid = np.stack([rows.prices(name) for name in columns[1:5]])
        none = np.zeros(len(rows.frame), np.int64)
        yield BarBatch(
            rows.first_line,
            CLOCK.to_utc(rows.times(("time",), ("%Y%m%d %H%M%S",))),
            np.concatenate([bid, np.full_like(bid, np.nan)]),
            none,
            none + UNKNOWN_SPREAD,
        )
