"""The compiled loop and the code that trades live send the same orders, whatever the flow asks.

Sizes are the point: shares of equity, margins that bind, reversals; on netting and hedging accounts
of both currencies of the symbol.
"""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from plan2.foundation.config.schema import Settings
from plan2.foundation.instrument import Instrument, MarginMode
from plan2.foundation.values import TickBlock
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.run_flow import RunOptions, run_flow
from plan2.intelligence.flows.flow import Flow, FlowAccount, FlowRisk, Size, parse_flow
from plan2.wiring.flow_backtest import PipelineRun, run_pipeline

NOON_NS = 1_709_640_000_000_000_000
TICKS = 900
FLOW = """\
name = "sized"
[source]
symbol = "EURUSD"
[parameters]
quick = 3
calm = 8
stop = 8.0
target = 12.0
[features]
fast = "ema(close, quick)"
slow = "ema(close, calm)"
[policy]
long = "fast >= slow"
short = "fast < slow"
[exits]
stop_loss = "stop * pip"
take_profit = "target * pip"
"""
PARTS = FLOW + "time_s = 1500\n[[exits.partial]]\nat_r = 0.5\nfraction = 0.4\n"
LEAVING = FLOW.replace('short = "fast < slow"', 'exit_long = "fast < slow - 0.3 * pip"')
FLOWS = {"targets": FLOW, "parts": PARTS, "leaving": LEAVING}
MARKETS = {
    "EURUSD": Instrument(
        symbol="EURUSD", base="EUR", quote="USD", digits=5,
        swap_long_points=-6.8, swap_short_points=1.3,
    ),
    "USDJPY": Instrument(
        symbol="USDJPY", base="USD", quote="JPY", digits=3,
        swap_long_points=2.1, swap_short_points=-9.4, stops_level_points=12,
    ),
    "futures": Instrument(
        symbol="USDJPY", base="USD", quote="JPY", digits=3, volume_step=0.1, volume_min=0.1,
        margin_mode=MarginMode.LOT, margin_initial=250_000.0, margin_rate_short=1.5,
    ),
}  # fmt: skip
DEPOSITS = {"EUR": "10000.00", "USD": "10000.00", "JPY": "1500000.00"}


def walk(instrument: Instrument, seed: int) -> TickBlock:
    """A random walk in points, less than a minute between two quotes."""
    rng = np.random.default_rng(seed)
    ts_ns = NOON_NS + np.cumsum(rng.integers(500, 50_000, TICKS)) * 1_000_000
    middle = 110_000 + np.cumsum(rng.normal(0.0, 14.0, TICKS)).round().astype(np.int64)
    scale = 10.0**instrument.digits
    ask = middle + rng.integers(3, 16, TICKS)
    return TickBlock(instrument.symbol, ts_ns, middle / scale, ask / scale)


def both(
    flow: Flow, block: TickBlock, instrument: Instrument, folder: Path
) -> tuple[BacktestRun, BacktestRun]:
    """The same flow on the same ticks, compiled and by the code that trades."""

    def read(_: str, start_ns: int, end_ns: int) -> TickBlock:
        begin, end = np.searchsorted(block.ts_ns, [start_ns, end_ns])
        return block.slice(int(begin), int(end))

    feed = Blocks(block.symbol, lambda: iter([block]))
    wish = PipelineRun(
        flow=flow, instrument=instrument, settings=Settings(), read=read,
        start_ns=int(block.ts_ns[0]), end_ns=int(block.ts_ns[-1]) + 1, data_id="walk",
        folder=folder,
    )  # fmt: skip
    return run_flow(flow, feed, instrument, RunOptions(folder=folder)), run_pipeline(wish)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where machine code is kept: each structure of a flow is compiled once."""
    return tmp_path_factory.mktemp("flows")


@st.composite
def asked(draw: st.DrawFn) -> tuple[Flow, Instrument]:
    """A flow, its size and its account."""
    name = draw(st.sampled_from(sorted(MARKETS)))
    instrument = MARKETS[name]
    currency = draw(st.sampled_from([instrument.base, instrument.quote]))
    mode = draw(st.sampled_from(["hedging", "netting"]))
    size = draw(
        st.one_of(
            st.floats(0.001, 0.2).map(lambda share: Size(risk_fraction=share)),
            st.floats(0.1, 6.0).map(lambda lots: Size(lots=lots)),
        )
    )
    flow = parse_flow(FLOWS[draw(st.sampled_from(sorted(FLOWS)))])
    parameters = {
        "stop": draw(st.floats(1.7, 30.0)),
        "target": draw(st.floats(1.7, 30.0)),
        "quick": draw(st.sampled_from([2.0, 3.0, 5.0])),
    }
    flow = msgspec.structs.replace(
        flow,
        source=msgspec.structs.replace(flow.source, symbol=instrument.symbol),
        parameters={**flow.parameters, **parameters},
        policy=msgspec.structs.replace(
            flow.policy, reverse=draw(st.booleans()), entry_gap=draw(st.integers(0, 3))
        ),
        size=size,
        risk=FlowRisk(positions_max=draw(st.sampled_from([1, 3])) if mode == "hedging" else 1),
        account=FlowAccount(
            currency=currency,
            balance=DEPOSITS[currency],
            leverage=draw(st.sampled_from([30.0, 100.0, 500.0])),
            mode=mode,
        ),
    )
    return flow, instrument


@given(case=asked(), seed=st.integers(0, 2**20))
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a case takes a second: shrinking would take the night
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_sizes_and_orders_are_the_same_whatever_is_asked(
    folder: Path, case: tuple[Flow, Instrument], seed: int
) -> None:
    """Order by order, then trade by trade, then the hash of the log."""
    flow, instrument = case
    note(f"{flow} on walk {seed}")
    compiled, piped = both(flow, walk(instrument, seed), instrument, folder)
    for name in ("kind", "side", "lots", "ts_ns", "retcode", "filled_lots"):
        assert piped.orders[name].to_list() == compiled.orders[name].to_list(), name
    assert piped.trades["net"].to_list() == compiled.trades["net"].to_list()
    assert piped.end_balance == compiled.end_balance
    assert piped.log_digest == compiled.log_digest


EURUSD = msgspec.structs.replace(MARKETS["EURUSD"], swap_long_points=0.0, swap_short_points=0.0)


def test_a_size_goes_by_the_stop_in_whole_points(folder: Path) -> None:
    """5.05 pips are 51 points: 1 % of 10,000 USD over 51 USD a lot are 1.96 lots, not 1.98."""
    flow = msgspec.structs.replace(
        parse_flow(FLOW.replace("stop = 8.0", "stop = 5.05")), size=Size(risk_fraction=0.01)
    )
    for run in both(flow, walk(EURUSD, 3), EURUSD, folder):
        entry = run.orders.filter(run.orders["kind"] == "open").row(0, named=True)
        assert entry["lots"] == 1.96, run.engine


def test_a_reversal_counts_what_is_being_closed_as_closed(folder: Path) -> None:
    """2 lots at 1.1 bind 7,333 of 10,000 USD at 1:30; the other side finds room for 2 again."""
    text = FLOW.replace("stop = 8.0", "stop = 400").replace("target = 12.0", "target = 400")
    flow = msgspec.structs.replace(parse_flow(text), size=Size(lots=2.0))
    compiled, piped = both(flow, walk(EURUSD, 4), EURUSD, folder)
    for run in (compiled, piped):
        entries = run.orders.filter(run.orders["kind"] == "open")["lots"].to_list()
        assert entries[:3] == [2.0, 2.0, 2.0], run.engine
    assert piped.log_digest == compiled.log_digest


def test_an_entry_beyond_the_free_margin_is_shrunk_by_both(folder: Path) -> None:
    """10,000 USD at 1:30 carry 300,000 USD: at a middle near 1.10 they are 2.7 lots and not 6."""
    flow = msgspec.structs.replace(parse_flow(FLOW), size=Size(lots=6.0))
    block = walk(EURUSD, 5)
    for run in both(flow, block, EURUSD, folder):
        entry = run.orders.filter(run.orders["kind"] == "open").row(0, named=True)
        at = int(np.searchsorted(block.ts_ns, entry["ts_ns"]))
        middle = (block.bid[at] + block.ask[at]) / 2
        assert entry["lots"] == np.floor(300_000 / (middle * 100_000) * 100) / 100, run.engine
