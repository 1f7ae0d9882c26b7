"""The compiled loop and the live pipeline leave the same orders and trades, to the cent."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from plan2.foundation.config.overlay_keys import DECLARED, Looser, Overridable, is_loosening
from plan2.foundation.config.schema import Risk, Settings
from plan2.foundation.errors import InputError
from plan2.foundation.values import TickBlock
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.outside import Outside
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.run_flow import Outer, RunOptions, run_flow
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.flows.flow import Flow, parse_flow
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.models.forecast import Forecast
from plan2.wiring.flow_backtest import WIDE, PipelineRun, run_pipeline
from unit.flow_fixtures import EMA_CROSS
from unit.trading_fixtures import EURUSD

NOON_NS = 1_709_640_000_000_000_000
QUICK = EMA_CROSS.replace("fast = 10", "fast = 3").replace("slow = 20", "slow = 8")
READER = """\
name = "reader"
[source]
symbol = "EURUSD"
[models]
use = true
[policy]
on = "tick"
long = "p_up_lcb > 0.6"
short = "p_down_lcb > 0.6"
[exits]
stop_loss = "barrier"
take_profit = "barrier"
[size]
lots = 0.1
"""
CONTRACT = msgspec.structs.replace(EURUSD, swap_long_points=-6.1, swap_short_points=2.3)


def walk(count: int, seed: int = 5) -> TickBlock:
    """A random walk in points with spreads of 5 to 14; over a broker's midnight at 22:00 UTC."""
    rng = np.random.default_rng(seed)
    ts_ns = NOON_NS + np.cumsum(rng.integers(500, 25_000, count)) * 1_000_000
    mid = 110_000 + np.cumsum(rng.normal(0.0, 9.0, count)).round().astype(np.int64)
    spread = rng.integers(5, 15, count)
    return TickBlock("EURUSD", ts_ns, mid / 1e5, (mid + spread) / 1e5)


class Alternating:
    """Says 0.8 and 0.2 by turns of 20 bars; silent while the features warm up."""

    model_ids = ("alternating",)

    def __init__(self) -> None:
        self.commits = 0

    def commit(self, reading: object) -> None:
        """Count bars."""
        self.commits += 1

    def forecast(self, ts_ns: int, reading: Any) -> Forecast:
        """By turns."""
        return Forecast(
            symbol="EURUSD", ts_ns=ts_ns, p_up=0.8 if self.commits // 20 % 2 else 0.2,
            barrier=0.0009, horizon_s=900, disagreement=0.0, standard_error=0.02,
            calibration_id="", votes=(), abstained="" if reading.ready else "warming_up",
        )  # fmt: skip

    def states(self) -> dict[str, bytes]:
        """It has none."""
        return {}


def wish(flow: Flow, block: TickBlock, ensemble: Any = None) -> PipelineRun:
    """The flow over a block by the pipeline."""

    def read(_: str, start_ns: int, end_ns: int) -> TickBlock:
        begin, end = np.searchsorted(block.ts_ns, [start_ns, end_ns])
        return block.slice(int(begin), int(end))

    return PipelineRun(
        flow=flow,
        instrument=CONTRACT,
        settings=Settings(),
        read=read,
        start_ns=int(block.ts_ns[0]),
        end_ns=int(block.ts_ns[-1]) + 1,
        data_id="walk",
        ensemble=ensemble,
    )


def shifted(outer: Outer) -> Outer:
    """The same values as if other models had said them."""
    return replace(outer, rows=outer.rows + 0.001)


def both(flow: Flow, block: TickBlock) -> tuple[BacktestRun, BacktestRun]:
    """The same flow on the same ticks, compiled and by the pipeline."""
    piped = run_pipeline(wish(flow, block))
    return run_flow(flow, Blocks("EURUSD", lambda: iter([block])), CONTRACT), piped


@pytest.mark.parametrize(
    "exits",
    [
        "",
        'take_profit = "12 * pip"\n',
        'take_profit = "12 * pip"\ntime_s = 900\n',
    ],
    ids=["reversals", "stops and targets", "time exits"],
)
def test_pipeline_and_compiled_loop_agree(exits: str) -> None:
    """Every column of every order and trade, and the account's end."""
    stop = 'stop_loss = "8 * pip"\n' if exits else 'stop_loss = "30 * pip"\n'
    flow = parse_flow(QUICK.replace('stop_loss = "30 * pip"\n', stop + exits))
    compiled, piped = both(flow, walk(4_000))
    assert piped.trades.height > 50
    for name in ("orders", "trades"):
        expected, found = getattr(compiled, name), getattr(piped, name)
        assert expected.schema == found.schema
        assert _comparable(found).equals(_comparable(expected)), name
    assert piped.end_balance == compiled.end_balance
    assert piped.log_digest == compiled.log_digest
    assert piped.bars == compiled.bars
    curve = ["ts_ns", "balance", "lots"]
    assert piped.equity.select(curve).equals(compiled.equity.select(curve))
    # Only the compiled account counts the swap of an open position in equity: 0.61 for this night.
    assert (piped.equity["equity"] - compiled.equity["equity"]).abs().max() <= 0.62
    assert piped.max_drawdown == pytest.approx(compiled.max_drawdown, abs=0.62)


def test_a_week_that_loses_much_is_traded_to_its_end_by_both() -> None:
    """More than every limit of an account on losses: those are the account's, not the flow's."""
    flow = parse_flow(QUICK.replace("lots = 0.10", "lots = 1.0"))
    compiled, piped = both(flow, walk(4_000))
    worst = max(
        getattr(Risk(), name)
        for name in ("daily_loss_max_fraction", "weekly_loss_max_fraction", "drawdown_max_fraction")
    )
    assert compiled.max_drawdown_fraction > worst
    assert piped.denials == compiled.denials == {}
    assert piped.trades.height == compiled.trades.height
    assert piped.log_digest == compiled.log_digest


ONLY_SCALES = {"risk.stress_move_fraction", "risk.executions_window_s"}
"""Of limits that are open: the size of a stress, and the time in which entries are counted."""


@pytest.mark.parametrize(
    "each",
    [
        each
        for each in DECLARED
        if each.section == "risk" and each.looser in {Looser.MORE, Looser.LESS}
        if each.key not in ONLY_SCALES
    ],
    ids=lambda each: each.key,
)
def test_no_limit_of_an_account_bears_on_a_replay(each: Overridable) -> None:
    """One that is added to the account's must be opened for backtests and comparisons as well."""
    assert is_loosening(each.key, Settings(), Settings(risk=WIDE))


def test_forecasts_are_read_alike_and_down_is_not_up() -> None:
    """A flow that reads bounds of up and down trades the same both ways, long and short."""
    flow = parse_flow(READER)
    block = walk(6_000, seed=3)
    feed = Blocks("EURUSD", lambda: iter([block]))
    source = write_source(flow)
    engine = FeatureEngine(default_plan(), CONTRACT)
    outside = Outside(source.program.outer, engine, Alternating(), 0.5)  # type: ignore[arg-type]
    outer = outside.collect(feed)
    compiled = run_flow(flow, feed, CONTRACT, RunOptions(outer=outer))
    piped = run_pipeline(wish(flow, block, Alternating()))
    assert set(compiled.trades["side"]) == {1, -1}
    assert piped.log_digest == compiled.log_digest
    assert (
        compiled.run_id != run_flow(flow, feed, CONTRACT, RunOptions(outer=shifted(outer))).run_id
    )


def test_bets_of_the_ensemble_are_taken_by_the_pipeline() -> None:
    """0.8 up and 0.2 up by turns at half a pip of spread: both sides, 0.02 lots, at the barrier."""
    flow = parse_flow(
        'name = "bets"\n[source]\nsymbol = "EURUSD"\n[policy]\nkind = "models"\n'
        "[size]\nlots = 0.02\n"
    )
    run = run_pipeline(wish(flow, walk(6_000, seed=3), Alternating()))
    assert set(run.trades["side"]) == {1, -1}
    assert set(run.trades["lots"]) == {0.02}
    assert run.engine == "pipeline"
    assert {"stop_loss", "take_profit"} <= set(run.trades["exit_reason"])


def test_what_only_the_compiled_account_has_is_refused_by_name() -> None:
    """Random slippage and refusals are not the pipeline's."""
    flow = parse_flow(QUICK + "[execution]\nslippage_points = 2\nreject_fraction = 0.1\n")
    with pytest.raises(InputError, match="slippage, reject_fraction"):
        both(flow, walk(10))


def test_money_of_the_run_is_the_sum_of_its_trades() -> None:
    """Start balance plus every net is the end's balance, to the cent."""
    _, piped = both(parse_flow(QUICK), walk(1_500, seed=9))
    net = sum((Decimal(str(each)) for each in piped.trades["net"]), Decimal(0))
    assert Decimal(str(piped.start_balance)) + net == Decimal(str(piped.end_balance))


def _comparable(frame: pl.DataFrame) -> pl.DataFrame:
    """Prices to a hundredth of a point: sums of binary fractions differ in their last bit.

    What is closed at the end has its worst and best moment counted with that close only here.
    """
    rounded = frame.with_columns(pl.col(pl.Float64).round(7))
    if "mae" not in frame.columns:
        return rounded
    is_end = pl.col("exit_reason") == "end"
    excursions = [pl.when(is_end).then(0.0).otherwise(pl.col(n)).alias(n) for n in ("mae", "mfe")]
    return rounded.with_columns(excursions)
