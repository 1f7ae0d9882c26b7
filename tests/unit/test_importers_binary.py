"""Dukascopy and Parquet files: records, clocks, columns, and refusals that name the row."""

import lzma
import struct
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.importers.dataset import ImportOptions
from plan2.dataflow.importers.dukascopy import divisor_of
from plan2.dataflow.importers.importing import Importer
from plan2.dataflow.importers.outcome import ImportResult
from plan2.dataflow.importers.source import UnknownFormat
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError

HOUR = "EURUSD/2024/00/02/13h_ticks.bi5"  # 2 January 2024, 13:00
T0_MS = 1_704_200_400_000  # 2024-01-02T13:00:00Z


def records(*ticks: tuple[int, int, int]) -> bytes:
    """Dukascopy ticks from (ms, ask, bid) in points."""
    return b"".join(struct.pack(">IIIff", *tick, 1.5, 2.5) for tick in ticks)


def bi5(folder: Path, data: bytes, name: str = HOUR) -> Path:
    """A file of these bytes under Dukascopy's folders."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def importing(folder: Path, path: Path, **options: object) -> ImportResult:
    """Import into `folder`."""
    return Importer(folder, ImportOptions(**options), SimulatedClock(1)).run(path)


def packed(data: bytes) -> bytes:
    """LZMA as Dukascopy packs it."""
    return lzma.compress(data, lzma.FORMAT_ALONE)


def test_an_hour_of_ticks(tmp_path: Path) -> None:
    """Months count from 00, ask comes before bid, prices are divided by 100,000."""
    path = bi5(tmp_path, packed(records((0, 110_443, 110_427), (3_599_999, 110_444, 110_428))))
    result = importing(tmp_path, path)
    stored = TickArchive(tmp_path / "archive").read("EURUSD")

    assert (result.first, result.last) == ("2024-01-02T13:00:00.000Z", "2024-01-02T13:59:59.999Z")
    assert (stored.bid.tolist(), stored.ask.tolist()) == ([1.10427, 1.10428], [1.10443, 1.10444])


@pytest.mark.parametrize(
    ("symbol", "divisor"),
    [("EURUSD", 100_000), ("GBPJPY", 1_000), ("XAUUSD", 1_000), ("xagusd", 1_000), ("BTCUSD", 10)],
)
def test_divisors(symbol: str, divisor: int) -> None:
    """What Dukascopy's whole numbers mean, by symbol."""
    assert divisor_of(symbol) == divisor


def test_the_divisor_can_be_given(tmp_path: Path) -> None:
    """An index that is not in the rule gets its divisor from the user, and the output says so."""
    path = bi5(tmp_path, packed(records((0, 3_801, 3_800))), HOUR.replace("EURUSD", "USTEC"))
    result = importing(tmp_path, path, price_divisor=10)

    assert result.clock == "UTC, prices divided by 10"
    assert TickArchive(tmp_path / "archive").read("USTEC").bid.tolist() == [380.0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (packed(records((0, 2, 1))[:-1]), "record 1: the file ends within it"),
        (packed(records((0, 2, 1)))[:-3], "LZMA stream"),
        (b"\x5d nonsense", "LZMA stream"),
        (packed(records((5, 2, 1), (4, 2, 1))), "record 2: the time"),
        (packed(records((5, 2, 1), (6, 2, 0))), "record 2: prices are positive numbers, found 0"),
        (packed(records((3_600_000, 2, 1))), "record 1: its time lies outside the period"),
    ],
)
def test_a_broken_hour_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    """Cut streams and wrong records name the record; nothing is stored."""
    with pytest.raises(InputError, match=expected):
        importing(tmp_path, bi5(tmp_path, data))
    assert TickArchive(tmp_path / "archive").symbols() == ()


@pytest.mark.parametrize(
    "name", ["x.bi5", "EURUSD/2024/12/02/13h_ticks.bi5", "EURUSD/2024/00/13h_ticks.bi5"]
)
def test_a_path_that_does_not_say_the_date_is_refused(tmp_path: Path, name: str) -> None:
    """Month 12 does not exist when months count from 00; the remedy shows the folders."""
    with pytest.raises(InputError, match="should say symbol, date") as caught:
        importing(tmp_path, bi5(tmp_path, b"", name))
    assert "13h_ticks.bi5" in caught.value.remedy


def test_ask_candles_are_the_ask_side(tmp_path: Path) -> None:
    """ASK files fill the ask columns; open, close, low, high come in that order."""
    candle = struct.pack(">IIIIIf", 60, 110_001, 110_003, 110_000, 110_004, 3.5)
    path = bi5(tmp_path, packed(candle), "EURUSD/2024/00/02/ASK_candles_min_1.bi5")
    importing(tmp_path, path)
    bars = BarArchive(tmp_path / "archive").read("EURUSD", 60)

    assert bars.prices[4:, 0].tolist() == [1.10001, 1.10004, 1.1, 1.10003]
    assert np.isnan(bars.bid_open[0])
    assert int(bars.ts_ns[0]) == (T0_MS - 13 * 3_600_000 + 60_000) * 1_000_000


def parquet(folder: Path, columns: dict[str, object], name: str = "eurusd.parquet") -> Path:
    """A Parquet file of these columns."""
    path = folder / name
    pl.DataFrame(columns).write_parquet(path)
    return path


UTC_TIMES = pl.Series([T0_MS, T0_MS + 5], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
NAIVE_TIMES = pl.Series([T0_MS, T0_MS + 5], dtype=pl.Int64).cast(pl.Datetime("us"))
PRICES = {"bid": [1.1, 1.2], "ask": [1.3, 1.3]}


@pytest.mark.parametrize(
    ("times", "first", "clock"),
    [
        ({"time_utc": UTC_TIMES}, "2024-01-02T13:00:00.000Z", "UTC"),
        ({"time_utc": NAIVE_TIMES.cast(pl.Datetime("ms"))}, "1970-01-20T17:23:20.400Z", "UTC"),
        ({"ts_ns": [T0_MS * 10**6] * 2}, "2024-01-02T13:00:00.000Z", "UTC"),
        ({"time_msc": [T0_MS, T0_MS]}, "2024-01-02T11:00:00.000Z", "server time, New York +7"),
        (
            {"time": [T0_MS // 1000] * 2, "flags": [2, 4]},
            "2024-01-02T11:00:00.000Z",
            "server time, New York +7",
        ),
        ({"timestamp": UTC_TIMES}, "2024-01-02T13:00:00.000Z", "UTC"),
        (
            {"time": UTC_TIMES.dt.convert_time_zone("Asia/Tokyo")},
            "2024-01-02T13:00:00.000Z",
            "UTC",
        ),
        ({"time_msc": [0, 0], "time_utc": UTC_TIMES}, "2024-01-02T13:00:00.000Z", "UTC"),
    ],
)
def test_the_time_column_decides_the_clock(
    tmp_path: Path, times: dict[str, object], first: str, clock: str
) -> None:
    """UTC columns come before server time; MT5's numbers are server time."""
    result = importing(tmp_path, parquet(tmp_path, times | PRICES))

    assert (result.kind, result.rows, result.first, result.clock) == ("ticks", 2, first, clock)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"time_utc": UTC_TIMES, "price": [1.0, 2.0]}, "no bid and ask, and no open"),
        ({"timestamp": NAIVE_TIMES} | PRICES, "no time column whose clock is known"),
        ({"ts_event": [1, 2], "bid_price": [1, 2]}, r"ts_event \(int64\)"),
        ({"time_utc": UTC_TIMES, "bid": [110_427, 1], "ask": [110_443, 1]}, "floating-point"),
    ],
)
def test_odd_columns_are_an_unknown_format(
    tmp_path: Path, columns: dict[str, object], expected: str
) -> None:
    """The message lists the columns found, the remedy those expected."""
    with pytest.raises(UnknownFormat, match=expected) as caught:
        importing(tmp_path, parquet(tmp_path, columns))
    assert "time_utc" in caught.value.remedy


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (PRICES | {"bid": [1.1, None]}, "row 2: bid is missing"),
        (PRICES | {"bid": [1.1, float("nan")]}, "row 2: prices are positive numbers, found nan"),
        (PRICES | {"time_utc": UTC_TIMES.reverse()}, "row 2: the time"),
        (
            PRICES | {"time_utc": UTC_TIMES - pl.duration(days=90_000)},
            "row 1: the time lies outside",
        ),
        (PRICES | {"bid": ["1.1", "x"]}, "floating-point"),
    ],
)
def test_a_broken_row_refuses_the_file(
    tmp_path: Path, columns: dict[str, object], expected: str
) -> None:
    """Rows count from 1; nothing is stored."""
    frame = pl.DataFrame({"time_utc": UTC_TIMES} | PRICES).with_columns(
        **{
            name: values if isinstance(values, pl.Expr) else pl.Series(values, strict=False)
            for name, values in columns.items()
        }
    )
    frame.write_parquet(tmp_path / "eurusd.parquet")

    with pytest.raises(InputError, match=expected):
        importing(tmp_path, tmp_path / "eurusd.parquet")
    assert TickArchive(tmp_path / "archive").symbols() == ()


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    """Cut off in the middle: a sentence, no traceback."""
    path = parquet(tmp_path, {"time_utc": UTC_TIMES} | PRICES)
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(InputError, match="damaged"):
        importing(tmp_path, path)


def test_a_file_of_the_archive_can_be_imported_elsewhere(tmp_path: Path) -> None:
    """A day copied from another machine: points, rounding and symbol are in the file itself."""
    first, second = tmp_path / "first", tmp_path / "second"
    importing(first, parquet(tmp_path, {"time_utc": UTC_TIMES} | PRICES))
    day = next((first / "archive" / "ticks" / "EURUSD").glob("*.parquet"))
    moved = tmp_path / "day.parquet"
    moved.write_bytes(day.read_bytes())
    result = importing(second, moved)
    stored = TickArchive(second / "archive").read("EURUSD")

    assert (result.symbol, result.added) == ("EURUSD", 2)
    assert stored.bid.tolist() == PRICES["bid"]


def test_bars_with_both_sides(tmp_path: Path) -> None:
    """Eight price columns; the period comes from the distance of the bars."""
    starts = pl.Series([0, 300_000, 600_000]).cast(pl.Datetime("ms", "UTC"))
    sides = {
        f"{side}_{column}": [price, price + 0.5, price + 1.0]
        for side, price in (("bid", 1.0), ("ask", 2.0))
        for column in ("open", "high", "low", "close")
    }
    path = parquet(tmp_path, {"time_utc": starts, "ticks": [1, 2, 3]} | sides)
    result = importing(tmp_path, path)
    bars = BarArchive(tmp_path / "archive").read("EURUSD", 300)

    assert (result.kind, result.period_s, result.not_kept) == ("bars", 300, ())
    assert bars.ask_close.tolist() == [2.0, 2.5, 3.0]
    assert bars.ticks.tolist() == [1, 2, 3]
