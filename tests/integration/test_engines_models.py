"""`plan2 backtest FLOW` on models that were really trained: both engines leave the same log."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from model_fixtures import small_report

from plan2.commands.backtest import command as backtest
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.train import propose_report
from unit.test_flow_models_parity import market

pytest.importorskip("torch")
pytestmark = pytest.mark.slow
FLOW = """\
name = "reader"
[source]
symbol = "EURUSD"
[models]
use = true
families = {families}
[policy]
on = "{on}"
long = "p_up > 0.5"
short = "p_up < 0.5"
[exits]
stop_loss = "3 * barrier"
take_profit = "4 * barrier"
time_s = 1200
[size]
risk_fraction = 0.004
"""
SAME = ("ticks", "bars", "orders", "trades", "net", "commission", "swap", "log_digest", "data_id")

SEVEN_WEEKS_NS = 49 * NS_PER_DAY
"""So much earlier the models, of the first of January, are not too old to speak."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ticks in a file, and a data folder with a candidate of trees, net and line."""
    folder = tmp_path_factory.mktemp("engines")
    block = market(seed=11, count=3_000, wild=1.0)
    ts_ns = block.ts_ns - SEVEN_WEEKS_NS
    columns = {"time_utc": ts_ns, "bid": block.bid, "ask": block.ask}
    frame = pl.DataFrame(columns).with_columns(pl.col("time_utc").cast(pl.Datetime("ns", "UTC")))
    frame.write_parquet(folder / "eurusd_day.parquet")
    report = small_report(("xgboost", "lstm", "logistic"))
    propose_report(Registry(folder / "data" / "models"), report)
    return folder


@pytest.mark.parametrize(
    ("on", "families"),
    [("bar", []), ("tick", ["xgboost", "lstm"])],
    ids=["the ensemble", "two families, judged on every tick"],
)
def test_a_flow_on_trained_models_trades_alike_in_both_engines(
    home: Path, on: str, families: list[str]
) -> None:
    """The same forecasts, sizes, orders and trades, by one hash."""
    (home / "reader.toml").write_text(FLOW.format(on=on, families=json.dumps(families)))
    words = [str(home / "reader.toml"), "--ticks", str(home / "eurusd_day.parquet")]
    words += ["--json", "--no-report", "--data-dir", str(home / "data")]
    found = {}
    for engine in ("compiled", "pipeline"):
        ran = CliRunner().invoke(backtest, [*words, "--engine", engine], catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        found[engine] = json.loads(ran.stdout)
    compiled, piped = found["compiled"], found["pipeline"]
    assert compiled["trades"] > 5
    assert [piped[name] for name in SAME] == [compiled[name] for name in SAME]
    assert (compiled["engine"], piped["engine"]) == ("compiled", "pipeline")
