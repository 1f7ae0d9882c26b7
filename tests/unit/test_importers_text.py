"""Text formats: encodings, line ends, blanks, and refusals that name the line."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.importers import text
from plan2.dataflow.importers.dataset import ImportOptions
from plan2.dataflow.importers.importing import Importer
from plan2.dataflow.importers.outcome import ImportResult
from plan2.dataflow.importers.source import UnknownFormat
from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError

TICKS = """<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>
2024.01.02\t00:02:13.342\t1.10427\t1.10443\t\t\t6
2024.01.02\t00:02:14.001\t1.10428\t\t\t\t2
2024.01.02\t00:02:14.001\t\t1.10450\t\t\t4
"""
BARS = """<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>
2024.01.02\t00:00:00\t1.10427\t1.10443\t1.10400\t1.10410\t57\t0\t12
2024.01.02\t00:01:00\t1.10410\t1.10410\t1.10410\t1.10410\t1\t0\t20
"""
HISTDATA = "20240102 000000065,1.1,1.2,0\n20240102 000000066,1.1,1.3,0\n"


def importing(folder: Path, name: str, data: str | bytes, **options: object) -> ImportResult:
    """Import a file of this name and content into `folder`."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return Importer(folder, ImportOptions(**options), SimulatedClock(1)).run(path)


def refusal(folder: Path, name: str, data: str | bytes) -> str:
    """The message with which such a file is refused; nothing of it may be stored."""
    with pytest.raises(InputError) as caught:
        importing(folder, name, data)
    assert TickArchive(folder / "archive").symbols() == ()
    assert BarArchive(folder / "archive").symbols() == ()
    return caught.value.message


def test_blank_prices_mean_unchanged(tmp_path: Path) -> None:
    """MT5 leaves a price blank that did not change; 00:02 server time is 22:02 UTC in winter."""
    result = importing(tmp_path, "EURUSD_202401020000_202401022359.csv", TICKS)
    stored = TickArchive(tmp_path / "archive").read("EURUSD")

    assert (result.format, result.rows, result.clock) == (
        "MT5 tick export",
        3,
        "server time, New York +7",
    )
    assert result.not_kept == ("last", "volume", "flags")
    assert (result.first, result.last) == ("2024-01-01T22:02:13.342Z", "2024-01-01T22:02:14.001Z")
    assert stored.bid.tolist() == [1.10427, 1.10428, 1.10428]
    assert stored.ask.tolist() == [1.10443, 1.10443, 1.10450]


def test_a_real_day_written_as_an_mt5_export(shared_data: Path, tmp_path: Path) -> None:
    """Real MT5 ticks, written as the terminal's own export writes them, come in unchanged."""
    frame = pl.read_parquet(shared_data / "ticks" / "mt5_gbpusd_2025-09-25_26.parquet").head(20_000)
    time = pl.from_epoch("time_msc", "ms")
    changed = [
        pl.when(pl.col(side).round(5) != pl.col(side).round(5).shift(1).fill_null(0.0))
        .then(pl.col(side).round(5).map_elements("{:.5f}".format, pl.String))
        .alias(f"<{side.upper()}>")
        for side in ("bid", "ask")
    ]
    export = frame.select(
        time.dt.strftime("%Y.%m.%d").alias("<DATE>"),
        time.dt.strftime("%H:%M:%S%.3f").alias("<TIME>"),
        *changed,
        pl.lit(None, pl.String).alias("<LAST>"),
        pl.lit(None, pl.String).alias("<VOLUME>"),
        pl.col("flags").alias("<FLAGS>"),
    ).write_csv(separator="\t", line_terminator="\r\n")
    importing(tmp_path, "GBPUSD_202509250000_202509262359.csv", export)
    stored = TickArchive(tmp_path / "archive").read("GBPUSD")

    assert stored.ts_ns.tolist() == frame["time_utc"].dt.timestamp("ns").to_list()
    assert np.abs(stored.bid - frame["bid"].to_numpy()).max() < 1e-9
    assert np.abs(stored.ask - frame["ask"].to_numpy()).max() < 1e-9


@pytest.mark.parametrize(
    "encode",
    [
        lambda data: data.encode(),
        lambda data: data.replace("\n", "\r\n").encode(),
        lambda data: b"\xef\xbb\xbf" + data.encode(),
        lambda data: data.encode("utf-16"),
        lambda data: b"\xfe\xff" + data.replace("\n", "\r\n").encode("utf-16-be"),
        lambda data: data.replace("<", "").replace(">", "").encode(),
        lambda data: data.replace("\t", ",").encode(),
        lambda data: data.rstrip("\n").encode(),
        lambda data: (data + "\n\n").encode(),
        lambda data: gzip.compress(data.encode()),
    ],
    ids=["lf", "crlf", "bom", "utf16", "utf16be", "bare", "comma", "unended", "blank", "gzip"],
)
def test_the_same_bars_however_written(tmp_path: Path, encode: object) -> None:
    """Encoding, line ends, brackets, separator and compression make no difference."""
    importing(tmp_path, "EURUSD_M1.csv.gz", encode(BARS))
    bars = BarArchive(tmp_path / "archive").read("EURUSD", 60)

    assert bars.prices[:4].T.tolist() == [
        [1.10427, 1.10443, 1.10400, 1.10410],
        [1.10410, 1.10410, 1.10410, 1.10410],
    ]
    assert (bars.ticks.tolist(), bars.spread_points.tolist()) == ([57, 1], [12, 20])
    assert np.isnan(bars.ask_open).all()


@pytest.mark.parametrize("block_bytes", [1, 7, 64, 200])
def test_blocks_may_end_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    """However the file falls into blocks, also within CRLF and UTF-16, the rows are the same."""
    monkeypatch.setattr(text, "BLOCK_BYTES", block_bytes)
    crlf = TICKS.replace("\n", "\r\n")
    first = importing(tmp_path, "EURUSD_202401020000_202401022359.csv", crlf)
    second = importing(tmp_path, "EURUSD_202401020000_202401022359.csv", crlf.encode("utf-16"))

    assert (first.rows, first.added) == (3, 3)
    assert (second.rows, second.duplicates) == (3, 3)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TICKS.replace("1.10428", "1.1x428"), "line 3: BID should be a number, found '1.1x428'."),
        (TICKS.replace("1.10428", "nan"), "line 3: BID should be a number, found 'nan'."),
        (TICKS.replace("1.10428", "-1.1"), "line 3: prices are positive numbers, found -1.1."),
        (TICKS.replace("1.10443", ""), "line 2: prices are positive numbers, found nan."),
        (TICKS.replace("1.10428", "0"), "line 3: prices are positive numbers, found 0."),
        (TICKS.replace("00:02:13.342", "00:02:63"), "line 2: DATE should be a time, found"),
        (TICKS.replace("2024.01.02\t00:02:13", "1602.01.02\t00:02:13"), "line 2: DATE should be"),
        (TICKS.replace("00:02:13.342", "00:02:15.000"), "line 3: the time 2024-01-01T22:02:14.001"),
        (TICKS.replace("\t\t\t2", "\t\t2"), "line 3: 7 fields were expected, found 6"),
        (TICKS.replace("\t\t\t2", "\t\t\t2\t").replace("\t\t\t4", "\t\t4"), "line 3: 7 fields"),
        (TICKS.replace("1.10428", "1.1€"), "line 3: not plain text"),
        (
            TICKS.replace("\n2024.01.02\t00:02:14.001\t1", "\n\n2024.01.02\t00:02:14.001\t1"),
            "line 3",
        ),
        (TICKS + "2024.01.02\t00:0", "line 5: 7 fields were expected, found 2"),
    ],
)
def test_a_broken_row_refuses_the_file(tmp_path: Path, data: str, expected: str) -> None:
    """The message names the line and what was found there; nothing is stored."""
    assert expected in refusal(tmp_path, "EURUSD_202401020000_202401022359.csv", data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (BARS.replace("1.10443", "1.10420"), "line 2: high or low of the bar lies inside"),
        (BARS.replace("00:01:00", "00:00:00"), "line 3: the time 2024-01-01T22:00:00.000 does not"),
        (BARS.replace("00:01:00", "00:00:30"), "line 3: the bar begins before the one above it"),
        (
            BARS.replace("\t57\t", "\t5.7\t"),
            "line 2: TICKVOL should be a whole number, found '5.7'",
        ),
    ],
)
def test_a_contradictory_bar_refuses_the_file(tmp_path: Path, data: str, expected: str) -> None:
    """Bars that contradict themselves or each other are not guessed at."""
    assert expected in refusal(tmp_path, "EURUSD_M1.csv", data)


def test_a_period_that_cannot_be_known_is_asked_for(tmp_path: Path) -> None:
    """One bar and a name without a period say nothing."""
    one_bar = "\n".join(BARS.splitlines()[:2])

    assert "the period of its bars is not clear" in refusal(tmp_path, "EURUSD.csv", one_bar)
    assert importing(tmp_path, "EURUSD_H4.csv", one_bar).period_s == 14_400


def test_a_symbol_that_cannot_be_known_is_asked_for(tmp_path: Path) -> None:
    """Neither name nor content says it: the remedy is the option."""
    assert "says the symbol" in refusal(tmp_path, "export.csv", TICKS)
    assert importing(tmp_path, "export.csv", TICKS, symbol="EURUSD.raw").symbol == "EURUSD.raw"


def test_another_server_clock(tmp_path: Path) -> None:
    """A server in Athens is two hours ahead in winter; so is UTC+2 all year."""
    for zone in ("Europe/Athens", "UTC+2"):
        clock = ServerClock.parse(zone)
        result = importing(tmp_path, "EURUSD_M1.csv", BARS, server_clock=clock)
        assert (result.first, result.clock) == ("2024-01-01T22:00:00.000Z", f"server time, {zone}")


def test_a_wall_time_that_never_was_is_refused(tmp_path: Path) -> None:
    """On 2024-03-10 New York jumps from 2:00 to 3:00: 9:30 does not exist on the server."""
    data = BARS.replace("2024.01.02\t00:01", "2024.03.10\t09:30")

    assert "line 3: the server clock skips this hour" in refusal(tmp_path, "EURUSD_M1.csv", data)


def test_crossed_rows_in_their_majority_mean_exchanged_columns(tmp_path: Path) -> None:
    """A file whose bid and ask are exchanged is refused, not quarantined."""
    swapped = "20240102 000000065,1.2,1.1,0\n20240102 000000066,1.3,1.1,0\n"

    assert "ask below the bid" in refusal(tmp_path, "EURUSD.csv", swapped)


def test_a_zip_with_one_file_of_data_is_opened(tmp_path: Path) -> None:
    """HistData's zip holds the data and a report; two files of data are refused."""
    with zipfile.ZipFile(tmp_path / "HISTDATA_COM_ASCII_EURUSD_T202401.zip", "w") as archive:
        archive.writestr("DAT_ASCII_EURUSD_T_202401.csv", HISTDATA)
        archive.writestr("DAT_ASCII_EURUSD_T_202401.txt", "Gaps: none")
    importer = Importer(tmp_path, ImportOptions(), SimulatedClock(1))
    result = importer.run(tmp_path / "HISTDATA_COM_ASCII_EURUSD_T202401.zip")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", HISTDATA)
        archive.writestr("b.csv", HISTDATA)

    assert (result.symbol, result.rows, result.added) == ("EURUSD", 2, 2)
    with pytest.raises(UnknownFormat, match="it holds 2"):
        importer.run(tmp_path / "two.zip")


def test_truefx_is_about_one_pair(tmp_path: Path) -> None:
    """Another pair within the file is refused with its line."""
    data = "EUR/USD,20240102 00:00:00.000,1.1,1.2\nEUR/JPY,20240102 00:00:00.000,1.1,1.2\n"

    assert "line 2: the file is about EUR/USD" in refusal(tmp_path, "ticks.csv", data)


def test_lean_dates_come_from_the_name(tmp_path: Path) -> None:
    """Fractions of milliseconds are kept to the nanosecond; FXCM's clock is UTC-5."""
    folder = tmp_path / "fxcm" / "eurusd"
    folder.mkdir(parents=True)
    path = folder / "20140504_eurusd_tick_quote.csv"
    path.write_text("61200000.5,1.1,1.2\n")
    result = Importer(tmp_path, ImportOptions(), SimulatedClock(1)).run(path)
    stored = TickArchive(tmp_path / "archive").read("EURUSD")

    assert (result.first, result.clock) == ("2014-05-04T22:00:00.000Z", "UTC-5")
    assert int(stored.ts_ns[0]) % 1_000_000 == 500_000


@pytest.mark.parametrize("data", ["", "hello\nworld\n", b"\x00\x01\x02", "<html>"])
def test_anything_else_is_an_unknown_format(tmp_path: Path, data: str | bytes) -> None:
    """The message shows how the file begins."""
    with pytest.raises(UnknownFormat, match=r"empty|it begins with"):
        importing(tmp_path, "EURUSD.csv", data)
