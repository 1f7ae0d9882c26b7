"""`plan2 backtest FLOW.toml` and `plan2 flow template|check`, as a person types them."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from plan2.commands.backtest import command as backtest
from plan2.commands.flow import command as flow_command
from plan2.commands.research import command as research
from plan2.dataflow.archive import TickArchive
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.flows.check import made_up

EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of ticks and one of bars, where commands run."""
    ticks = made_up(EURUSD).part(0, 40_000)
    frame = pl.DataFrame({"ts_ns": ticks.ts_ns, "bid": ticks.bid / 1e5, "ask": ticks.ask / 1e5})
    frame.write_parquet(tmp_path / "EURUSD_ticks.parquet")
    minutes = (
        frame.group_by((pl.col("ts_ns") // 60_000_000_000).alias("minute"), maintain_order=True)
        .agg(
            pl.col("bid").first().alias("open"),
            pl.col("bid").max().alias("high"),
            pl.col("bid").min().alias("low"),
            pl.col("bid").last().alias("close"),
        )
        .select(
            (pl.col("minute") * 60_000).cast(pl.Datetime("ms", "UTC")).alias("time_utc"),
            "open", "high", "low", "close",
        )
    )  # fmt: skip
    minutes.write_parquet(tmp_path / "EURUSD_M1.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> str:
    """The output of `plan2 backtest` with a data folder of its own."""
    found = CliRunner().invoke(backtest, [*words, "--data-dir", "data"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_template_check_and_backtest(home: Path) -> None:
    """An example that runs; as a policy in Python the same orders; files with --out."""
    runner = CliRunner()
    for words in (["template", "mine"], ["template", "other", "--python"]):
        assert runner.invoke(flow_command, words, catch_exceptions=False).exit_code == 0
    found = runner.invoke(
        flow_command,
        ["check", "mine.toml", "--ticks", "EURUSD_ticks.parquet", "--data-dir", "data", "--json"],
        catch_exceptions=False,
    )
    assert found.exit_code == 0
    assert json.loads(found.stdout)["problems"] == []
    ticks = ["--ticks", "EURUSD_ticks.parquet", "--json"]
    rules = json.loads(run("mine.toml", *ticks, "--out", "kept"))
    python = json.loads(run("other.toml", *ticks))
    assert rules["orders"] > 5
    assert (rules["engine"], python["engine"]) == ("compiled", "python")
    assert rules["log_digest"] == python["log_digest"]
    assert pl.read_parquet(home / "kept/trades.parquet").height == rules["trades"]
    again = json.loads(run("mine.toml", *ticks, "--param", "length=40"))
    assert again["parameters"]["length"] == 40
    assert again["run_id"] != rules["run_id"]


def test_the_simulated_market_is_taken_only_when_asked_for(home: Path) -> None:
    """Its ticks give what the same ticks give from a file; without --simulated there are none."""
    CliRunner().invoke(flow_command, ["template", "mine"])
    with pytest.raises(InputError, match="no simulated market"):
        run("mine.toml", "--simulated")
    ticks = pl.read_parquet(home / "EURUSD_ticks.parquet")
    block = TickBlock("EURUSD", *(ticks[name].to_numpy() for name in ("ts_ns", "bid", "ask")))
    TickArchive(home / "data" / "simulated" / "archive").merge(block)
    with pytest.raises(InputError, match="Nothing of EURUSD is archived"):
        run("mine.toml")
    of_file = json.loads(run("mine.toml", "--ticks", "EURUSD_ticks.parquet", "--json"))
    of_market = json.loads(run("mine.toml", "--simulated", "--json"))
    assert of_market["log_digest"] == of_file["log_digest"]
    assert any((home / "data" / "backtests").iterdir())
    words = ["sweep", "mine.toml", "--param", "length=10:20:10", "--json", "--data-dir", "data"]
    found = CliRunner().invoke(research, [*words, "--simulated"], catch_exceptions=False)
    assert json.loads(found.stdout)["ticks"] == of_market["ticks"]


def test_bars_show_the_range_of_three_paths(home: Path) -> None:
    """With a plain statement, and the spread that the bars do not have."""
    CliRunner().invoke(flow_command, ["template", "mine"])
    words = ["mine.toml", "--bars", "EURUSD_M1.parquet"]
    text = run(*words, "--spread-points", "12")
    assert "high_first" in text
    assert "the order of high and low is not known" in text
    with pytest.raises(InputError, match="no ask price and no spread"):
        run(*words)


@pytest.mark.parametrize(
    ("option", "name"), [("--ticks", "ticks.parquet"), ("--bars", "M1.parquet")]
)
def test_prices_of_another_symbol_are_not_taken_for_its_own(
    home: Path, option: str, name: str
) -> None:
    """Whose name says so; one that a person names is believed, a broker's suffix is none."""
    CliRunner().invoke(flow_command, ["template", "mine"])
    for symbol in ("USDJPY", "EURUSDm"):
        (home / f"{symbol}_{name}").write_bytes((home / f"EURUSD_{name}").read_bytes())
    words = ["mine.toml", option, f"USDJPY_{name}", "--spread-points", "12"]
    with pytest.raises(InputError, match="holds USDJPY, and the flow trades EURUSD"):
        run(*words)
    own = [*words[:2], f"EURUSD_{name}", *words[3:], "--json"]
    suffixed = [*words[:2], f"EURUSDm_{name}", *words[3:], "--json"]
    found = [
        json.loads(run(*each)) for each in (own, [*words, "--symbol", "EURUSD", "--json"], suffixed)
    ]
    assert len({each["log_digest"] for each in found}) == 1


def test_a_time_without_prices_is_told_with_the_time_that_there_is(home: Path) -> None:
    """Of a file of ticks, one of bars, and the archive."""
    CliRunner().invoke(flow_command, ["template", "mine"])
    ticks = pl.read_parquet(home / "EURUSD_ticks.parquet")
    first = dt.datetime.fromtimestamp(ticks["ts_ns"][0] / 1e9, dt.UTC)
    span = f"goes from {first:%Y-%m-%d %H:%M} to "
    late = ["mine.toml", "--from", "2090-01-01"]
    with pytest.raises(InputError, match=f"EURUSD_ticks.parquet {span}"):
        run(*late, "--ticks", "EURUSD_ticks.parquet")
    with pytest.raises(InputError, match=f"EURUSD_M1.parquet {span}"):
        run(*late, "--bars", "EURUSD_M1.parquet", "--spread-points", "12")
    block = TickBlock("EURUSD", *(ticks[name].to_numpy() for name in ("ts_ns", "bid", "ask")))
    TickArchive(home / "data" / "archive").merge(block)
    with pytest.raises(InputError, match=f"The archive of EURUSD {span}"):
        run(*late)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name a flow file"),
        (["--symbol", "EURUSD", "--seed", "3"], "--seed belongs to a flow"),
        (["mine.toml", "--param", "length"], "write fast=12"),
        (["nothing.toml"], "does not exist"),
        (
            ["mine.toml", "--ticks", "EURUSD_ticks.parquet", "--bars", "EURUSD_M1.parquet"],
            "a run takes ticks or bars",
        ),
    ],
)
def test_what_is_typed_wrong_is_said(home: Path, words: list[str], sentence: str) -> None:
    """Exit code 2 and one sentence."""
    CliRunner().invoke(flow_command, ["template", "mine"])
    found = CliRunner().invoke(backtest, [*words, "--data-dir", "data"])
    assert found.exit_code == 2
    assert sentence in found.output


def test_a_flow_of_rules_starts_without_models_and_the_code_that_trades() -> None:
    """Importing them takes longer than most flows take to run."""
    code = (
        "import sys, plan2.commands.backtest_flow; print(sorted({'onnxruntime', "
        "'plan2.intelligence.pipeline', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
