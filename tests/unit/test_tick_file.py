"""One file of ticks: a flipped bit is found, and files of before read the same."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.tick_file import read_ticks, write_ticks
from plan2.foundation.errors import StoreBusy
from plan2.foundation.values import NS_PER_MS, TickBlock

START_NS = 1_641_600_000_000 * NS_PER_MS


def quotes(count: int = 5_000) -> TickBlock:
    """EURUSD on a grid of five digits."""
    random = np.random.default_rng(7)
    ts_ns = START_NS + np.cumsum(random.integers(1, 9_000, count)) * NS_PER_MS
    bid = 113_500 + np.cumsum(random.integers(-3, 4, count))
    return TickBlock("EURUSD", ts_ns, bid / 1e5, (bid + random.integers(1, 9, count)) / 1e5)


def write_as_before(path: Path, block: TickBlock) -> None:
    """As files were written at first: compressed, columns that may hold nulls, no checksums."""
    columns = {
        "time_utc": pa.array(block.ts_ns // NS_PER_MS).cast(pa.timestamp("ms", "UTC")),
        "bid_points": pa.array(np.rint(block.bid * 1e5).astype(np.int32)),
        "ask_points": pa.array(np.rint(block.ask * 1e5).astype(np.int32)),
    }
    metadata = {b"symbol": b"EURUSD", b"digits": b"5", b"rounding": b"nearest"}
    pq.write_table(
        pa.table(columns).replace_schema_metadata(metadata),
        path,
        compression="zstd",
        use_dictionary=False,
        column_encoding=dict.fromkeys(columns, "DELTA_BINARY_PACKED"),
    )


def test_a_file_of_before_gives_the_same_ticks_and_bars(tmp_path: Path) -> None:
    """Bit for bit, whichever form a day's file has."""
    block = quotes()
    archives = [TickArchive(tmp_path / name) for name in ("today", "before")]
    for archive in archives:
        archive.merge(block)
    days = sorted((tmp_path / "before").rglob("*.parquet"))
    for day in days:
        write_as_before(day, read_ticks(day).block("EURUSD"))

    today, before = (archive.read("EURUSD") for archive in archives)
    for column in ("ts_ns", "bid", "ask"):
        assert getattr(before, column).tobytes() == getattr(block, column).tobytes()
        assert getattr(before, column).tobytes() == getattr(today, column).tobytes()
    ours, theirs = (archive.bars("EURUSD", 60) for archive in archives)
    assert ours.ts_ns.tobytes() == theirs.ts_ns.tobytes()
    assert ours.prices.tobytes() == theirs.prices.tobytes()
    assert ours.ticks.tobytes() == theirs.ticks.tobytes()


@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_flipped_bit_is_found_by_every_reading(tmp_path: Path, column: int) -> None:
    """Prices that another bit makes are never taken for the archived ones."""
    path = tmp_path / "2022-01-08.parquet"
    write_ticks(path, quotes())
    part = pq.read_metadata(path).row_group(0).column(column)
    damaged = bytearray(path.read_bytes())
    damaged[part.data_page_offset + part.total_compressed_size // 2] ^= 1
    path.write_bytes(damaged)

    with pytest.raises(StoreBusy, match=r"2022-01-08\.parquet cannot be read"):
        read_ticks(path)


def test_nothing_slows_reading_down_that_need_not(tmp_path: Path) -> None:
    """No nulls to look for and nothing to inflate where ticks are delta-encoded already."""
    path = tmp_path / "2022-01-08.parquet"
    write_ticks(path, quotes())

    file = pq.ParquetFile(path)
    assert [field.nullable for field in file.schema_arrow] == [False] * 3
    group = file.metadata.row_group(0)
    assert {group.column(index).compression for index in range(3)} == {"UNCOMPRESSED"}


def test_prices_off_every_grid_are_compressed_and_come_back(tmp_path: Path) -> None:
    """Floats of eight bytes each are worth it."""
    path, block = tmp_path / "2022-01-08.parquet", quotes()
    odd = TickBlock("EURUSD", block.ts_ns, block.bid / 3.0, block.ask / 3.0)
    write_ticks(path, odd)

    group = pq.read_metadata(path).row_group(0)
    compressions = [group.column(index).compression for index in range(3)]
    assert compressions == ["UNCOMPRESSED", "ZSTD", "ZSTD"]
    assert read_ticks(path).block("EURUSD").bid.tobytes() == odd.bid.tobytes()
