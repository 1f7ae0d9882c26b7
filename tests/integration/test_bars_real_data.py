"""Bars made from real ticks and bars equal the bars that the same feeds published."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_series import PRICE_COLUMNS, BarSeries, aggregate
from plan2.dataflow.bars import build_bars
from plan2.dataflow.importers.dataset import ImportOptions
from plan2.dataflow.importers.importing import read_ticks
from plan2.dataflow.server_clock import ServerClock
from plan2.dataflow.tick_merge import join_ticks
from plan2.foundation.values import NS_PER_MS, TickBlock

SERVER = ServerClock.parse("newyork+7")
PERIODS_S = {"m5": 300, "m15": 900, "m30": 1_800, "h1": 3_600, "h4": 14_400, "d1": 86_400}


def ticks_of(path: Path, symbol: str) -> TickBlock:
    """All usable ticks of a file."""
    return join_ticks(
        symbol, [part.usable for part in read_ticks(path, ImportOptions(symbol=symbol))]
    )


def mt5_bars(shared_data: Path, name: str, period_s: int) -> BarSeries:
    """Bid bars of a file of MT5 bars, 2025 only."""
    frame = pl.read_parquet(shared_data / "bars" / f"mt5_eurusd_{name}.parquet")
    frame = frame.filter(pl.col("time_server").dt.year() == 2025)
    bid = np.stack([frame[column].to_numpy() for column in ("open", "high", "low", "close")])
    return BarSeries(
        "EURUSD",
        period_s,
        frame["time_utc"].dt.timestamp("ns").to_numpy(),
        np.concatenate([bid, np.full_like(bid, np.nan)]),
        frame["tick_volume"].cast(pl.Int64).to_numpy(),
        frame["spread"].cast(pl.Int64).to_numpy(),
    )


@pytest.mark.parametrize("symbol", ["eurusd", "nzdusd", "xauusd"])
def test_oanda_minutes_equal_the_published_bars(
    shared_data: Path, tmp_path: Path, symbol: str
) -> None:
    """All rows, bid and ask, straight from the file and through the archive."""
    ticks = ticks_of(shared_data / "ticks" / f"oanda_{symbol}_2014-05-01_09.parquet", symbol)
    archive = TickArchive(tmp_path)
    archive.merge(ticks)
    published = pl.read_parquet(shared_data / "bars" / f"oanda_{symbol}_m1_2014-05-01_09.parquet")
    starts = published["time_utc"].dt.timestamp("ns").to_numpy()
    prices = np.stack([published[column].to_numpy() for column in PRICE_COLUMNS])

    for bars in (build_bars(ticks, 60), archive.bars(symbol, 60)):
        assert np.array_equal(bars.ts_ns, starts)
        assert np.array_equal(bars.prices, prices)
        assert int(bars.ticks.sum()) == len(ticks)


@pytest.mark.parametrize("name", list(PERIODS_S))
def test_mt5_larger_bars_follow_from_minutes(shared_data: Path, name: str) -> None:
    """Minutes grouped by server time give every larger bar of the terminal, with its volume."""
    years = "2023-01_2025-09" if name == "m5" else "2025-01_09"
    published = mt5_bars(shared_data, f"{name}_{years}", PERIODS_S[name])
    made = aggregate(mt5_bars(shared_data, "m1_2025-01_09", 60), PERIODS_S[name], SERVER)

    assert np.array_equal(made.ts_ns, published.ts_ns)
    assert np.array_equal(made.prices, published.prices, equal_nan=True)
    assert np.array_equal(made.ticks, published.ticks)


def test_mt5_minutes_follow_from_ticks(shared_data: Path) -> None:
    """Bid OHLC equal in more than 99.99 % of the minutes that the ticks cover completely."""
    path = shared_data / "ticks" / "mt5_eurusd_2025-09-22_26.parquet"
    made = build_bars(ticks_of(path, "EURUSD"), 60)
    published = mt5_bars(shared_data, "m1_2025-01_09", 60)
    _, mine, theirs = np.intersect1d(made.ts_ns, published.ts_ns, return_indices=True)
    equal = made.prices[:4, mine] == published.prices[:4, theirs]

    assert len(mine) > 7_000
    assert equal.mean() > 0.9999


def test_server_time_of_mt5_is_the_new_york_close(shared_data: Path) -> None:
    """The server clock gives MT5's own times, both ways, over nine months with two changes."""
    frame = pl.read_parquet(shared_data / "bars" / "mt5_eurusd_m1_2025-01_09.parquet")
    utc = frame["time_utc"].dt.timestamp("ns").to_numpy()
    server = frame["time_server"].cast(pl.Int64).to_numpy() * NS_PER_MS

    assert np.array_equal(SERVER.to_utc(server), utc)
    assert np.array_equal(SERVER.from_utc(utc), server)


def test_dukascopy_minutes_equal_its_candles(shared_data: Path) -> None:
    """1440 of 1440 bid candles of 2019-02-04, the ticks read from 24 bi5 files."""
    day = shared_data / "formats" / "dukascopy" / "EURUSD" / "2019" / "01" / "04"
    hours = [ticks_of(path, "EURUSD") for path in sorted(day.glob("*h_ticks.bi5"))]
    made = build_bars(join_ticks("EURUSD", hours), 60)
    published = _candles(day / "BID_candles_min_1.bi5")

    assert np.array_equal(made.ts_ns, published.ts_ns)
    assert np.array_equal(made.prices[:4], published.prices[:4])
    assert len(made) == 1_440


def _candles(path: Path) -> BarSeries:
    from plan2.dataflow.importers.bar_checks import checked_bars
    from plan2.dataflow.importers.dataset import BarFile
    from plan2.dataflow.importers.detect import recognise
    from plan2.dataflow.importers.source import open_source

    source = open_source(path)
    file = recognise(source, ImportOptions())
    assert isinstance(file, BarFile)
    series = checked_bars(source, file, "EURUSD")
    assert series is not None
    return series
