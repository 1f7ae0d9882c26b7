"""`plan2 features` from files to tables."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from features_fixtures import EURUSD, random_ticks

from plan2.commands.features import command
from plan2.foundation.errors import InputError
from plan2.foundation.values import TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.indicator_rules import PriceBars
from plan2.intelligence.features.indicators import indicators_of
from plan2.intelligence.features.plan import default_plan

PLAN = default_plan()
TICKS = random_ticks(6_000)


@pytest.fixture
def tick_file(tmp_path: Path) -> Path:
    """A Parquet file of ticks whose name says the symbol."""
    path = tmp_path / "EURUSD_ticks.parquet"
    times = pl.Series("time_utc", TICKS.ts_ns).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    pl.DataFrame({"time_utc": times, "bid": TICKS.bid, "ask": TICKS.ask}).write_parquet(path)
    return path


@pytest.fixture
def bar_file(tmp_path: Path) -> Path:
    """A Parquet file of bars with a time, OHLC and a volume."""
    path = tmp_path / "EURUSD_M1.parquet"
    rows = FeatureEngine(PLAN, EURUSD).step_block(TICKS)
    times = pl.Series(rows.bar_ts_ns).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    ohlc = np.ascontiguousarray(rows.bar_ohlc.T)
    columns = dict(zip(("open", "high", "low", "close"), ohlc, strict=True))
    pl.DataFrame({"time_utc": times, **columns, "tick_volume": rows.bar_ticks}).write_parquet(path)
    return path


def invoke(*arguments: object) -> Result:
    """Run the verb."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_default_set_is_what_the_engine_gives(tick_file: Path, tmp_path: Path) -> None:
    """A row at each bar close with every feature, equal to the engine's own bits."""
    out = tmp_path / "features.parquet"
    result = invoke("--ticks", tick_file, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    table = pl.read_parquet(out)
    expected = FeatureEngine(PLAN, EURUSD).step_block(TICKS)
    assert table.columns == ["time_utc", "bar_utc", "ready", *PLAN.names] == told["columns"]
    np.testing.assert_array_equal(table.select(PLAN.names).to_numpy(), expected.values)
    np.testing.assert_array_equal(table["time_utc"].dt.timestamp("ns"), expected.ts_ns)
    np.testing.assert_array_equal(table["bar_utc"].dt.timestamp("ns"), expected.bar_ts_ns)
    assert told["rows"] == len(expected)
    assert told["ready"] == int(expected.ready.sum())
    assert told["ticks"] == len(TICKS)
    assert told["schema_id"] == PLAN.schema_id


def test_every_tick_gives_a_row(tick_file: Path, tmp_path: Path) -> None:
    """With a choice of groups and names, in the order asked."""
    out = tmp_path / "features.parquet"
    arguments = ("--set", "return_5,cost", "--every", "tick")
    result = invoke("--ticks", tick_file, *arguments, "--out", out)
    assert result.exit_code == 0, result.output
    table = pl.read_parquet(out)
    assert table.height == len(TICKS)
    assert table.columns[3:5] == ["return_5", "spread"]


def test_indicators_of_ticks_are_those_of_the_bid_bars(tick_file: Path, tmp_path: Path) -> None:
    """Classic names on a tick file use the closed bars of the chosen period."""
    out = tmp_path / "features.parquet"
    names = "rsi_14,bb_upper_20_2,obv,spread"
    result = invoke("--ticks", tick_file, "--set", names, "--period", "2m", "--out", out)
    assert result.exit_code == 0, result.output
    rows = FeatureEngine(default_plan(120), EURUSD).step_block(TICKS)
    opens, highs, lows, closes = np.ascontiguousarray(rows.bar_ohlc.T)
    bars = PriceBars(opens, highs, lows, closes, rows.bar_ticks.astype(np.float64))
    table = pl.read_parquet(out)
    for name, values in indicators_of(["rsi_14", "bb_upper_20_2", "obv"], bars).items():
        np.testing.assert_array_equal(table[name].to_numpy(), values)


def test_bars_keep_their_time_and_get_indicators(bar_file: Path, tmp_path: Path) -> None:
    """`default` for bars is the usual ten; a CSV of the same bars gives the same values."""
    out, again = tmp_path / "indicators.parquet", tmp_path / "again.parquet"
    assert invoke("--bars", bar_file, "--out", out).exit_code == 0
    table, bars = pl.read_parquet(out), pl.read_parquet(bar_file)
    assert table["time_utc"].equals(bars["time_utc"])
    assert table.columns[1:4] == ["sma_20", "ema_20", "rsi_14"]
    mean = bars["close"].tail(20).mean()
    assert table["sma_20"][-1] == pytest.approx(mean, rel=1e-12)
    plain = tmp_path / "EURUSD_M1.csv"
    bars.write_csv(plain)
    assert invoke("--bars", plain, "--out", again).exit_code == 0
    assert pl.read_parquet(again)["rsi_14"].equals(table["rsi_14"])


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("rsi14", "rsi_N"),
        ("sprad", "spread"),
        ("volatilty", "volatility"),
        ("zzzz", "--list"),
        (",", "no feature"),
        ("ema_0", "whole number"),
    ],
)
def test_unknown_names_list_the_nearest(
    tick_file: Path, tmp_path: Path, names: str, told: str
) -> None:
    """And no file appears."""
    out = tmp_path / "features.parquet"
    result = invoke("--ticks", tick_file, "--set", names, "--out", out)
    assert isinstance(result.exception, InputError)
    assert told in str(result.exception)
    assert not out.exists()


def test_indicators_at_every_tick_are_refused(tick_file: Path, tmp_path: Path) -> None:
    """They change only at bar closes; an older file stays as it was."""
    out = tmp_path / "features.parquet"
    out.write_bytes(b"older")
    result = invoke("--ticks", tick_file, "--set", "ema_20", "--every", "tick", "--out", out)
    assert isinstance(result.exception, InputError)
    assert out.read_bytes() == b"older"


def test_files_that_cannot_be_used(tick_file: Path, tmp_path: Path) -> None:
    """Missing, not bars, without a tick, a folder that is not there: an error for each."""
    out = tmp_path / "out.parquet"
    empty = tmp_path / "EURUSD_none.parquet"
    pl.read_parquet(tick_file).head(0).write_parquet(empty)
    cases = [
        ("--ticks", tmp_path / "absent.parquet", out),
        ("--bars", tmp_path / "absent.parquet", out),
        ("--bars", tick_file, out),
        ("--ticks", empty, out),
        ("--ticks", tick_file, tmp_path / "no" / "folder" / "out.parquet"),
    ]
    for option, path, target in cases:
        result = invoke(option, path, "--out", target)
        assert isinstance(result.exception, InputError), (option, path, result.output)
        assert not target.exists()


def test_usage_errors() -> None:
    """Neither or both inputs, or no output."""
    assert invoke("--out", "x.parquet").exit_code == 2
    assert invoke("--ticks", "a", "--bars", "b", "--out", "x.parquet").exit_code == 2
    assert invoke("--ticks", "a").exit_code == 2


def test_list_shows_everything_that_can_be_named() -> None:
    """For people and for scripts."""
    text = invoke("--list").stdout
    assert "bb_upper_N_k" in text
    catalogue = json.loads(invoke("--list", "--json").stdout)
    assert [row["name"] for row in catalogue["features"]] == list(PLAN.names)


def test_a_block_shorter_than_a_bar_gives_an_empty_table(tmp_path: Path) -> None:
    """Columns without rows, because no bar has closed."""
    few: TickBlock = TICKS.slice(0, 3)
    path, out = tmp_path / "EURUSD_few.parquet", tmp_path / "out.parquet"
    times = pl.Series("time_utc", few.ts_ns).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    pl.DataFrame({"time_utc": times, "bid": few.bid, "ask": few.ask}).write_parquet(path)
    assert invoke("--ticks", path, "--set", "spread,ema_5", "--out", out).exit_code == 0
    assert pl.read_parquet(out).shape == (0, 5)
