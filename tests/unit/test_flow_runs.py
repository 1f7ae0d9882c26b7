"""A flow live and in a backtest, its errors, its detectors, bars instead of ticks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_MS, NS_PER_SECOND, TickBlock
from plan2.intelligence.backtest.bar_paths import STEPS, STEPS_OF_SHORT, BarFeed
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.run_flow import Cancelled, RunOptions, run_flow
from plan2.intelligence.backtest.summary import named
from plan2.intelligence.flows.check import Ticks, Trace, check_flow, made_up
from plan2.intelligence.flows.compiled import CompiledFlow
from plan2.intelligence.flows.flow import Flow, parse_flow
from plan2.intelligence.flows.policies import find_policy
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.flows.words import CLOSED, LONG, SHORT, WISHES

EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
CROSS = """
name = "cross"
[source]
symbol = "EURUSD"
bars = "1m"
[parameters]
fast = 5
slow = 15
[features]
quick = "ema(close, fast)"
calm = "sma(close, slow)"
[policy]
long = "crosses_above(quick, calm)"
short = "crosses_below(quick, calm) and hour < 24"
exit_long = "rsi(close, 7) > 85"
[exits]
stop_loss = "2 * atr(10)"
take_profit = "30 * point"
[execution]
latency_ms = 100
"""


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> RunOptions:
    """Machine code is shared by the tests of this file."""
    return RunOptions(folder=tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="module")
def ticks() -> Ticks:
    """Sixty thousand quotes of a random walk."""
    return made_up(EURUSD).part(0, 60_000)


def block_of(ticks: Ticks) -> TickBlock:
    """The same as prices."""
    return TickBlock("EURUSD", ticks.ts_ns, ticks.bid / 1e5, ticks.ask / 1e5)


def feed_of(block: TickBlock) -> Blocks:
    """One block."""
    return Blocks("EURUSD", lambda: iter([block]))


def test_the_same_tick_gives_the_same_signal_live_and_in_columns(
    ticks: Ticks, options: RunOptions
) -> None:
    """Bit by bit, with the distances of each signal defined."""
    flow = parse_flow(CROSS)
    columns = Trace(flow, write_source(flow), EURUSD, options.folder).signals(ticks)
    live = CompiledFlow(flow, EURUSD, options.folder)
    part = block_of(ticks.part(0, 20_000))
    rows = zip(part.ts_ns.tolist(), part.bid.tolist(), part.ask.tolist(), strict=True)
    stepped = []
    for row in rows:
        signal = live.step(*row)
        stepped.append(signal)
        if signal & (LONG | SHORT):
            assert live.distances["stop_loss"] > 0
            assert live.distances["take_profit"] == pytest.approx(30e-5)
            assert live.distances["trailing"] == 0
    np.testing.assert_array_equal(stepped, columns[:20_000])
    assert np.count_nonzero(columns & WISHES) > 50
    assert live.bars == np.count_nonzero(columns[:20_000] & CLOSED)


def test_crossings_are_told_once(ticks: Ticks, options: RunOptions) -> None:
    """Between two crossings upwards lies one downwards."""
    flow = parse_flow(CROSS)
    signals = Trace(flow, write_source(flow), EURUSD, options.folder).signals(ticks)
    sides = signals[signals & (LONG | SHORT) != 0] & (LONG | SHORT)
    assert set(np.unique(sides)) == {LONG, SHORT}
    assert (np.diff(sides) != 0).all()


def test_orders_are_those_of_the_signals(ticks: Ticks, options: RunOptions) -> None:
    """Each entry is decided at the tick that closed a bar and filled at the next quote after."""
    flow = parse_flow(CROSS)
    signals = Trace(flow, write_source(flow), EURUSD, options.folder).signals(ticks)
    run = run_flow(flow, feed_of(block_of(ticks)), EURUSD, options)
    entries = run.orders.filter(run.orders["kind"] == "open")
    wished = set(ticks.ts_ns[signals & (LONG | SHORT) != 0].tolist())
    assert entries.height > 20
    for decided, filled in zip(entries["ts_ns"], entries["filled_ns"], strict=True):
        assert decided in wished
        due = decided + 100 * NS_PER_MS
        assert filled == ticks.ts_ns[np.searchsorted(ticks.ts_ns, due)]
    assert {"stop_loss", "take_profit"} <= set(run.trades["exit_reason"])


def test_a_run_can_be_cancelled(ticks: Ticks) -> None:
    """Between two blocks; progress was told."""
    told: list[int] = []
    options = RunOptions(on_progress=lambda n, _: told.append(n), is_cancelled=lambda: True)
    quiet = parse_flow('name = "quiet"\n[source]\nsymbol = "EURUSD"\n[policy]\nlong = "close < 0"')
    with pytest.raises(Cancelled, match="ended after"):
        run_flow(quiet, feed_of(block_of(ticks)), EURUSD, options)
    assert told == [60_000]


@pytest.mark.parametrize("row", [3, 0])
def test_a_tick_that_cannot_be_one_is_named(ticks: Ticks, row: int, options: RunOptions) -> None:
    """A price of zero, with its number."""
    block = block_of(ticks.part(0, 10))
    block.bid[row] = 0.0
    with pytest.raises(InputError, match=f"tick {row + 1} cannot be used"):
        run_flow(parse_flow(CROSS), feed_of(block), EURUSD, options)


def test_detectors_find_nothing_in_a_sound_flow(ticks: Ticks, options: RunOptions) -> None:
    """And say when a later start agrees."""
    found = check_flow(parse_flow(CROSS), EURUSD, ticks, options.folder)
    assert found.problems == ()
    assert found.defined_after == 15
    assert found.settled_after is not None
    assert found.signals > 50


def test_detectors_find_a_dependence_on_the_start(ticks: Ticks, options: RunOptions) -> None:
    """A mean over far more bars than there are never forgets where it began."""
    text = CROSS.replace("sma(close, slow)", "ema(close, 100 * slow)")
    found = check_flow(parse_flow(text), EURUSD, ticks, options.folder)
    assert found.settled_after is None
    assert any("depend on where the data begin" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("[size]\nrisk_fraction = 0.01", "needs [exits] stop_loss"),
        ("[size]\nlots = 0", "[size] is nothing"),
        ("[exits]\nbreak_even_after_r = 1", "stop"),
    ],
)
def test_what_cannot_work_is_a_problem(ticks: Ticks, table: str, sentence: str) -> None:
    """Before a run is wasted."""
    flow = parse_flow(f'name = "x"\n[source]\nsymbol = "EURUSD"\n{table}')
    found = check_flow(flow, EURUSD, ticks.part(0, 100))
    assert any(sentence in problem for problem in found.problems)
    assert any("neither long nor short" in problem for problem in found.problems)


TICKS = 2 + 3 * STEPS_OF_SHORT


def bars_feed(path: str) -> BarFeed:
    """One rising and one falling bar with known spread."""
    prices = np.array([[1.1, 1.2], [1.3, 1.25], [1.05, 1.0], [1.2, 1.1]])
    whole = np.concatenate([prices, np.full((4, 2), np.nan)])
    counts = np.array([4, 4])
    starts = np.array([0, NS_PER_MINUTE])
    series = BarSeries("EURUSD", 60, starts, whole, counts, np.array([20, -1]))
    return BarFeed(series, path, 1e-5, 10e-5)  # type: ignore[arg-type]


def corners(block: TickBlock) -> list[list[float]]:
    """Of each bar the bids at its open, extremes and close."""
    rows = block.bid.reshape(-1, TICKS)
    assert (rows[:, 0] == rows[:, 1]).all()
    return rows[:, 1::STEPS_OF_SHORT].tolist()


def test_bars_are_walked_on_three_paths() -> None:
    """Base goes against the bar first; the spread is the bar's, at least the caller's."""
    (base,) = bars_feed("base").blocks()
    assert corners(base) == [[1.1, 1.05, 1.3, 1.2], [1.2, 1.25, 1.0, 1.1]]
    (high,) = bars_feed("high_first").blocks()
    assert corners(high) == [[1.1, 1.3, 1.05, 1.2], [1.2, 1.25, 1.0, 1.1]]
    (low,) = bars_feed("low_first").blocks()
    assert corners(low) == [[1.1, 1.05, 1.3, 1.2], [1.2, 1.0, 1.25, 1.1]]
    np.testing.assert_allclose(base.ask - base.bid, [20e-5] * TICKS + [10e-5] * TICKS)
    assert bars_feed("base").told(NS_PER_MINUTE) == (
        "Quotes are made of bars of 1m, with a spread of 10 points, or of the bar where that is "
        "wider."
    )
    assert "shorter than 1m: most of them are guesses" in bars_feed("base").told(0)
    assert (np.diff(base.ts_ns) > 0).all()
    assert base.ts_ns[TICKS - 1] == NS_PER_MINUTE - NS_PER_MS


def test_between_its_corners_a_bar_is_walked_in_even_steps() -> None:
    """From 1.1 down to 1.05: in four steps within a minute, in eight within an hour."""
    (base,) = bars_feed("base").blocks()
    assert base.bid[:6].tolist() == [1.1, 1.1, 1.0875, 1.075, 1.0625, 1.05]
    np.testing.assert_allclose(np.diff(base.ts_ns[1:6]), 19 * NS_PER_SECOND / 4, atol=1)
    feed = bars_feed("base")
    hour = replace(feed, bars=replace(feed.bars, period_s=3_600).slice(0, 1))
    (block,) = hour.blocks()
    down = [1.1, 1.1, 1.09375, 1.0875, 1.08125, 1.075, 1.06875, 1.0625, 1.05625, 1.05]
    assert block.bid[:10].tolist() == down
    assert len(block) == hour.expected == 2 + 3 * STEPS


def test_a_stop_inside_a_bar_is_filled_near_its_level() -> None:
    """Bought at 1.1001; the bar falls 100 points below, the stop lies 30 below: no gap is paid.

    A leg of 100 points has four steps of 25 points: filled at most so far beyond 1.0998.
    """
    bids = np.array([[1.1, 1.1, 1.1], [1.1001, 1.1001, 1.1], [1.1, 1.1, 1.099], [1.1001, 1.1, 1.1]])
    prices = np.concatenate([bids, np.full((4, 3), np.nan)])
    starts = np.arange(3) * NS_PER_MINUTE
    spreads = np.array([10, 10, 10])
    series = BarSeries("EURUSD", 60, starts, prices, np.full(3, 10), spreads)
    flow = parse_flow(
        'name = "x"\n[source]\nsymbol = "EURUSD"\n[policy]\nlong = "close > open"\n'
        '[exits]\nstop_loss = "30 * point"\n[size]\nlots = 1\n'
    )
    (trade,) = run_flow(flow, BarFeed(series, "base", 1e-5), EURUSD).trades.iter_rows(named=True)
    assert trade["exit_reason"] == "stop_loss"
    assert trade["open_price"] == 1.1001
    assert 1.0998 - 25e-5 <= trade["close_price"] <= 1.0998


def test_bars_that_are_shorter_than_their_period_do_not_overlap() -> None:
    """A bar of a minute whose follower begins after 50 seconds: its close comes before that."""
    prices = np.concatenate([np.full((4, 2), 1.1), np.full((4, 2), np.nan)])
    starts = np.array([0, 50_000_000_000])
    series = BarSeries("EURUSD", 60, starts, prices, np.array([4, 4]), np.array([20, 20]))
    (block,) = BarFeed(series, "base", 1e-5).blocks()
    assert block.ts_ns[TICKS - 1] == 50_000_000_000 - NS_PER_MS
    assert (np.diff(block.ts_ns) > 0).all()


def test_the_spread_of_bars_costs_what_was_said() -> None:
    """One lot, 12 points of 1 USD: half when bought, half when sold, 12.00 in all.

    Bars of MetaTrader that note no spread, as its raw accounts do: up, up, down, up. Bought with
    the second bar at 1.1010 + 0.00012, sold with the fourth at 1.1010: -12.00 without commission.
    """
    opens, closes = [1.1, 1.101, 1.102, 1.101], [1.101, 1.102, 1.101, 1.102]
    bids = np.array([opens, np.maximum(opens, closes), np.minimum(opens, closes), closes])
    prices = np.concatenate([bids, np.full((4, 4), np.nan)])
    starts = np.arange(4) * NS_PER_MINUTE
    counts = np.full(4, 10)
    series = BarSeries("EURUSD", 60, starts, prices, counts, np.zeros(4, np.int64))
    flow = parse_flow(
        'name = "x"\n[source]\nsymbol = "EURUSD"\n[policy]\nlong = "close > open"\n'
        'exit_long = "close < open"\n[size]\nlots = 1\n[execution]\ncommission_per_lot = "0"\n'
    )
    run = run_flow(flow, BarFeed(series, "base", 1e-5, 12e-5), EURUSD)
    (trade,) = run.trades.iter_rows(named=True)
    assert (trade["open_price"], trade["close_price"]) == (1.10112, 1.101)
    assert (trade["spread_cost"], trade["gross"]) == (-12.00, -12.00)
    free = run_flow(flow, BarFeed(series, "base", 1e-5), EURUSD)
    assert free.trades["spread_cost"].to_list() == [0.0]


def test_refusals_are_told_by_code_and_word() -> None:
    """As MetaTrader names them; a code that nobody knows stays a number."""
    found = named({10016: 3, 10019: 2, 10021: 1, 10012: 1, 19999: 4})
    words = ["10016 invalid stops", "10019 no money", "10021 no quotes", "10012 timeout", "19999"]
    assert list(found) == words


def test_policies_are_found_by_file_and_class(tmp_path: Path) -> None:
    """And refused in a sentence."""
    file = tmp_path / "mine.py"
    file.write_text(
        "class A:\n    def on_bar(self, view):\n        return None\nclass B:\n    pass\n"
    )
    assert hasattr(find_policy(f"{file}:A"), "on_bar")
    with pytest.raises(InputError, match="neither on_bar"):
        find_policy(f"{file}:B")
    with pytest.raises(InputError, match="has no class 'C'"):
        find_policy(f"{file}:C")
    with pytest.raises(InputError, match="No policy 'nobody' is installed"):
        find_policy("nobody")


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("docs/flows/*.toml")))
def test_every_example_is_a_flow(path: Path) -> None:
    """Its expressions are read and its tables are consistent."""
    text = path.read_text()
    flow: Flow = parse_flow(text)
    write_source(flow)
    assert path.stem == flow.name
