"""Bars: edges of periods, server days and weeks, tick and volume bars, the bar archive."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from plan2.dataflow.bar_archive import BarArchive, BarMergeResult
from plan2.dataflow.bar_series import PRICE_COLUMNS, BarSeries, aggregate, empty_bars, parse_period
from plan2.dataflow.bars import build_bars, build_tick_bars, build_volume_bars
from plan2.dataflow.export import write_bar_table
from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND, TickBlock

NEW_YORK_CLOSE = ServerClock.parse("newyork+7")


def at(text: str) -> int:
    """UTC ns of an ISO time."""
    return int(dt.datetime.fromisoformat(f"{text}+00:00").timestamp()) * NS_PER_SECOND


def ticks(*prices: float) -> TickBlock:
    """One tick a second from the epoch, ask 1 above bid."""
    bid = np.array(prices)
    return TickBlock("X", np.arange(len(prices)) * NS_PER_SECOND, bid, bid + 1)


def bid_bars(starts: list[int], closes: list[float], period_s: int = 60) -> BarSeries:
    """Flat bars of the bid; the ask is not known."""
    flat = np.tile(np.array(closes, float), (4, 1))
    none = np.zeros(len(starts), np.int64)
    prices = np.concatenate([flat, np.full_like(flat, np.nan)])
    return BarSeries("X", period_s, np.array(starts), prices, none, none - 1)


def test_a_bar_ends_where_the_next_begins() -> None:
    """A tick exactly on the minute opens the new bar; quiet minutes have no bar."""
    times = np.array([59, 60, 239]) * NS_PER_SECOND
    bars = build_bars(TickBlock("X", times, np.array([1.0, 2.0, 3.0]), np.full(3, 4.0)), 60)

    assert (bars.ts_ns // NS_PER_SECOND).tolist() == [0, 60, 180]
    assert bars.bid_close.tolist() == [1.0, 2.0, 3.0]
    assert bars.spread_points.tolist() == [-1, -1, -1]


def test_no_ticks_give_no_bars() -> None:
    """An empty block is an empty series, for every kind of bar."""
    none = ticks()

    assert len(build_bars(none, 60)) == 0
    assert len(build_tick_bars(none, 5)) == 0
    assert len(build_volume_bars(none, np.empty(0), 1.0)) == 0
    assert len(aggregate(empty_bars("X", 60), 300, NEW_YORK_CLOSE)) == 0


def test_tick_bars_count_ticks() -> None:
    """Bars of three ticks; the last one holds what is left."""
    bars = build_tick_bars(ticks(1, 5, 2, 3, 4, 0, 7), 3)

    assert bars.ticks.tolist() == [3, 3, 1]
    assert bars.bid_high.tolist() == [5, 4, 7]
    assert bars.ask_low.tolist() == [2, 1, 8]
    assert (bars.ts_ns // NS_PER_SECOND).tolist() == [0, 3, 6]


def test_volume_bars_end_with_the_tick_that_fills_them() -> None:
    """Volumes 2 3 | 5 | 1 1: bars of 5 end when 5 were traded."""
    bars = build_volume_bars(ticks(1, 2, 3, 4, 5), np.array([2.0, 3.0, 5.0, 1.0, 1.0]), 5.0)

    assert bars.ticks.tolist() == [2, 1, 2]
    assert bars.bid_close.tolist() == [2, 3, 5]


def test_days_are_days_of_the_server() -> None:
    """With a New York close, 22:00 UTC in winter and 21:00 in summer begin the next day."""
    winter = [at("2025-01-15T21:59"), at("2025-01-15T22:00")]
    summer = [at("2025-07-15T20:59"), at("2025-07-15T21:00")]
    days = aggregate(bid_bars(winter + summer, [1, 2, 3, 4]), 86_400, NEW_YORK_CLOSE)

    assert days.ts_ns.tolist() == [
        at("2025-01-14T22:00"),
        at("2025-01-15T22:00"),
        at("2025-07-14T21:00"),
        at("2025-07-15T21:00"),
    ]


def test_weeks_begin_on_the_servers_sunday() -> None:
    """As MetaTrader: W1 of 2025-01-05 starts on Sunday 00:00 server time, Saturday 22:00 UTC."""
    bars = bid_bars([at("2025-01-06T10:00"), at("2025-01-12T23:00")], [1, 2])

    assert aggregate(bars, 604_800, NEW_YORK_CLOSE).ts_ns.tolist() == [
        at("2025-01-04T22:00"),
        at("2025-01-11T22:00"),
    ]


def test_only_multiples_can_be_aggregated() -> None:
    """Seven minutes cannot be made of five."""
    with pytest.raises(InputError, match="420 s cannot be made from 300 s"):
        aggregate(bid_bars([0], [1.0], period_s=300), 420, NEW_YORK_CLOSE)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1m", 60), ("4H", 14_400), ("1w", 604_800)]
)
def test_periods_are_read(text: str, seconds: int) -> None:
    """A number and a unit."""
    assert parse_period(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "0m", "1x", "-1m", "1.5h", "M5"])
def test_other_periods_are_refused(text: str) -> None:
    """Anything else is a user's mistake, told plainly."""
    with pytest.raises(InputError, match="Period"):
        parse_period(text)


def test_bars_are_archived_by_year(tmp_path: Path) -> None:
    """Bars come back as they were, NaN sides included; years are files."""
    archive = BarArchive(tmp_path)
    bars = bid_bars([at("2024-12-31T23:59"), at("2025-01-01T00:00")], [1.5, 2.5])

    assert archive.merge(bars) == BarMergeResult(added=2)
    read = archive.read("X", 60)
    assert read.ts_ns.tolist() == bars.ts_ns.tolist()
    assert np.array_equal(read.prices, bars.prices, equal_nan=True)
    assert sorted(path.name for path in tmp_path.rglob("*.parquet")) == [
        "2024.parquet",
        "2025.parquet",
    ]
    assert archive.read("X", 60, at("2025-01-01T00:00")).bid_open.tolist() == [2.5]
    assert (archive.symbols(), archive.periods("X")) == (("X",), (60,))
    assert archive.merge(bars) == BarMergeResult(duplicates=2)


def test_a_stored_bar_stands_but_the_last_is_corrected(tmp_path: Path) -> None:
    """An export taken within a bar is corrected by the next; older differences are conflicts."""
    archive = BarArchive(tmp_path)
    archive.merge(bid_bars([0, 60 * NS_PER_SECOND], [1.0, 2.0]))
    given = bid_bars([0, 60 * NS_PER_SECOND, 120 * NS_PER_SECOND], [9.0, 2.5, 3.0])

    assert archive.preview(given) == BarMergeResult(added=1, replaced=1, conflicting=1)
    assert archive.merge(given) == BarMergeResult(added=1, replaced=1, conflicting=1)
    assert archive.read("X", 60).bid_close.tolist() == [1.0, 2.5, 3.0]


def test_bid_and_ask_candles_complete_each_other(tmp_path: Path) -> None:
    """A side that only the second file knows is added to the stored bar."""
    archive = BarArchive(tmp_path)
    bid = bid_bars([0], [1.0])
    archive.merge(bid)
    ask = BarSeries("X", 60, bid.ts_ns, bid.prices[::-1] + 1, bid.ticks + 7, bid.spread_points)
    assert archive.merge(ask) == BarMergeResult(duplicates=1)

    read = archive.read("X", 60)
    assert (read.bid_open[0], read.ask_open[0], read.ticks[0]) == (1.0, 2.0, 7)


def test_the_table_of_bars_has_exactly_these_columns(tmp_path: Path) -> None:
    """What `archive ohlc` writes: the start as a UTC time, both sides, the count."""
    write_bar_table(tmp_path / "bars.parquet", build_bars(ticks(1, 2, 3), 60))
    frame = pl.read_parquet(tmp_path / "bars.parquet")

    assert frame.columns == ["time_utc", *PRICE_COLUMNS, "ticks"]
    assert frame["time_utc"].dtype == pl.Datetime("ms", "UTC")
    assert frame.row(0)[1:] == (1.0, 3.0, 1.0, 3.0, 2.0, 4.0, 2.0, 4.0, 3)


def test_a_table_that_cannot_be_written_is_told_plainly(tmp_path: Path) -> None:
    """A missing folder is a sentence, and nothing is left behind."""
    with pytest.raises(InputError, match="cannot be written"):
        write_bar_table(tmp_path / "no" / "bars.parquet", build_bars(ticks(1), 60))
    assert list(tmp_path.iterdir()) == []
