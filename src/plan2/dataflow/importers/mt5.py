"""MetaTrader 5 exports: ticks and bars as the terminal writes them, in the server's time.

Ticks: `<DATE> <TIME> <BID> <ASK> <LAST> <VOLUME> <FLAGS>`, tab-separated; a blank price means that
it did not change. Bars: `<DATE> <TIME> <OPEN> <HIGH> <LOW> <CLOSE> <TICKVOL> <VOL> <SPREAD>`, bid
prices, spread in points; daily and longer bars have no TIME. The angle brackets may be missing.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from plan2.dataflow.bar_series import UNKNOWN_SPREAD
from plan2.dataflow.importers.dataset import BarBatch, BarFile, ImportOptions, TickBatch, TickFile
from plan2.dataflow.importers.names import period_in, symbol_in
from plan2.dataflow.importers.source import SourceFile
from plan2.dataflow.importers.text import TextRows, read_rows, separator_of
from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.values import Float64Array, Int64Array

TIME_LAYOUTS: Final = ("%Y.%m.%d %H:%M:%S%.f", "%Y.%m.%d %H:%M")
DATE_LAYOUTS: Final = ("%Y.%m.%d",)
PRICES: Final = ("OPEN", "HIGH", "LOW", "CLOSE")


def recognise(
    source: SourceFile, lines: list[str], options: ImportOptions
) -> TickFile | BarFile | None:
    """The file as an MT5 export, or None when its first line is not MT5's header."""
    separator = separator_of(lines[0])
    columns = tuple(field.strip("<> ").upper() for field in lines[0].split(separator))
    if columns[0] != "DATE":
        return None
    if {"TIME", "BID", "ASK"} <= set(columns):
        return TickFile(
            format="MT5 tick export",
            clock=f"server time, {options.server_clock.name}",
            row_word="line",
            symbol=symbol_in(source.inner),
            batches=lambda: _ticks(source, columns, separator, options.server_clock),
            not_kept=_others(columns, {"BID", "ASK"}),
        )
    if set(PRICES) <= set(columns):
        return BarFile(
            format="MT5 bar export",
            clock=f"server time, {options.server_clock.name}",
            row_word="line",
            symbol=symbol_in(source.inner),
            batches=lambda: _bars(source, columns, separator, options.server_clock),
            not_kept=_others(columns, {*PRICES, "TICKVOL", "SPREAD"}),
            period_s=period_in(source.inner) or 0,
        )
    return None


def _ticks(
    source: SourceFile, columns: tuple[str, ...], separator: str, clock: ServerClock
) -> Iterator[TickBatch]:
    bid_before = ask_before = np.nan
    for rows in read_rows(source, columns, separator, header_lines=1):
        bid = _filled(rows.prices_or_blank("BID"), bid_before)
        ask = _filled(rows.prices_or_blank("ASK"), ask_before)
        bid_before, ask_before = bid[-1], ask[-1]
        times = rows.times(("DATE", "TIME"), TIME_LAYOUTS)
        yield TickBatch(rows.first_line, clock.to_utc(times), bid, ask)


def _bars(
    source: SourceFile, columns: tuple[str, ...], separator: str, clock: ServerClock
) -> Iterator[BarBatch]:
    for rows in read_rows(source, columns, separator, header_lines=1):
        if "TIME" in columns:
            times = rows.times(("DATE", "TIME"), TIME_LAYOUTS)
        else:
            times = rows.times(("DATE",), DATE_LAYOUTS)
        bid = np.stack([rows.prices(name) for name in PRICES])
        yield BarBatch(
            rows.first_line,
            clock.to_utc(times),
            np.concatenate([bid, np.full_like(bid, np.nan)]),
            _counts(rows, columns, "TICKVOL", 0),
            _counts(rows, columns, "SPREAD", UNKNOWN_SPREAD),
        )


def _counts(rows: TextRows, columns: tuple[str, ...], name: str, absent: int) -> Int64Array:
    if name in columns:
        return rows.counts(name)
    return np.full(len(rows.frame), absent, np.int64)


def _filled(prices: Float64Array, before: float) -> Float64Array:
    """Each blank (NaN) replaced by the last price above it."""
    rows = np.where(np.isnan(prices), -1, np.arange(len(prices)))
    last_known = np.maximum.accumulate(rows)
    return np.where(last_known < 0, before, prices[last_known])


def _others(columns: tuple[str, ...], kept: set[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in columns if name not in kept | {"DATE", "TIME"})
