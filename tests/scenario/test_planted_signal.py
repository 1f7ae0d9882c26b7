"""From ticks to money: what is planted in the simulated market is found and pays after costs.

The same seed, trained and traded by the same code, with structure and with none: candidate,
backtest through the live pipeline, spread, commission, latency and risk gate.
"""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.foundation.config.load import Loaded, load
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.report import TrainReport
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.train import propose_report, train
from plan2.wiring.backtesting import BacktestReport, run_backtest, without_exploration
from plan2.wiring.markets import ReplayWindow

pytestmark = pytest.mark.slow
CONFIG = Path(__file__).parents[2] / "config.toml"
SYMBOL = "EURUSD"
SEED, TRAIN_DAYS, TRADE_DAYS = 7, 16, 4
STRENGTH = 5.0
"""Times the documented structure, so that two weeks are enough to see it."""


def configured(folder: Path) -> Loaded:
    """The shipped configuration over an empty data folder; nothing is traded to explore."""
    return without_exploration(load(CONFIG, {"PLAN2_DATA_DIR": str(folder)}))


def lived(folder: Path, strength: float) -> tuple[TrainReport, BacktestReport]:
    """Train on the first days, trade those after."""
    loaded = configured(folder)
    market = SyntheticMarket(SEED, (SYMBOL,), FIRST_INSTANT_NS, strength)
    split_ns = FIRST_INSTANT_NS + TRAIN_DAYS * NS_PER_DAY
    end_ns = split_ns + TRADE_DAYS * NS_PER_DAY
    archive = TickArchive(folder / "archive")
    archive.merge(market.generate(end_ns)[SYMBOL])
    request = TrainRequest(
        symbols=(SYMBOL,),
        instruments=instruments([SYMBOL]),
        ts_ns=split_ns,
        families=("logistic",),
        is_simulated=True,
    )
    blocks = {SYMBOL: archive.iter_days(SYMBOL, FIRST_INSTANT_NS, split_ns)}
    report = train(request, blocks, lambda *_: None)
    propose_report(Registry(folder / "models"), report)
    window = ReplayWindow(symbols=(SYMBOL,), start_ns=split_ns, end_ns=end_ns)
    return report, asyncio.run(run_backtest(loaded, window, lambda *_: None))


def test_a_planted_signal_pays_after_costs_and_its_absence_is_left_alone(tmp_path: Path) -> None:
    """Skill with its interval above zero, then days in the black; without it hardly a trade."""
    report, traded = lived(tmp_path / "planted", STRENGTH)
    assert report.ensemble.log_loss_skill.low > 0.0
    assert traded.trades >= 10
    assert Decimal(traded.net) > 0
    assert Decimal(traded.commission) < 0  # it is net of what the broker takes

    report, traded = lived(tmp_path / "nothing", 0.0)
    assert report.ensemble.log_loss_skill.low < 0.0
    assert traded.trades <= 2
