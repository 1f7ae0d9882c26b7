"""Runs a flow over ticks, compiled: features, rules and account in one loop.

Deterministic: the same flow, ticks, seed and code give the same run, to the last bit.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.backtest.account.entries import Accounts, finish_entry
from plan2.intelligence.backtest.account.frames import Rows
from plan2.intelligence.backtest.account.terms import open_account
from plan2.intelligence.backtest.acting import engine_fingerprint
from plan2.intelligence.backtest.feeds import PointFeed, PointTicks, TickFeed
from plan2.intelligence.backtest.finished import Finished, finished_run
from plan2.intelligence.backtest.loop_source import advance_text
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.features.kernels import machine_code, start_lightly
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import FlowMemory, new_memory
from plan2.intelligence.flows.modules import load_module
from plan2.intelligence.flows.source import HEAD, FlowSource, write_source

QUOTE_WAIT_S = 60.0
"""A request that meets no quote for so long is refused, as the paper broker does."""

OnProgress = Callable[[int, int], None]
"""Told the ticks that were run and the market's time, UTC ns."""


class Cancelled(InputError):
    """The person who started the run ended it; nothing was kept."""

    code = "cancelled"


@dataclass(frozen=True, slots=True)
class Outer:
    """Values that are known from outside: catalogue features and forecasts.

    times: int64[m] UTC ns, when each row was known. rows: float64[m, k] in the order of `names`.
    shares: float64[m], what is left of a size that models are behind (`doubts.py`); empty = all.
    """

    names: tuple[str, ...] = ()
    times: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))
    rows: Float64Array = field(default_factory=lambda: np.empty((0, 0)))
    shares: Float64Array = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run is done, beside the flow.

    Attributes:
        folder: where machine code is kept. outer: what the flow reads from outside.
        on_progress, is_cancelled: asked between blocks of ticks.
        slips: points against us of past fills, for `slippage = "empirical"`.
        rates: account currency per unit of quote and of base currency, where neither is one.
    """

    folder: Path | None = None
    outer: Outer = Outer()
    on_progress: OnProgress = lambda _ticks, _ts_ns: None
    is_cancelled: Callable[[], bool] = lambda: False
    slips: Float64Array | None = None
    rates: tuple[float, float] = (0.0, 0.0)


def run_flow(
    flow: Flow, feed: TickFeed, instrument: Instrument, options: RunOptions | None = None
) -> BacktestRun:
    """Backtest a flow of rules.

    Raises:
        InputError: the flow or a tick cannot be used, or there are no ticks.
        Cancelled: `is_cancelled` said so.
    """
    options = options or RunOptions()
    start_lightly()
    source = write_source(flow)
    loop = Loop(flow, source, instrument, options, is_bars=feed.is_bars)
    ticks = PointFeed(feed, instrument.digits)
    for block in ticks.blocks():
        loop.run(block)
        options.on_progress(ticks.ticks, ticks.last_ns)
        if options.is_cancelled():
            raise Cancelled(f"{flow.name}: ended after {ticks.ticks:,} ticks.")
    if ticks.ticks == 0:
        raise InputError(
            f"{feed.symbol}: no ticks in the chosen time.",
            remedy="`plan2 archive list` shows what there is; or take --simulated ticks.",
        )
    return loop.finish(ticks)


class Loop:
    """One run: the compiled loop, its memory, the account and the rows that it leaves.

    Attributes:
        seconds: spent in the loop alone. memory: of the flow.
    """

    def __init__(
        self,
        flow: Flow,
        source: FlowSource,
        instrument: Instrument,
        options: RunOptions,
        *,
        is_bars: bool = False,
    ) -> None:
        self.seconds = 0.0
        self.memory: FlowMemory = new_memory(flow, source, instrument)
        self._flow = flow
        self._instrument = instrument
        self._is_bars = is_bars
        self._rows = Rows(options.folder)
        self._accounts = new_account(flow, instrument, options, is_bars=is_bars)
        self._outer = _columns(source, options.outer)
        self._given = given_digest(options)
        self._advance = self._compiled(source, options.folder)

    def run(self, block: PointTicks) -> None:
        """Take a block of ticks."""
        memory, (times, rows) = self.memory, self._outer
        began, row = stopwatch_ns(), 0
        while row < len(block):
            row = self._advance(
                self._accounts, memory.s, memory.w, memory.c, memory.r, memory.o,
                block.ts_ns, block.bid, block.ask, times, rows, row,
            )  # fmt: skip
            if row < len(block):
                self._rows.take(self._accounts)
        self._rows.take(self._accounts)
        self.seconds += (stopwatch_ns() - began) / 1e9

    def finish(self, ticks: PointFeed) -> BacktestRun:
        """Close what is open and say what came out."""
        finish_entry(self._accounts)
        self._rows.take(self._accounts)
        frames = self._rows.frames(self._accounts, self._instrument)
        return finished_run(
            Finished(
                flow=self._flow,
                instrument=self._instrument,
                engine="compiled",
                code=engine_fingerprint(),
                given=self._given,
                bars=self.memory.bars,
                seconds=self.seconds,
                is_bars=self._is_bars,
            ),
            ticks,
            frames,
        )

    def _compiled(self, source: FlowSource, folder: Path | None) -> Callable[..., int]:
        """The loop's machine code, compiled or loaded now."""
        is_at_signal = self._flow.execution.fill == "signal_quote"
        loop = advance_text(source, fills_at_signal=is_at_signal)
        text = HEAD.format(fingerprint=engine_fingerprint()) + loop
        module: Any = load_module(text, folder)  # made at run time: nothing knows its types
        memory, none = self.memory, np.empty(0, np.int64)
        example = (memory.s, memory.w, memory.c, memory.r, memory.o, none, none, none)
        return machine_code(module.advance, self._accounts, *example, *self._outer, 0)


def given_digest(options: RunOptions) -> str:
    """SHA-256 of what was given to a run and decides its result; empty when nothing was."""
    if (
        not (options.outer.names or len(options.outer.times))
        and options.slips is None
        and options.rates == (0.0, 0.0)
    ):
        return ""
    outer = options.outer
    digest = hashlib.sha256(msgspec.json.encode((outer.names, options.rates)))
    for column in (outer.times, outer.rows, outer.shares, options.slips):
        digest.update(b"" if column is None else np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _columns(source: FlowSource, outer: Outer) -> tuple[Int64Array, Float64Array]:
    """The outer rows in the order in which the flow reads them.

    Raises:
        InputError: a value that the flow reads was not given.
    """
    wanted = tuple(source.program.outer)
    missing = sorted(set(wanted) - set(outer.names))
    if missing:
        raise InputError(f"nobody gave the values of {', '.join(missing)}.")
    rows = outer.rows[:, [outer.names.index(name) for name in wanted]] if wanted else outer.rows
    if source.uses_models:
        shares = outer.shares if len(outer.shares) else np.ones(len(outer.times))
        rows = np.column_stack([rows.reshape(len(outer.times), -1), shares])
    return np.require(outer.times, np.int64, ["C", "W"]), np.require(rows, np.float64, ["C", "W"])


def new_account(
    flow: Flow, instrument: Instrument, options: RunOptions, *, is_bars: bool
) -> Accounts:
    """The account of a run; quotes made of bars are minutes apart, so requests wait for them."""
    wait_s = 0.0 if is_bars else QUOTE_WAIT_S
    accounts = open_account(flow, instrument, slips=options.slips, quote_wait_s=wait_s)
    accounts["given_quote_rate"], accounts["given_base_rate"] = options.rates
    return accounts


def with_seed(flow: Flow, seed: int) -> Flow:
    """The flow with another seed of latency, slippage and refusals."""
    execution = msgspec.structs.replace(flow.execution, seed=seed)
    return msgspec.structs.replace(flow, execution=execution)
