"""Strategies A and B of the published benchmark, to the cent, compiled and as Python policies.

The ticks come from the script that other engines were measured with; without it the tests skip.
"""

import importlib.util
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.python_run import run_policy
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.run_flow import RunOptions, run_flow
from plan2.intelligence.flows.flow import read_flow
from plan2.intelligence.flows.policies import Action, View

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT.parent / "shared/bench/mkdata.py"
FLOWS = ROOT / "docs/flows"
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
LONG, SHORT = Action(enter=1), Action(enter=-1)


class Cross:
    """Strategy A in Python."""

    def on_bar(self, view: View) -> Action:
        """Long while the quick average is not below the calm one."""
        quick, calm = view.values
        return LONG if quick >= calm else SHORT


class Five:
    """Strategy B in Python."""

    def on_bar(self, view: View) -> Action | None:
        """All five agree."""
        line, signal, strength, mean, average, upper, lower = view.values
        x = 0.5 * (view.bid + view.ask)
        slack = 1e-7
        if line > signal and strength > 50 and x > mean + slack and x > average:
            return LONG if x > upper + slack else None
        if line < signal and strength < 50 and x < mean - slack and x < average:
            return SHORT if x < lower - slack else None
        return None


@pytest.fixture(scope="module")
def ticks() -> TickBlock:
    """A million made-up quotes; the script says how."""
    if not SCRIPT.exists():
        pytest.skip("the benchmark's data script is not beside this repository")
    spec = importlib.util.spec_from_file_location("mkdata", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ts_ns, bid, ask = module.make()
    return TickBlock("EURUSD", ts_ns, bid / 1e5, ask / 1e5)


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> RunOptions:
    """Machine code is shared by the tests of this file."""
    return RunOptions(folder=tmp_path_factory.mktemp("code"))


def feed(block: TickBlock, sizes: tuple[int, ...] = ()) -> Blocks:
    """The block in pieces that end at these rows."""
    ends = (0, *sizes, len(block))
    pieces = [block.slice(a, b) for a, b in pairwise(ends)]
    return Blocks("EURUSD", lambda: iter(pieces))


def net(run: BacktestRun) -> float:
    """Profit in account currency."""
    return round(run.end_balance - run.start_balance, 2)


def test_strategy_a_to_the_cent(ticks: TickBlock, options: RunOptions) -> None:
    """24,838 bars, 2,266 orders, 1,133 trades, −10,700.00; the same from a policy in Python."""
    flow = read_flow(FLOWS / "ema-cross.toml")
    run = run_flow(flow, feed(ticks), EURUSD, options)
    assert (run.ticks, run.bars, run.orders.height, run.trades.height) == (
        1_000_000, 24_838, 2_266, 1_133
    )  # fmt: skip
    assert net(run) == -10_700.00
    assert round(float(run.trades["net"].sum()), 2) == -10_700.00
    python = run_policy(flow, Cross(), feed(ticks), EURUSD, options)
    assert python.log_digest == run.log_digest
    assert python.engine == "python"


def test_strategy_b_to_the_cent(ticks: TickBlock, options: RunOptions) -> None:
    """3,736 orders, 1,868 trades, −14,243.00; a policy on 200,000 ticks agrees order by order."""
    flow = read_flow(FLOWS / "five-a-tick.toml")
    run = run_flow(flow, feed(ticks), EURUSD, options)
    assert (run.orders.height, run.trades.height, net(run)) == (3_736, 1_868, -14_243.00)
    part = ticks.slice(0, 200_000)
    rules = run_flow(flow, feed(part), EURUSD, options)
    python = run_policy(flow, Five(), feed(part), EURUSD, options)
    assert python.log_digest == rules.log_digest
    assert rules.trades.height > 300


def test_pieces_of_any_size_give_the_same_run(ticks: TickBlock, options: RunOptions) -> None:
    """State is carried between blocks to the bit, one tick alone included."""
    flow = read_flow(FLOWS / "ema-cross.toml")
    part = ticks.slice(0, 150_000)
    whole = run_flow(flow, feed(part), EURUSD, options)
    cuts = np.sort(np.random.default_rng(5).integers(1, 150_000, 40))
    pieces = run_flow(flow, feed(part, (*cuts.tolist(), 149_999)), EURUSD, options)
    assert pieces.log_digest == whole.log_digest
    assert (pieces.run_id, pieces.data_id) == (whole.run_id, whole.data_id)
    assert pieces.equity.equals(whole.equity)
