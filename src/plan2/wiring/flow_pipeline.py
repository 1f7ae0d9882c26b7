"""`--engine pipeline`: a flow over ticks by the code that trades, and when that is used."""

import msgspec
import numpy as np

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.sources import Read
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.backtest.feeds import PointFeed, TickFeed
from plan2.intelligence.backtest.run import Engine
from plan2.intelligence.backtest.run_flow import OnProgress
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.policies import Policy
from plan2.wiring.contracts import contract_of
from plan2.wiring.flow_backtest import PipelineRun, run_pipeline
from plan2.wiring.flow_outside import models_behind
from plan2.wiring.flow_run import (
    FlowResult,
    FlowWindow,
    backtest_flow,
    bars_of,
    needs_pipeline,
    tick_feed,
)


class Span(msgspec.Struct, frozen=True):
    """The ticks of a run: their hash, the first and the last time, UTC ns."""

    data_id: str
    first_ns: int
    last_ns: int


def run_by_engine(
    loaded: Loaded,
    flow: Flow,
    window: FlowWindow,
    on_progress: OnProgress,
    policy: Policy | None = None,
    engine: Engine | None = None,
) -> FlowResult:
    """Run a flow by the engine that was asked for, else by the one that it needs.

    Raises:
        InputError: the engine cannot run this flow, or as `backtest_flow`.
    """
    if needs_pipeline(flow, engine, policy):
        return run_by_pipeline(loaded, flow, window, on_progress)
    return backtest_flow(loaded, flow, window, on_progress, policy)


def run_by_pipeline(
    loaded: Loaded, flow: Flow, window: FlowWindow, on_progress: OnProgress
) -> FlowResult:
    """Run a flow by the code that trades.

    Raises:
        InputError: the pipeline cannot run this flow, or there are no ticks.
    """
    instrument = contract_of(loaded.settings, flow.source.symbol)
    _check(loaded, flow, window, instrument)
    behind = models_behind(loaded, flow, instrument)
    read, span = _recording(loaded, flow.source.symbol, window, instrument)
    run = run_pipeline(
        PipelineRun(
            flow=flow,
            instrument=instrument,
            settings=loaded.settings,
            read=read,
            start_ns=span.first_ns,
            end_ns=span.last_ns + 1,
            data_id=span.data_id,
            folder=data_dir(loaded.settings),
            ensemble=behind.ensemble,
            doubts=behind.doubts,
        ),
        lambda ts_ns, ticks: on_progress(ticks, ts_ns),
    )
    return FlowResult(run=run)


def _check(loaded: Loaded, flow: Flow, window: FlowWindow, instrument: Instrument) -> None:
    """Refuse what the pipeline cannot be asked."""
    if bars_of(loaded, flow.source.symbol, window) is not None:
        raise InputError(
            "The live pipeline runs on ticks; here are only bars.",
            remedy="Leave --engine pipeline out, or bring ticks with `plan2 import FILE…`.",
        )
    currency = flow.account.currency
    if currency not in {instrument.base, instrument.quote}:
        raise InputError(
            f"The live pipeline values {instrument.symbol} in {currency} by quotes of another "
            "symbol, and plays only one.",
            remedy=f'Say [account] currency = "{instrument.quote}", or run it compiled '
            "with --quote-rate and --base-rate.",
        )


def _recording(
    loaded: Loaded, symbol: str, window: FlowWindow, instrument: Instrument
) -> tuple[Read, Span]:
    """How the ticks of a window are read, and which they are; those of a file are held in memory.

    Raises:
        InputError: a tick cannot be used, or there are none.
    """
    feed = tick_feed(loaded, symbol, window)
    if window.ticks is None:
        archive = TickArchive(data_dir(loaded.settings) / "archive")
        return archive.read, _span_of(feed, instrument)
    blocks = list(feed.blocks())
    span = _span_of(feed, instrument)
    whole = TickBlock(
        symbol,
        np.concatenate([block.ts_ns for block in blocks]),
        np.concatenate([block.bid for block in blocks]),
        np.concatenate([block.ask for block in blocks]),
    )

    def read(_: str, start_ns: int, end_ns: int) -> TickBlock:
        start, stop = np.searchsorted(whole.ts_ns, (start_ns, end_ns))
        return whole.slice(int(start), int(stop))

    return read, span


def _span_of(feed: TickFeed, instrument: Instrument) -> Span:
    """Looks at every tick once, as the compiled loop does: the same ticks have the same name."""
    ticks = PointFeed(feed, instrument.digits)
    for _ in ticks.blocks():
        pass
    if ticks.ticks == 0:
        raise InputError(
            f"{feed.symbol}: no ticks in the chosen time.",
            remedy="`plan2 archive list` shows what there is; or take --simulated ticks.",
        )
    return Span(ticks.data_id, ticks.first_ns, ticks.last_ns)
