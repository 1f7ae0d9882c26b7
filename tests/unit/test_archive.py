"""The tick archive: bit-exact storage, merging, ranges, and what happens when a write fails."""

import os
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.store_files import folder_of, symbol_of
from plan2.dataflow.tick_merge import MergeResult
from plan2.foundation.errors import InvariantBroken, StoreBusy
from plan2.foundation.lock import DataDirLock
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MS, TickBlock

DAY_NS = 19_000 * NS_PER_DAY  # 2022-01-08
Row = tuple[int, float, float]


def block(*rows: Row, symbol: str = "EURUSD") -> TickBlock:
    """Ticks given as (ms after DAY_NS, bid, ask)."""
    ms, bid, ask = (list(column) for column in zip(*rows, strict=True))
    ts_ns = DAY_NS + np.array(ms, np.int64) * NS_PER_MS
    return TickBlock(symbol, ts_ns, np.array(bid, float), np.array(ask, float))


def rows(ticks: TickBlock) -> list[Row]:
    """The inverse of `block`."""
    ms = ((ticks.ts_ns - DAY_NS) // NS_PER_MS).tolist()
    return list(zip(ms, ticks.bid.tolist(), ticks.ask.tolist(), strict=True))


A, B, C = (10, 1.1, 1.2), (20, 1.3, 1.4), (20, 1.5, 1.6)


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    """Ticks come back in order with the same floats."""
    archive = TickArchive(tmp_path)

    assert archive.merge(block(A, B, C)) == MergeResult(added=3)
    assert rows(archive.read("EURUSD")) == [A, B, C]


def test_the_same_data_again_adds_nothing(tmp_path: Path) -> None:
    """A second merge counts every tick as a duplicate and does not touch the file."""
    archive = TickArchive(tmp_path)
    archive.merge(block(A, B, C))
    before = archive.coverage("EURUSD")
    file = next((tmp_path / "ticks" / "EURUSD").glob("*.parquet"))
    stamp = file.stat().st_mtime_ns

    assert archive.merge(block(A, B, C)) == MergeResult(duplicates=3)
    assert archive.coverage("EURUSD") == before
    assert file.stat().st_mtime_ns == stamp


def test_equal_ticks_within_an_instant_are_counted(tmp_path: Path) -> None:
    """A quote sent twice in one instant is two ticks; only the missing one is added."""
    archive = TickArchive(tmp_path)
    archive.merge(block(B, C, B))

    assert archive.merge(block(B, B, B)) == MergeResult(added=1, duplicates=2, interleaved=1)
    assert rows(archive.read("EURUSD")) == [B, C, B, B]


def test_order_within_an_instant_is_kept(tmp_path: Path) -> None:
    """Ticks of one time stay as they came, whatever their prices."""
    archive = TickArchive(tmp_path)
    archive.merge(block(A, C, B))

    assert rows(archive.read("EURUSD")) == [A, C, B]


def test_two_feeds_over_the_same_time_are_noticed(tmp_path: Path) -> None:
    """Ticks that both sides lack of each other count as interleaved; a filled hole does not."""
    archive = TickArchive(tmp_path)
    archive.merge(block((0, 1.0, 1.1), (60, 1.0, 1.1)))

    assert archive.merge(block((30, 1.0, 1.1))).interleaved == 0
    assert archive.merge(block((0, 2.0, 2.1), (45, 2.0, 2.1))).interleaved == 2


def test_a_preview_counts_and_stores_nothing(tmp_path: Path) -> None:
    """`preview` says what `merge` would do; the disk is not touched."""
    archive = TickArchive(tmp_path)

    assert archive.preview(block(A, B)) == MergeResult(added=2)
    assert list(tmp_path.iterdir()) == []


def test_days_are_cut_at_midnight_utc(tmp_path: Path) -> None:
    """A tick at 24:00:00.000 belongs to the next day; ranges are half-open."""
    archive = TickArchive(tmp_path)
    last, first = (86_399_999, 1.0, 1.1), (86_400_000, 2.0, 2.1)
    archive.merge(block(A, last, first))
    next_day_ns = DAY_NS + NS_PER_DAY

    assert [str(day.day) for day in archive.coverage("EURUSD")] == ["2022-01-08", "2022-01-09"]
    assert [day.ticks for day in archive.coverage("EURUSD")] == [2, 1]
    assert rows(archive.read("EURUSD", DAY_NS, next_day_ns)) == [A, last]
    assert rows(archive.read("EURUSD", next_day_ns)) == [first]
    assert [len(day) for day in archive.iter_days("EURUSD", 0, next_day_ns + 1)] == [2, 1]
    assert len(archive.read("EURUSD", next_day_ns + 1)) == 0


def test_coverage_says_first_and_last_time(tmp_path: Path) -> None:
    """Footers give the exact times without reading rows."""
    archive = TickArchive(tmp_path)
    archive.merge(block(A, B))
    day = archive.coverage("EURUSD")[0]

    assert (day.first_ts_ns, day.last_ts_ns) == (DAY_NS + 10 * NS_PER_MS, DAY_NS + 20 * NS_PER_MS)


@pytest.mark.parametrize(
    "prices",
    [
        [1.07, 1.08125],
        [24_849.4, 24_921.5],
        [2_000_000_000.12345678, 2_000_000_000.5],
        [1.0695000000000001, 1.1],  # MetaTrader's own rounding
        [0.1 + 0.2, 1.0],  # on no grid at all
        [float(np.float32(1.07)), 1.0],
    ],
)
def test_every_float_comes_back_bit_for_bit(tmp_path: Path, prices: list[float]) -> None:
    """Whatever the grid of the prices, the identical float64 is read."""
    archive = TickArchive(tmp_path)
    archive.merge(block((1, prices[0], prices[1]), (2, prices[1], prices[0])))
    read = archive.read("EURUSD")

    assert read.bid.tobytes() == np.array(prices).tobytes()
    assert read.ask.tobytes() == np.array(prices[::-1]).tobytes()


@pytest.mark.parametrize("step_ns", [1_000_000, 1_000, 1])
def test_times_finer_than_milliseconds_are_kept(tmp_path: Path, step_ns: int) -> None:
    """Milliseconds, microseconds and nanoseconds all survive, and any tool reads them."""
    ts_ns = DAY_NS + np.array([0, 1, 3]) * step_ns
    TickArchive(tmp_path).merge(TickBlock("EURUSD", ts_ns, np.ones(3), np.ones(3)))
    file = next((tmp_path / "ticks" / "EURUSD").glob("*.parquet"))

    assert TickArchive(tmp_path).read("EURUSD").ts_ns.tolist() == ts_ns.tolist()
    assert pl.read_parquet(file)["time_utc"].dt.timestamp("ns").to_list() == ts_ns.tolist()


@pytest.mark.parametrize("symbol", ["EURUSD", "EURUSD.r", "#US30", "../x", "BTC/USD", ".", "Öl"])
def test_any_symbol_has_a_safe_folder(tmp_path: Path, symbol: str) -> None:
    """No symbol leaves the archive's folder, and the name can be read back."""
    archive = TickArchive(tmp_path)
    archive.merge(block(A, symbol=symbol))

    assert symbol_of(folder_of(symbol)) == symbol
    assert archive.symbols() == (symbol,)
    assert [path.name for path in tmp_path.iterdir()] == ["ticks"]


def test_ticks_out_of_order_are_refused(tmp_path: Path) -> None:
    """The archive does not sort: a block that goes backwards is a fault of the caller."""
    with pytest.raises(InvariantBroken, match="time order"):
        TickArchive(tmp_path).merge(block(B, A))
    assert TickArchive(tmp_path).symbols() == ()


def test_days_of_one_write_appear_together_or_not_at_all(tmp_path: Path) -> None:
    """When the second block of a write fails, the first one is not stored either."""
    archive = TickArchive(tmp_path)

    def write_two_blocks() -> None:
        with archive.writing("EURUSD") as writer:
            writer.merge(block(A))
            writer.merge(block(C, A))

    with pytest.raises(InvariantBroken):
        write_two_blocks()
    assert archive.symbols() == ()
    assert not list(tmp_path.rglob("*.tmp"))


def test_two_blocks_of_one_day_in_one_write(tmp_path: Path) -> None:
    """The second block is merged with the first although that is not committed yet."""
    archive = TickArchive(tmp_path)
    with archive.writing("EURUSD") as writer:
        writer.merge(block(A, B))
        assert writer.merge(block(B, C)) == MergeResult(added=1, duplicates=1)

    assert rows(archive.read("EURUSD")) == [A, B, C]


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """Half-written files of a crash do no harm and disappear with the next write."""
    archive = TickArchive(tmp_path)
    archive.merge(block(A))
    left = tmp_path / "ticks" / "EURUSD" / ".2022-01-08.parquet.0.tmp"
    left.write_bytes(b"half")

    assert rows(archive.read("EURUSD")) == [A]
    archive.merge(block(B))
    assert not left.exists()


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    """While another process holds the symbol, a writer gives up after its wait."""
    with DataDirLock(tmp_path / "ticks" / "EURUSD"):
        with pytest.raises(StoreBusy, match=f"process {os.getpid()}"):
            TickArchive(tmp_path, lock_wait_s=0.0).merge(block(A))
        assert TickArchive(tmp_path).merge(block(A, symbol="GBPUSD")).added == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """A write that the system refuses halfway is told plainly and leaves the old day."""
    import resource

    archive = TickArchive(tmp_path)
    archive.merge(block(A))
    random = np.random.default_rng(1)
    noise = random.random(100_000) + 1
    many = TickBlock("EURUSD", DAY_NS + np.arange(100_000), noise, noise)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(StoreBusy, match="Nothing was changed"):
            archive.merge(many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert rows(archive.read("EURUSD")) == [A]
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_folder_that_cannot_be_written_is_told_plainly(tmp_path: Path) -> None:
    """A file where the archive's folder should be is no traceback."""
    (tmp_path / "ticks").write_text("in the way")

    with pytest.raises(StoreBusy, match="Cannot write in"):
        TickArchive(tmp_path).merge(block(A))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Reading and verifying a day that is no Parquet names the file."""
    archive = TickArchive(tmp_path)
    archive.merge(block(A))
    file = next((tmp_path / "ticks" / "EURUSD").glob("*.parquet"))
    file.write_bytes(b"PAR1 nonsense")

    with pytest.raises(StoreBusy, match=r"2022-01-08\.parquet"):
        archive.read("EURUSD")
    assert ["2022-01-08.parquet" in fault for fault in archive.verify("EURUSD")] == [True]


def test_verify_finds_ticks_of_another_day(tmp_path: Path) -> None:
    """A file that was renamed by hand is found."""
    archive = TickArchive(tmp_path)
    archive.merge(block(A))
    file = next((tmp_path / "ticks" / "EURUSD").glob("*.parquet"))
    file.rename(file.with_name("2022-01-09.parquet"))

    assert [fault.partition(": ")[2] for fault in archive.verify("EURUSD")] == [
        "holds ticks of another day."
    ]


def test_bars_come_from_points_and_join_over_midnight(tmp_path: Path) -> None:
    """Five-hour bars cross midnight: the two halves become one bar."""
    archive = TickArchive(tmp_path)
    hours = [(hour * 3_600_000, 1.0 + hour / 100, 1.1 + hour / 100) for hour in range(22, 27)]
    archive.merge(block(*hours))
    bars = archive.bars("EURUSD", 5 * 3_600)

    start_ns = (DAY_NS + 22 * NS_PER_HOUR) // (5 * NS_PER_HOUR) * 5 * NS_PER_HOUR
    assert bars.ts_ns.tolist() == [start_ns, start_ns + 5 * NS_PER_HOUR]
    assert bars.ticks.tolist() == [
        sum(
            start_ns <= DAY_NS + h * NS_PER_HOUR < start_ns + 5 * NS_PER_HOUR for h in range(22, 27)
        ),
        sum(DAY_NS + h * NS_PER_HOUR >= start_ns + 5 * NS_PER_HOUR for h in range(22, 27)),
    ]
    assert bars.bid_open[0] == 1.22
    assert bars.ask_close[-1] == 1.1 + 26 / 100


def test_readers_see_whole_days_while_they_are_written(tmp_path: Path) -> None:
    """Every read during a series of merges is the state after one of them."""
    archive = TickArchive(tmp_path)
    parts = [[(100 * part + ms, 1.0, 1.1) for ms in range(100)] for part in range(30)]
    archive.merge(block(*parts[0]))
    writer = threading.Thread(target=lambda: [archive.merge(block(*part)) for part in parts[1:]])
    writer.start()
    lengths = set()
    while writer.is_alive():
        lengths.add(len(archive.read("EURUSD")))
    writer.join()

    assert lengths <= {100 * count for count in range(1, 31)}
    assert len(archive.read("EURUSD")) == 3_000
