"""Importing as a whole: names, clocks, all or nothing, the ledger, and the commands."""

import json
import sys
from pathlib import Path, PurePath

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from plan2.cli import command as plan2
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.importers import parquet, tick_import
from plan2.dataflow.importers.dataset import ImportOptions
from plan2.dataflow.importers.importing import Importer
from plan2.dataflow.importers.ledger import Ledger
from plan2.dataflow.importers.names import period_in, symbol_in
from plan2.dataflow.server_clock import NO_SUCH_TIME, ServerClock
from plan2.dataflow.tick_file import write_ticks
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, TickBlock

HISTDATA = "20240102 000000065,1.1,1.2,0\n20240102 000000066,1.1,1.3,0\n"
WINTER_NS = 1_704_153_600 * NS_PER_SECOND  # 2024-01-02T00:00:00Z
SUMMER_NS = 1_719_878_400 * NS_PER_SECOND  # 2024-07-02T00:00:00Z


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("EURUSD.r_M1_202401020000_202412312359.csv", "EURUSD.r"),
        ("US30.cash_202401020000_202412312359.csv", "US30.cash"),
        ("XAUUSD_Daily_202401020000_202412312359.csv", "XAUUSD"),
        ("oanda_xauusd_m1_2014-05-01_09.parquet", "XAUUSD"),
        ("DAT_ASCII_EURUSD_M1_201701.csv", "EURUSD"),
        ("binance_futures_btcusdt_quotes.parquet", "BTCUSDT"),
        ("forex/oanda/tick/xauusd/20140504_quote.csv", "XAUUSD"),
        ("US500 ticks.csv", "US500"),
        ("eurusd_vs_gbpusd.csv", None),
        ("export.csv", None),
    ],
)
def test_symbols_in_names(path: str, symbol: str | None) -> None:
    """A broker's own name stays; two symbols are none."""
    assert symbol_in(PurePath(path)) == symbol


@pytest.mark.parametrize(
    ("name", "period_s"),
    [("mt5_eurusd_m5_2023.parquet", 300), ("X_Daily.csv", 86_400), ("x.csv", None)],
)
def test_periods_in_names(name: str, period_s: int | None) -> None:
    """M5, H4, Daily … as words of the name."""
    assert period_in(PurePath(name)) == period_s


@pytest.mark.parametrize(
    ("text", "winter_h", "summer_h"),
    [
        ("newyork+7", 2, 3),
        ("New York+7".replace(" ", ""), 2, 3),
        ("UTC", 0, 0),
        ("UTC+2", 2, 2),
        ("+3", 3, 3),
        ("GMT-5", -5, -5),
        ("UTC+5:30", 5.5, 5.5),
        ("Europe/Athens", 2, 3),
        ("America/New_York", -5, -4),
    ],
)
def test_server_clocks(text: str, winter_h: float, summer_h: float) -> None:
    """How far each clock is ahead of UTC in January and in July."""
    clock = ServerClock.parse(text)
    ahead = clock.from_utc(np.array([WINTER_NS, SUMMER_NS])) - [WINTER_NS, SUMMER_NS]

    assert (ahead / NS_PER_HOUR).tolist() == [winter_h, summer_h]


@pytest.mark.parametrize("text", ["", "Mars/Olympus", "UTC+2h", "tomorrow"])
def test_other_clocks_are_refused(text: str) -> None:
    """A name that is no zone is a user's mistake."""
    with pytest.raises(InputError, match="is not known"):
        ServerClock.parse(text)


def test_the_hours_around_summer_time() -> None:
    """Athens 2024: 03:30 on 31 March never was; of 03:30 on 27 October the first is meant."""
    never = 1_711_855_800 * NS_PER_SECOND
    twice = 1_729_999_800 * NS_PER_SECOND
    athens = ServerClock.parse("Europe/Athens")

    assert athens.to_utc(np.array([never])).tolist() == [NO_SUCH_TIME]
    assert athens.to_utc(np.array([twice])).tolist() == [twice - 3 * NS_PER_HOUR]


@given(st.lists(st.integers(0, 40 * 365 * 24), min_size=1).map(sorted))
def test_utc_survives_the_server_clock(hours: list[int]) -> None:
    """There and back is the same, except within the hour that happens twice."""
    clock = ServerClock.parse("newyork+7")
    utc = np.array(hours) * NS_PER_HOUR
    local = clock.from_utc(utc)
    back = clock.to_utc(local)

    assert np.array_equal(clock.from_utc(back), local)
    assert set(((utc - back) // NS_PER_HOUR).tolist()) <= {0, 1}


def ticks_over(days: int, count: int) -> TickBlock:
    """Ticks spread evenly over some days, three of them at each time."""
    ts_ns = WINTER_NS + np.arange(count) // 3 * 3 * (days * NS_PER_DAY // count)
    bid = 1.0 + (np.arange(count) % 7) / 1e4
    return TickBlock("EURUSD", ts_ns, bid, np.round(bid + 1e-4, 4))


def test_large_files_are_read_twice_and_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches may end within a day and within an instant; nothing is doubled or lost."""
    block = ticks_over(3, 10_000)
    write_ticks(tmp_path / "eurusd.parquet", block)
    monkeypatch.setattr(tick_import, "ROWS_KEPT", 2_000)
    monkeypatch.setattr(parquet, "BATCH_ROWS", 997)
    seen = []
    importer = Importer(
        tmp_path, ImportOptions(), SimulatedClock(1), lambda _, rows: seen.append(rows)
    )
    result = importer.run(tmp_path / "eurusd.parquet")
    stored = TickArchive(tmp_path / "archive").read("EURUSD")

    assert (result.rows, result.added, seen[:2]) == (10_000, 10_000, [997, 1_994])
    assert stored.ts_ns.tolist() == block.ts_ns.tolist()
    assert stored.bid.tolist() == block.bid.tolist()
    assert importer.run(tmp_path / "eurusd.parquet").duplicates == 10_000


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    """The counts are those of a real run; no folder is made."""
    path = tmp_path / "EURUSD.csv"
    path.write_text(HISTDATA)
    result = Importer(tmp_path / "data", ImportOptions(), SimulatedClock(1)).run(path, dry_run=True)

    assert (result.added, result.dry_run) == (2, True)
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_stores_no_day_of_the_file(tmp_path: Path) -> None:
    """The second day does not fit: the first is not stored either, and the file can come again."""
    import resource

    random = np.random.default_rng(1)
    count = 60_000
    ts_ns = WINTER_NS + np.sort(random.integers(0, 2 * NS_PER_DAY, count))
    ts_ns[:100] = WINTER_NS
    noise = 1 + random.random(count)
    noise[:100] = 1.0
    write_ticks(tmp_path / "eurusd.parquet", TickBlock("EURUSD", ts_ns, noise, noise))
    importer = Importer(tmp_path / "data", ImportOptions(), SimulatedClock(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreBusy, match="Nothing was changed"):
            importer.run(tmp_path / "eurusd.parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert TickArchive(tmp_path / "data" / "archive").symbols() == ()
    assert Ledger(tmp_path / "data").entries() == []
    assert importer.run(tmp_path / "eurusd.parquet").added == count


def test_the_ledger_survives_a_cut_line(tmp_path: Path) -> None:
    """A crash within a line loses that line only; the next import is noted after it."""
    path = tmp_path / "EURUSD.csv"
    path.write_text(HISTDATA)
    importer = Importer(tmp_path, ImportOptions(), SimulatedClock(7))
    importer.run(path)
    ledger = tmp_path / "archive" / "imports.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b'{"sha256": "cut')
    path.write_text(HISTDATA.replace("1.1", "1.0"))
    Importer(tmp_path, ImportOptions(), SimulatedClock(8)).run(path)
    entries = Ledger(tmp_path).entries()

    assert [(entry.added, entry.imported_ts_ns) for entry in entries] == [(2, 7), (2, 8)]


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """The command line: exit code, stdout, stderr."""
    ran = CliRunner().invoke(plan2, [str(argument) for argument in arguments])
    return ran.exit_code, ran.stdout, ran.stderr


def test_one_file_is_one_json_object(tmp_path: Path) -> None:
    """The keys that scripts rely on are there."""
    path = tmp_path / "EURUSD.csv"
    path.write_text(HISTDATA)
    code, out, _ = run("import", path, "--data-dir", tmp_path / "data", "--json")
    result = json.loads(out)

    assert code == 0
    assert (result["rows"], result["rejected"], result["kind"]) == (2, 0, "ticks")
    assert result["first"] == "2024-01-02T05:00:00.065Z"
    assert {"symbol", "added", "duplicates", "format", "clock", "file", "last"} <= result.keys()


def test_a_refused_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """Two files, one broken: the list says both, the exit code is 3, the good one is stored."""
    (tmp_path / "EURUSD.csv").write_text(HISTDATA)
    (tmp_path / "GBPUSD.csv").write_text(HISTDATA.replace("1.3", "x"))
    data = tmp_path / "data"
    code, out, err = run(
        "import", tmp_path / "GBPUSD.csv", tmp_path / "EURUSD.csv", "--data-dir", data, "--json"
    )
    refused, stored = json.loads(out)

    assert code == 3
    assert "1 of 2 files were refused" in err
    assert "line 2: ask should be a number, found 'x'" in refused["message"]
    assert stored["added"] == 2
    assert TickArchive(data / "archive").symbols() == ("EURUSD",)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["import", "missing.csv"], 3, "there is no such file"),
        (["import"], 2, "Missing argument"),
        (["import", "x.csv", "--server-tz", "Mars"], 3, "'Mars' is not known"),
        (["archive", "ohlc", "--period", "1m", "--out", "x.parquet"], 2, "either --ticks"),
        (["archive", "export", "--symbol", "ABC", "--out", "x.csv"], 3, "no ticks of ABC"),
    ],
)
def test_mistakes_get_a_sentence(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    """Exit code and message for what users get wrong; never a traceback."""
    found, _, err = run("--data-dir", tmp_path, *arguments)

    assert found == code
    assert message in err
    assert "Traceback" not in err


def test_the_archive_can_be_listed_verified_and_exported(tmp_path: Path) -> None:
    """What was imported is listed, sound, and comes out as CSV within the given times."""
    write_ticks(tmp_path / "eurusd.parquet", ticks_over(2, 9_000))
    data = ["--data-dir", tmp_path / "data"]
    run("import", tmp_path / "eurusd.parquet", *data)
    listing = json.loads(run("archive", "list", "--json", *data)[1])
    out = tmp_path / "out.csv"
    exported = run(
        "archive",
        "export",
        "--symbol",
        "EURUSD",
        "--to",
        "2024-01-02T00:00:01",
        "--out",
        out,
        *data,
    )

    assert listing["ticks"][0]["days"] == 2
    assert listing["ticks"][0]["ticks"] == 9_000
    assert listing["ticks"][0]["first"] == "2024-01-02T00:00:00.000Z"
    assert listing["ticks"][0]["bytes_per_tick"] < 5.5
    assert run("archive", "verify", *data)[1] == "2 days of 1 symbols are sound.\n"
    assert exported[0] == 0
    assert out.read_text().splitlines()[1] == "2024-01-02 00:00:00.000000000Z,1,1.0001"
    assert len(out.read_text().splitlines()) == 1 + 3
