"""Runs a policy written in Python: compiled account and features, one call a tick or bar, then it.

The same rule as a flow and as a policy gives the same orders and trades, to the last bit.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.intelligence.backtest import turn_source as places
from plan2.intelligence.backtest.account.entries import finish_entry
from plan2.intelligence.backtest.account.frames import Rows
from plan2.intelligence.backtest.acting import ask_for, engine_fingerprint
from plan2.intelligence.backtest.feeds import PointFeed, PointTicks, TickFeed
from plan2.intelligence.backtest.finished import Finished, finished_run
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.run_flow import Cancelled, RunOptions, given_digest, new_account
from plan2.intelligence.backtest.turn_source import DRAIN, ENDED, LAST, MAY_ENTER, turn_text
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import new_memory
from plan2.intelligence.flows.modules import load_module
from plan2.intelligence.flows.policies import Action, BarPolicy, Policy, TickPolicy, View
from plan2.intelligence.flows.source import DISTANCES, HEAD, FlowSource, write_source
from plan2.intelligence.flows.words import COUNTS, EXIT_LONG, EXIT_SHORT, LONG, SHORT

STOP, TARGET = DISTANCES.index("stop_loss"), DISTANCES.index("take_profit")
ENTERED = COUNTS.index("entered")
ENTERS: Final = {1: LONG, -1: SHORT, 0: 0}
LEAVES: Final = {1: EXIT_LONG, -1: EXIT_SHORT, 0: 0}


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
        raise InputError(
            f"{feed.symbol}: no ticks in the chosen time.",
            remedy="`plan2 archive list` shows what there is; or take --simulated ticks.",
        )
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
        self._scale = 10.0**instrument.digits
        self._rows = Rows(options.folder)
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
        k, address = self._k, self._k.ctypes.data
        k[places.ROW], k[places.TICKS] = 0, len(block)
        columns = {places.TS: block.ts_ns, places.BIDS: block.bid, places.ASKS: block.ask}
        for place, column in columns.items():
            k[place] = column.ctypes.data
        if isinstance(self._policy, TickPolicy):
            self._ask_at_ticks(self._policy, address)
        else:
            self._ask_at_bars(self._policy.on_bar, address)
        self._rows.take(self._accounts)
        self.seconds += (stopwatch_ns() - began) / 1e9

    def _ask_at_bars(self, on_bar: Callable[[View], Action | None], address: int) -> None:
        """To the end of the block, asking at bars alone; kept flat, as it may be for every tick."""
        turn, view = self._turn, self._view
        repeats = self._flow.risk.positions_max == 1
        while True:
            status, view.ts_ns, view.bid, view.ask, view.side, view.values = turn(address)
            if status < DRAIN or status & ENDED:
                view.bars += 1
                action = on_bar(view)
                # To enter the side that is held, when one position is allowed, changes nothing.
                if action is not None and (
                    action.leave or action.enter != view.side or not repeats
                ):
                    self._do(action, status)
            if status >= DRAIN:
                if status & DRAIN:
                    self._rows.take(self._accounts)
                if status & LAST:
                    return

    def _ask_at_ticks(self, policy: TickPolicy, address: int) -> None:
        """To the end of the block, asking at every tick, and at bars as well when it wants to."""
        turn, view, on_tick = self._turn, self._view, policy.on_tick
        on_bar = policy.on_bar if isinstance(policy, BarPolicy) else None
        status = 0
        while not status & LAST:
            status, view.ts_ns, view.bid, view.ask, view.side, view.values = turn(address)
            if status & ENDED:
                view.bars += 1
                action = None if on_bar is None else on_bar(view)
                if action is not None:
                    self._do(action, status)
            action = on_tick(view)
            if action is not None:
                self._do(action, status)
            if status & DRAIN:
                self._rows.take(self._accounts)

    def _do(self, action: Action, status: int) -> None:
        """Ask the account for what a policy wants."""
        memory, flow, o = self._memory, self._flow, self._memory.o
        signal = LEAVES[action.leave]
        if status & MAY_ENTER:
            signal |= ENTERS[action.enter]
        if signal == 0:
            return
        stop, target = o[STOP], o[TARGET]
        if action.stop_loss:
            o[STOP] = action.stop_loss
        if action.take_profit:
            o[TARGET] = action.take_profit
        size, reverse = flow.size, int(flow.policy.reverse)
        if ask_for(
            self._accounts, o, self._scale, size.lots, size.risk_fraction, reverse,
            flow.risk.positions_max, signal,
        ):  # fmt: skip
            memory.w[ENTERED] = memory.bars
        o[STOP], o[TARGET] = stop, target

    def finish(self, ticks: PointFeed) -> BacktestRun:
        """Close what is open and say what came out."""
        finish_entry(self._accounts)
        frames = self._rows.frames(self._accounts, self._instrument)
        finished = Finished(
            flow=self._flow,
            instrument=self._instrument,
            engine="python",
            code=engine_fingerprint(),
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
        module: Any = load_module(
            HEAD.format(fingerprint=engine_fingerprint()) + text, options.folder
        )
        (turn,) = module.turn.overloads.values()
        return turn.entry_point
