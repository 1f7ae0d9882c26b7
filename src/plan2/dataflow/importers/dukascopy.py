"""Dukascopy `.bi5` files: LZMA streams of fixed big-endian records; the path says what they are.

Ticks, `SYMBOL/YYYY/MM/DD/HHh_ticks.bi5`: u32 milliseconds of the hour, u32 ask, u32 bid, f32 ask
volume, f32 bid volume. Candles, `BID_candles_min_1.bi5` and so on: u32 seconds of the file's
period, u32 open, close, low, high, f32 volume. The month counts from 00, times are UTC, prices are
whole numbers to be divided by the symbol's divisor. A file of 0 bytes is an hour with the market
closed.
"""

import calendar
import datetime as dt
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plan2.dataflow.bar_series import UNKNOWN_SPREAD
from plan2.dataflow.importers.dataset import BarBatch, BarFile, ImportOptions, TickBatch, TickFile
from plan2.dataflow.importers.source import SourceFile
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MS, NS_PER_SECOND

TICK_RECORD: Final = np.dtype(
    [("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_volume", ">f4"), ("bid_volume", ">f4")]
)
CANDLE_RECORD: Final = np.dtype(
    [
        ("second", ">u4"),
        ("open", ">u4"),
        ("close", ">u4"),
        ("low", ">u4"),
        ("high", ">u4"),
        ("volume", ">f4"),
    ]
)
UNPACKED_BYTES_MAX: Final = 64 << 20
"""Far more than any hour of ticks or year of candles; a damaged stream must not fill the memory."""

PERIODS_S: Final = {"min": 60, "hour": 3_600, "day": 86_400}
PATH: Final = re.compile(
    r".*?([A-Za-z0-9.]+)/(\d{4})(?:/(\d\d))?(?:/(\d\d))?/"
    r"(?:(\d\d)h_ticks|(BID|ASK)_candles_(min|hour|day)_1)\.bi5"
)


@dataclass(frozen=True, slots=True)
class Place:
    """What the path of a file says; `span_ns` is the stretch of time that the file covers."""

    symbol: str
    start_ns: int
    span_ns: int
    side: str
    period_s: int


def recognise(source: SourceFile, options: ImportOptions) -> TickFile | BarFile | None:
    """The file as a Dukascopy file, or None when it is not named `.bi5`.

    Raises:
        InputError: it is named so, but its path does not say symbol and date.
    """
    if source.inner.suffix.lower() != ".bi5":
        return None
    place = _place(source)
    divisor = options.price_divisor or divisor_of(options.symbol or place.symbol)
    clock = f"UTC, prices divided by {divisor}"
    volumes = ("ask_volume", "bid_volume")
    if place.period_s == 0:
        return TickFile(
            "Dukascopy ticks",
            clock,
            "record",
            place.symbol,
            lambda: _ticks(source, place, divisor),
            volumes,
        )
    return BarFile(
        f"Dukascopy {place.side.lower()} candles",
        clock,
        "record",
        place.symbol,
        lambda: _candles(source, place, divisor),
        ("volume",),
        place.period_s,
    )


def divisor_of(symbol: str) -> int:
    """What Dukascopy's whole-number prices of a symbol are divided by."""
    name = symbol.upper()
    if name.startswith("BTC"):
        return 10
    if name.startswith(("XAU", "XAG")) or name.endswith(("JPY", "RUB")):
        return 1_000
    return 100_000


def _place(source: SourceFile) -> Place:
    found = PATH.fullmatch(source.inner.as_posix())
    try:
        if found is None:
            raise ValueError
        symbol, year, month, day, hour, side, unit = found.groups()
        has_day, has_month = unit in {None, "min"}, unit in {None, "min", "hour"}
        start = dt.datetime(
            int(year),
            int(month) + 1 if has_month else 1,
            int(day) if has_day else 1,
            int(hour or 0),
            tzinfo=dt.UTC,
        )
    except (ValueError, TypeError):
        raise source.refuse(
            "the path of a bi5 file should say symbol, date and content.",
            "Keep Dukascopy's folders: …/EURUSD/2019/01/04/13h_ticks.bi5 (months from 00).",
        ) from None
    hours = {None: 1, "min": 24, "hour": 24 * 31, "day": 24 * 366}[unit]
    if unit == "hour":
        hours = 24 * calendar.monthrange(start.year, start.month)[1]
    start_ns = int(start.timestamp()) * NS_PER_SECOND
    return Place(symbol.upper(), start_ns, hours * NS_PER_HOUR, side or "", PERIODS_S.get(unit, 0))


def _ticks(source: SourceFile, place: Place, divisor: int) -> Iterator[TickBatch]:
    records = _records(source, TICK_RECORD)
    if len(records) == 0:
        return
    elapsed_ns = records["ms"].astype(np.int64) * NS_PER_MS
    _demand_within(source, elapsed_ns, place.span_ns)
    yield TickBatch(
        1, place.start_ns + elapsed_ns, records["bid"] / divisor, records["ask"] / divisor
    )


def _candles(source: SourceFile, place: Place, divisor: int) -> Iterator[BarBatch]:
    records = _records(source, CANDLE_RECORD)
    if len(records) == 0:
        return
    elapsed_ns = records["second"].astype(np.int64) * NS_PER_SECOND
    _demand_within(source, elapsed_ns, place.span_ns)
    known = np.stack([records[name] / divisor for name in ("open", "high", "low", "close")])
    unknown = np.full_like(known, np.nan)
    sides = [known, unknown] if place.side == "BID" else [unknown, known]
    none = np.zeros(len(records), np.int64)
    yield BarBatch(
        1, place.start_ns + elapsed_ns, np.concatenate(sides), none, none + UNKNOWN_SPREAD
    )


def _records(source: SourceFile, record: np.dtype[np.void]) -> npt.NDArray[np.void]:
    with source.open() as stream:
        packed = stream.read(UNPACKED_BYTES_MAX)
    if not packed:
        return np.empty(0, record)
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_AUTO)
    try:
        data = unpacker.decompress(packed, UNPACKED_BYTES_MAX)
    except lzma.LZMAError as error:
        raise source.refuse(f"the LZMA stream is damaged: {error}.") from error
    whole, rest = divmod(len(data), record.itemsize)
    if rest or not unpacker.eof:
        raise source.refuse(
            f"record {whole + 1}: the file ends within it or its LZMA stream is cut off "
            f"({rest} of {record.itemsize} bytes)."
        )
    return np.frombuffer(data, record)


def _demand_within(source: SourceFile, elapsed_ns: npt.NDArray[np.int64], span_ns: int) -> None:
    is_late = elapsed_ns >= span_ns
    if is_late.any():
        raise source.refuse(
            f"record {int(is_late.argmax()) + 1}: its time lies outside the period that the "
            "file's name states."
        )
