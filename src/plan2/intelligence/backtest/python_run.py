"""Runs a policy written in Python: compiled account and features, one call a tick or bar, then it.

The same rule as a flow and as a policy gives the same orders and trades, to the last bit.
"""

from typing import Any

import numpy as np

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.intelligence.backtest import turn_source as places
from plan2.intelligence.backtest.account.compiled import account_fingerprint
from plan2.intelligence.backtest.account.entries import finish_entry
from plan2.intelligence.backtest.account.frames import Rows
from plan2.intelligence.backtest.acting import ask_for
from plan2.intelligence.backtest.feeds import PointFeed, PointTicks, TickFeed
from plan2.intelligence.backtest.finished import Finished, finished_run
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.run_flow import Cancelled, RunOptions, given_digest, new_account
from plan2.intelligence.backtest.turn_source import DRAIN, ENDED, LAST, MAY_ENTER, turn_text
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import new_memory
from plan2.intelligence.flows.modules import flows_fingerprint, load_module
from plan2.intelligence.flows.policies import Action, BarPolicy, Policy, TickPolicy, View
from plan2.intelligence.flows.source import DISTANCES, HEAD, FlowSource, write_source
from plan2.intelligence.flows.words import COUNTS, EXIT_LONG, EXIT_SHORT, LONG, SHORT

STOP, TARGET = DISTANCES.index("stop_loss"), DISTANCES.index("take_profit")
ENTERED = COUNTS.index("entered")


def run_policy(
    flow: Flow,
    policy: Policy,
    feed: TickFeed,
    instrument: Instrument,
    options: RunOptions | None = None,
) -> BacktestRun:
    """Backtest a policy with the bars, features, exits, size and account of a flow.

    Raises:
        InputError: the flow or a tick cannot be used, or there are no ticks.
        Cancelled: `options.is_cancelled` said so.
    """
    options = options or RunOptions()
    source = write_source(flow)
    if source.program.outer:
        names = ", ".join(source.program.outer)
        raise InputError(f"{flow.name}: a Python policy cannot read {names} yet.")
    loop = PolicyLoop(flow, policy, source, instrument, options, is_bars=feed.is_bars)
    ticks = PointFeed(feed, instrument.digits)
    for block in ticks.blocks():
        loop.run(block)
        options.on_progress(ticks.ticks, ticks.last_ns)
        if options.is_cancelled():
            raise Cancelled(f"{flow.name}: ended after {ticks.ticks:,} ticks.")
    if ticks.ticks == 0:
        raise InputError(f"{feed.symbol}: no ticks in the chosen time.")
    return loop.finish(ticks)


class PolicyLoop:
    """One run of a Python policy.

    Attributes:
        seconds: spent in compiled calls and in the policy.
    """

    def __init__(
        self,
        flow: Flow,
        policy: Policy,
        source: FlowSource,
        instrument: Instrument,
        options: RunOptions,
        *,
        is_bars: bool = False,
    ) -> None:
        self.seconds = 0.0
        self._flow = flow
        self._policy = policy
        self._instrument = instrument
        self._is_bars = is_bars
        self._rows = Rows()
        self._view = View()
        self._memory = memory = new_memory(flow, source, instrument)
        self._accounts = new_account(flow, instrument, options, is_bars=is_bars)
        self._k = np.zeros(places.PLACES, np.int64)
        addressed = {
            places.S: memory.s,
            places.W: memory.w,
            places.C: memory.c,
            places.R: memory.r,
            places.O: memory.o,
            places.ACCOUNTS: self._accounts,
        }
        for place, array in addressed.items():
            self._k[place] = array.ctypes.data
        self._k[places.RINGS] = len(memory.r)
        self._given = given_digest(options)
        self._turn = self._compiled(source, options)

    def run(self, block: PointTicks) -> None:
        """Take a block of ticks."""
        began = stopwatch_ns()
        k, turn, address = self._k, self._turn, self._k.ctypes.data
        k[places.ROW], k[places.TICKS] = 0, len(block)
        columns = {places.TS: block.ts_ns, places.BIDS: block.bid, places.ASKS: block.ask}
        for place, column in columns.items():
            k[place] = column.ctypes.data
        self._ask_along(turn, address)
        self._rows.take(self._accounts)
        self.seconds += (stopwatch_ns() - began) / 1e9

    def _ask_along(self, turn: Any, address: int) -> None:
        """Turn by turn to the end of the block; kept flat, because it is run for every tick."""
        policy, view = self._policy, self._view
        on_bar = policy.on_bar if isinstance(policy, BarPolicy) else None
        on_tick = policy.on_tick if isinstance(policy, TickPolicy) else None
        status = 0
        while not status & LAST:
            status, view.ts_ns, view.bid, view.ask, view.side, view.values = turn(address)
            if status & ENDED:
                view.bars += 1
                action = None if on_bar is None else on_bar(view)
                if action is not None:
                    self._do(action, status)
            if on_tick is not None:
                action = on_tick(view)
                if action is not None:
                    self._do(action, status)
            if status & DRAIN:
                self._rows.take(self._accounts)

    def _do(self, action: Action, status: int) -> None:
        """Ask the account for what a policy wants."""
        memory, flow = self._memory, self._flow
        signal = {1: EXIT_LONG, -1: EXIT_SHORT}.get(action.leave, 0)
        if status & MAY_ENTER:
            signal |= {1: LONG, -1: SHORT}.get(action.enter, 0)
        kept = memory.o.copy()
        if action.stop_loss:
            memory.o[STOP] = action.stop_loss
        if action.take_profit:
            memory.o[TARGET] = action.take_profit
        scale = 10.0**self._instrument.digits
        size, reverse = flow.size, int(flow.policy.reverse)
        if ask_for(
            self._accounts, memory.o, scale, size.lots, size.risk_fraction, reverse,
            flow.risk.positions_max, signal,
        ):  # fmt: skip
            memory.w[ENTERED] = memory.bars
        memory.o[:] = kept

    def finish(self, ticks: PointFeed) -> BacktestRun:
        """Close what is open and say what came out."""
        finish_entry(self._accounts)
        frames = self._rows.frames(self._accounts, self._instrument)
        finished = Finished(
            flow=self._flow,
            instrument=self._instrument,
            engine="python",
            code=f"{account_fingerprint()} {flows_fingerprint()}",
            given=self._given,
            bars=self._memory.bars,
            seconds=self.seconds,
            is_bars=self._is_bars,
        )
        return finished_run(finished, ticks, frames)

    def _compiled(self, source: FlowSource, options: RunOptions) -> Any:
        """`turn`, compiled or loaded now."""
        text = turn_text(
            source,
            every_tick=isinstance(self._policy, TickPolicy),
            fills_at_signal=self._flow.execution.fill == "signal_quote",
        )
        code = f"{flows_fingerprint()} {account_fingerprint()}"
        module: Any = load_module(HEAD.format(fingerprint=code) + text, options.folder)
        (turn,) = module.turn.overloads.values()
        return turn.entry_point
