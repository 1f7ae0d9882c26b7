"""Backtests a flow from the command line: contract data, ticks or bars, models, then the loop."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from plan2.dataflow.archive import END_OF_TIME_NS, TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.bar_series import BarSeries
from plan2.dataflow.importers.bar_checks import checked_bars
from plan2.dataflow.importers.dataset import BarFile, ImportOptions, TickFile
from plan2.dataflow.importers.detect import recognise
from plan2.dataflow.importers.source import open_source
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, TickBlock
from plan2.intelligence.backtest.bar_paths import PATHS, BarFeed
from plan2.intelligence.backtest.feeds import Blocks, PointFeed, TickFeed
from plan2.intelligence.backtest.python_run import run_policy
from plan2.intelligence.backtest.run import BacktestRun, Engine
from plan2.intelligence.backtest.run_flow import OnProgress, RunOptions, run_flow
from plan2.intelligence.flows.check import FlowCheck, Ticks, check_flow
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import period_ns
from plan2.intelligence.flows.modules import FOLDER
from plan2.intelligence.flows.policies import Policy
from plan2.intelligence.flows.source import write_source
from plan2.wiring.contracts import check_rates, contract_of


class FlowWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What a flow is run over; times UTC ns.

    `ticks`, `bars`: a file instead of the archive. `spread_points`: the least of bars without ask.
    `rates`: account currency per unit of quote and of base, for a cross; 0 = not needed.
    `is_named`: a person named the symbol, so that a file of another name is taken for it.
    """

    start_ns: int = 0
    end_ns: int = END_OF_TIME_NS
    ticks: Path | None = None
    bars: Path | None = None
    spread_points: float | None = None
    rates: tuple[float, float] = (0.0, 0.0)
    is_named: bool = False


class FlowResult(msgspec.Struct, frozen=True, kw_only=True):
    """The run, those on the other paths of bars by name, and the share of time in models."""

    run: BacktestRun
    other_paths: dict[str, BacktestRun] = {}
    inference_share: float = 0.0


def needs_pipeline(flow: Flow, engine: Engine | None, policy: Policy | None) -> bool:
    """Whether the live pipeline is to run a flow: it was asked for, or nothing else can.

    Bets of the ensemble exist in the pipeline alone; a `policy` decides in the compiled account.

    Raises:
        InputError: the engine that was asked for cannot run this flow.
    """
    is_bets = flow.policy.kind == "models"
    if engine == "pipeline" or (is_bets and engine is None):
        if policy is not None or flow.policy.kind == "python":
            raise InputError(
                f"{flow.name} asks a Python policy, which the live pipeline does not run.",
                remedy="Leave --engine out, or write the rule as expressions.",
            )
        return True
    if is_bets:
        raise InputError(
            f"{flow.name} takes the bets of the ensemble, which only the live pipeline makes.",
            remedy="Say --engine pipeline, or write rules over p_up.",
        )
    return False


def backtest_flow(
    loaded: Loaded,
    flow: Flow,
    window: FlowWindow,
    on_progress: OnProgress,
    policy: Policy | None = None,
) -> FlowResult:
    """Run a flow; with a `policy` its decisions are that object's.

    Raises:
        InputError: flow, file or window cannot be used, there are no ticks, or nobody says what the
            symbol's currencies are worth in the account's.
    """
    instrument = contract_of(loaded.settings, flow.source.symbol)
    check_rates(flow, instrument, window.rates)
    options = RunOptions(
        folder=data_dir(loaded.settings) / FOLDER, on_progress=on_progress, rates=window.rates
    )
    bars = bars_of(loaded, flow.source.symbol, window)
    if bars is None:
        feed = tick_feed(loaded, flow.source.symbol, window)
        run, inference_s = _run(loaded, flow, feed, instrument, options, policy)
        share = inference_s / max(inference_s + run.seconds, 1e-9)
        return FlowResult(run=run, inference_share=share)
    spread = None if window.spread_points is None else window.spread_points * instrument.point
    runs = {}
    for path in PATHS:
        feed = BarFeed(bars, path, instrument.point, spread)
        run, _ = _run(loaded, flow, feed, instrument, options, policy)
        runs[path] = replace(run, made_of=feed.told(period_ns(flow.source.bars)))
    return FlowResult(run=runs.pop("base"), other_paths={str(name): r for name, r in runs.items()})


def _run(
    loaded: Loaded,
    flow: Flow,
    feed: TickFeed,
    instrument: Instrument,
    options: RunOptions,
    policy: Policy | None,
) -> tuple[BacktestRun, float]:
    """One run, and the seconds that models took before it."""
    inference_s = 0.0
    if flow.models.use or flow.feature_set or write_source(flow).program.outer:
        # Late: features and models take longer to import than most flows take to run.
        from plan2.wiring.flow_outside import outer_values

        outer, inference_s = outer_values(loaded, flow, instrument, feed)
        options = replace(options, outer=outer)
    if policy is None:
        return run_flow(flow, feed, instrument, options), inference_s
    return run_policy(flow, policy, feed, instrument, options), inference_s


def tick_feed(loaded: Loaded, symbol: str, window: FlowWindow) -> TickFeed:
    """The ticks of a file, else the archive's.

    Raises:
        InputError: the file holds no ticks, or those of another symbol; nothing is archived.
    """
    if window.ticks is None:
        archive = TickArchive(data_dir(loaded.settings) / "archive")
        start_ns, end_ns = window.start_ns, window.end_ns
        days = archive.coverage(symbol)
        if not days:
            raise InputError(
                f"Nothing of {symbol} is archived.",
                remedy="Bring it with `plan2 import FILE…`, run on a file with --ticks FILE or "
                "--bars FILE, or take --simulated ticks.",
            )
        inside = [day for day in days if day.last_ts_ns >= start_ns and day.first_ts_ns < end_ns]
        if not inside:
            raise _outside(f"The archive of {symbol}", days[0].first_ts_ns, days[-1].last_ts_ns)
        expected = sum(day.ticks for day in inside)
        return Blocks(symbol, lambda: archive.iter_days(symbol, start_ns, end_ns), expected)
    found = recognise(open_source(window.ticks), ImportOptions(symbol=symbol))
    if not isinstance(found, TickFile):
        raise InputError(f"{window.ticks} holds bars.", remedy="Give it with --bars.")
    _check_symbol(found, window.ticks, symbol, window)
    return Blocks(symbol, lambda: _file_blocks(found, symbol, window))


def _file_blocks(file: TickFile, symbol: str, window: FlowWindow) -> Iterator[TickBlock]:
    """Rows of a tick file within the window."""
    first_ns = last_ns = ticks = 0
    for batch in file.batches():
        block = TickBlock(symbol, batch.ts_ns, batch.bid, batch.ask)
        start, stop = np.searchsorted(block.ts_ns, (window.start_ns, window.end_ns))
        if stop > start:
            yield block.slice(int(start), int(stop))
            ticks += int(stop - start)
        if len(block):
            first_ns, last_ns = first_ns or int(block.ts_ns[0]), int(block.ts_ns[-1])
    if last_ns and not ticks:
        raise _outside(str(window.ticks), first_ns, last_ns)


def _check_symbol(file: TickFile | BarFile, path: Path, symbol: str, window: FlowWindow) -> None:
    """Refuse a file that says it is of another symbol: its prices would be taken for ours."""
    theirs, ours = (file.symbol or symbol).upper(), symbol.upper()
    if window.is_named or theirs.startswith(ours) or ours.startswith(theirs):
        return  # a broker's suffix is none of another symbol
    raise InputError(
        f"{path} holds {file.symbol}, and the flow trades {symbol}.",
        remedy=f"Run it on that symbol with --symbol {file.symbol}; if only the name is wrong, "
        f"say --symbol {symbol}.",
    )


def _outside(what: str, first_ns: int, last_ns: int) -> InputError:
    first, last = (datetime.fromtimestamp(ns / NS_PER_SECOND, UTC) for ns in (first_ns, last_ns))
    return InputError(
        f"{what} goes from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC: nothing in the "
        "chosen time.",
        remedy="Choose another --from and --to.",
    )


def bars_of(loaded: Loaded, symbol: str, window: FlowWindow) -> BarSeries | None:
    """The bars to run on: of the file, else the archive's shortest where it has no ticks.

    Raises:
        InputError: the file holds no bars, those of another symbol, or none in the window.
    """
    if window.bars is not None:
        source = open_source(window.bars)
        found = recognise(source, ImportOptions(symbol=symbol))
        if not isinstance(found, BarFile):
            raise InputError(f"{window.bars} holds ticks.", remedy="Give it with --ticks.")
        _check_symbol(found, window.bars, symbol, window)
        bars = checked_bars(source, found, symbol)
        if bars is None or len(bars) == 0:
            return None
        inside = _within(bars, window)
        if len(inside) == 0:
            raise _outside(str(window.bars), int(bars.ts_ns[0]), int(bars.ts_ns[-1]))
        return inside
    home = data_dir(loaded.settings) / "archive"
    if window.ticks is not None or TickArchive(home).coverage(symbol):
        return None
    periods = BarArchive(home).periods(symbol)
    if not periods:
        return None
    return BarArchive(home).read(symbol, periods[0], window.start_ns, window.end_ns)


def _within(bars: BarSeries, window: FlowWindow) -> BarSeries:
    start, stop = np.searchsorted(bars.ts_ns, (window.start_ns, window.end_ns))
    return bars.slice(int(start), int(stop))


def check_file(loaded: Loaded, flow: Flow, ticks: Path | None) -> FlowCheck:
    """Check a flow on the ticks of a file, or on a made-up walk.

    Raises:
        InputError: flow or file cannot be read.
    """
    instrument = contract_of(loaded.settings, flow.source.symbol)
    folder = data_dir(loaded.settings) / FOLDER
    if ticks is None:
        return check_flow(flow, instrument, None, folder)
    feed = PointFeed(
        tick_feed(loaded, instrument.symbol, FlowWindow(ticks=ticks)), instrument.digits
    )
    blocks = list(feed.blocks())
    columns = (
        np.concatenate([block.ts_ns for block in blocks]),
        np.concatenate([block.bid for block in blocks]),
        np.concatenate([block.ask for block in blocks]),
    )
    return check_flow(flow, instrument, Ticks(*columns), folder)
