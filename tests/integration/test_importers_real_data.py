"""Every real file in its original format is recognised, counted and dated as documented."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from plan2.cli import command as plan2
from plan2.commands.import_ import command as import_command
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.importers.dataset import ImportOptions
from plan2.dataflow.importers.importing import Importer
from plan2.dataflow.importers.outcome import ImportResult
from plan2.foundation.clock import SimulatedClock

SERVER_CLOCK = "server time, New York +7"
FORMATS = [
    (
        "formats/DAT_ASCII_EURUSD_M1_201701.csv.gz",
        ("bars", "EURUSD", 60, 31_500, "2017-01-02T07:00:00.000Z", "UTC-5 all year"),
    ),
    (
        "formats/DAT_ASCII_EURUSD_M1_201702.csv.gz",
        ("bars", "EURUSD", 60, 28_779, "2017-02-01T05:00:00.000Z", "UTC-5 all year"),
    ),
    (
        "formats/histdata_ascii_ticks_eurusd_2020-01-01.csv",
        ("ticks", "EURUSD", None, 9_500, "2020-01-01T22:00:00.065Z", "UTC-5 all year"),
    ),
    (
        "formats/truefx_usdjpy_ticks_2013-01-01.csv",  # 999 line ends, 1,000 lines
        ("ticks", "USDJPY", None, 1_000, "2013-01-01T22:00:00.295Z", "UTC"),
    ),
    (
        "formats/lean/xauusd/20140504_quote.zip",
        ("ticks", "XAUUSD", None, 9_889, "2014-05-04T22:00:00.579Z", "UTC"),
    ),
    (
        "formats/mt5_export_EURUSD_H1.csv.gz",
        ("bars", "EURUSD", 3_600, 24_836, "2015-01-01T22:00:00.000Z", SERVER_CLOCK),
    ),
    (
        "formats/mt5_export_EURUSD_H4.csv",
        ("bars", "EURUSD", 14_400, 6_220, "2015-01-01T22:00:00.000Z", SERVER_CLOCK),
    ),
    (
        "formats/mt5_export_EURUSD_D1.csv",
        ("bars", "EURUSD", 86_400, 1_037, "2015-01-01T22:00:00.000Z", SERVER_CLOCK),
    ),
    (
        "formats/mt5_export_EURUSD_W1.csv",
        ("bars", "EURUSD", 604_800, 209, "2015-01-03T22:00:00.000Z", SERVER_CLOCK),
    ),
    (
        "formats/dukascopy/BTCUSD/2023/01/20/12h_ticks.bi5",
        ("ticks", "BTCUSD", None, 8_523, "2023-02-20T12:00:00.084Z", "UTC, prices divided by 10"),
    ),
    (
        "formats/dukascopy/BTCUSD/2018/BID_candles_day_1.bi5",
        ("bars", "BTCUSD", 86_400, 365, "2018-01-01T00:00:00.000Z", "UTC, prices divided by 10"),
    ),
    (
        "formats/dukascopy/BTCUSD/2023/00/BID_candles_hour_1.bi5",
        ("bars", "BTCUSD", 3_600, 744, "2023-01-01T00:00:00.000Z", "UTC, prices divided by 10"),
    ),
    (
        "crypto/binance_futures_btcusdt_quotes_2020-02-22.parquet",
        ("ticks", "BTCUSDT", None, 9_999, "2020-02-22T00:00:01.096Z", "UTC"),
    ),
    (
        "bars/oanda_xauusd_h1_2006_2019.parquet",
        ("bars", "XAUUSD", 3_600, 76_261, "2006-03-20T00:00:00.000Z", "UTC"),
    ),
]


def importing(data_dir: Path, path: Path, **options: object) -> ImportResult:
    """Import one file with default options."""
    return Importer(data_dir, ImportOptions(**options), SimulatedClock(1)).run(path)


@pytest.mark.parametrize(("name", "expected"), FORMATS, ids=[name for name, _ in FORMATS])
def test_each_format_is_read(
    shared_data: Path, tmp_path: Path, name: str, expected: tuple[object, ...]
) -> None:
    """Kind, symbol, period, rows, first time and clock; a second import adds nothing."""
    first = importing(tmp_path, shared_data / name)
    again = importing(tmp_path, shared_data / name)
    found = (first.kind, first.symbol, first.period_s, first.rows, first.first, first.clock)

    assert found == expected
    assert (first.added, first.duplicates, first.rejected) == (first.rows, 0, 0)
    assert (again.added, again.duplicates, again.imported_before) == (0, first.rows, True)


def test_an_aggregated_feed_keeps_its_good_ticks(shared_data: Path, tmp_path: Path) -> None:
    """FXCM: 69,354 crossed rows go to quarantine with their row numbers, the rest is stored."""
    path = shared_data / "ticks" / "fxcm_eurusd_2014-05-01_09.parquet"
    result = importing(tmp_path, path)
    source = pl.read_parquet(path).with_row_index("row", offset=1)
    crossed = source.filter(pl.col("ask") < pl.col("bid"))
    kept = pl.read_parquet(tmp_path / "quarantine" / "EURUSD" / f"{result.sha256}.parquet")
    stored = TickArchive(tmp_path / "archive").read("EURUSD")

    assert (result.rows, result.rejected, result.added) == (675_401, 69_354, 606_047)
    assert kept["row"].to_list() == crossed["row"].to_list()
    assert kept["bid"].to_list() == crossed["bid"].to_list()
    assert set(kept["reason"]) == {"crossed"}
    good = source.filter(pl.col("ask") >= pl.col("bid"))
    assert stored.bid.tobytes() == good["bid"].to_numpy().tobytes()
    assert stored.ts_ns.tolist() == good["time_utc"].dt.timestamp("ns").to_list()


def test_dukascopy_hours_are_the_ticks_of_the_day(shared_data: Path, tmp_path: Path) -> None:
    """24 hours as bi5 and the same day as Parquet are the same 136,741 ticks."""
    runner = CliRunner()
    day = shared_data / "formats" / "dukascopy" / "EURUSD" / "2019" / "01" / "04"
    ran = runner.invoke(import_command, [str(day), "--data-dir", str(tmp_path), "--json"])
    results = json.loads(ran.stdout)
    parquet = importing(tmp_path, shared_data / "ticks" / "dukascopy_eurusd_2019-02-04.parquet")

    assert ran.exit_code == 0
    assert sum(result["rows"] for result in results if result["kind"] == "ticks") == 136_741
    assert (parquet.added, parquet.duplicates, parquet.imported_before) == (0, 136_741, False)


def test_a_closed_hour_is_an_empty_file(shared_data: Path, tmp_path: Path) -> None:
    """A bi5 file of 0 bytes is an hour without ticks, not an error."""
    hour = shared_data / "formats" / "dukascopy" / "GBPJPY" / "2012" / "11" / "01" / "00h_ticks.bi5"
    result = importing(tmp_path, hour)

    assert (result.symbol, result.rows, result.first) == ("GBPJPY", 0, None)


def test_the_faulty_export_is_kept_and_warned_about(shared_data: Path, tmp_path: Path) -> None:
    """MT5 H1 of 2015–2018: the 00:00 bar carries the day; no repair, one warning."""
    result = importing(tmp_path, shared_data / "formats" / "mt5_export_EURUSD_H1.csv.gz")
    stored = BarArchive(tmp_path / "archive").read("EURUSD", 3_600)
    with gzip.open(shared_data / "formats" / "mt5_export_EURUSD_H1.csv.gz", "rt") as file:
        second = file.read().splitlines()[2].split("\t")  # the hours 01 to 08 are missing

    assert [warning[:3] for warning in result.warnings] == ["On "]
    assert "first bar spans the whole day" in result.warnings[0]
    assert stored.bid_high[1] == float(second[3])
    assert np.diff(stored.ts_ns[:2])[0] == 9 * 3_600 * 10**9
    daily = importing(tmp_path, shared_data / "formats" / "mt5_export_EURUSD_D1.csv")
    healthy = importing(tmp_path, shared_data / "bars" / "mt5_eurusd_h1_2025-01_09.parquet")
    assert (daily.warnings, healthy.warnings) == ((), ())


@pytest.mark.parametrize(
    ("symbol", "name"),
    [("EURUSD", "mt5_eurusd_2025-09-22_26"), ("GBPUSD", "mt5_gbpusd_2025-09-25_26")],
)
def test_metatrader_ticks_are_stored_small_and_exact(
    shared_data: Path, tmp_path: Path, symbol: str, name: str
) -> None:
    """MT5's own rounding of prices survives bit for bit, far below 5.5 bytes a tick."""
    importing(tmp_path, shared_data / "ticks" / f"{name}.parquet")
    source = pl.read_parquet(shared_data / "ticks" / f"{name}.parquet")
    archive = TickArchive(tmp_path / "archive")
    stored = archive.read(symbol)
    size = sum(day.size_bytes for day in archive.coverage(symbol))

    assert stored.bid.tobytes() == source["bid"].to_numpy().tobytes()
    assert stored.ask.tobytes() == source["ask"].to_numpy().tobytes()
    assert size / len(stored) < 3.5


def test_two_feeds_in_one_symbol_are_warned_about(shared_data: Path, tmp_path: Path) -> None:
    """OANDA over FXCM: imported as told, but the mixture is named; another symbol avoids it."""
    ticks = shared_data / "ticks"
    importing(tmp_path, ticks / "fxcm_eurusd_2014-05-01_09.parquet", symbol="EURUSD.fxcm")
    clean = importing(tmp_path, ticks / "oanda_eurusd_2014-05-01_09.parquet")
    mixed = importing(tmp_path, ticks / "fxcm_eurusd_2014-05-01_09.parquet")

    assert clean.warnings == ()
    assert "two feeds are mixed" in mixed.warnings[0]


def test_the_command_line_makes_bars_of_any_tick_file(shared_data: Path, tmp_path: Path) -> None:
    """`archive ohlc` on TrueFX text: bars in the promised columns, every tick counted."""
    out = tmp_path / "bars.parquet"
    source = shared_data / "formats" / "truefx_usdjpy_ticks_2013-01-01.csv"
    ran = CliRunner().invoke(
        plan2, ["archive", "ohlc", "--ticks", str(source), "--period", "1m", "--out", str(out)]
    )
    bars = pl.read_parquet(out)

    assert ran.exit_code == 0, ran.output
    assert int(bars["ticks"].sum()) == 1_000
    assert bars["time_utc"][0].isoformat() == "2013-01-01T22:00:00+00:00"
    assert bars["bid_open"][0] == 86.655


def test_folders_pass_over_what_is_no_market_data(shared_data: Path, tmp_path: Path) -> None:
    """Trade reports are passed over by name; the exit code stays 0."""
    ran = CliRunner().invoke(
        plan2, ["import", str(shared_data / "reports"), "--data-dir", str(tmp_path)]
    )

    assert ran.exit_code == 0
    assert ran.stderr.count("Passed over: ") == 3
    assert not (tmp_path / "archive").exists()
