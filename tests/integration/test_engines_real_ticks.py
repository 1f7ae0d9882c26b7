"""`plan2 backtest FLOW.toml --engine pipeline` leaves what the compiled loop does on real ticks.

They may differ where the docs say so: random latency, slippage and refusals are the compiled
account's alone and are refused here.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from plan2.commands.backtest import command as backtest

FLOW = """\
name = "quick"
[source]
symbol = "EURUSD"
bars = "30s"
[features]
quick = "ema(close, 3)"
calm = "ema(close, 9)"
[policy]
long = "crosses_above(quick, calm)"
short = "crosses_below(quick, calm)"
[exits]
stop_loss = "6 * pip"
take_profit = "9 * pip"
time_s = 1800
[size]
lots = 0.1
"""
SAME = ("ticks", "bars", "orders", "trades", "net", "commission", "swap", "log_digest", "data_id")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the flow, and the data folder where machine code is kept for both symbols."""
    folder = tmp_path_factory.mktemp("engines")
    (folder / "quick.toml").write_text(FLOW)
    return folder


@pytest.mark.parametrize("symbol", ["EURUSD", "USDJPY"])
def test_the_live_pipeline_trades_real_ticks_as_the_compiled_loop(
    shared_data: Path, home: Path, symbol: str
) -> None:
    """The same orders and trades to the cent, by one hash."""
    ticks = shared_data / "ticks" / f"fx_{symbol.lower()}_2019-01-01.parquet"
    words = [str(home / "quick.toml"), "--symbol", symbol, "--ticks", str(ticks)]
    words += ["--to", "2019-01-02T01:00", "--json", "--no-report", "--data-dir", str(home / "data")]
    found = {}
    for engine in ("compiled", "pipeline"):
        ran = CliRunner().invoke(backtest, [*words, "--engine", engine], catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        found[engine] = json.loads(ran.stdout)
    compiled, piped = found["compiled"], found["pipeline"]
    assert compiled["trades"] > 5
    assert [piped[name] for name in SAME] == [compiled[name] for name in SAME]
    assert piped["engine"] == "pipeline"
    assert piped["run_id"] != compiled["run_id"]
