"""A flow's backtest by the live pipeline: the code that trades, one tick after the other.

Slower than the compiled loop by orders of magnitude, and there to hold it to account: on the same
ticks with a fixed latency both leave the same trades. Limits of the account are opened wide, as the
compiled account knows those of the flow alone; a recorded tick is taken as it is.
"""

import asyncio
import hashlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from plan2.dataflow.sources import Read, RecordedSource
from plan2.dataflow.terminals.simulated.opening import PaperAccount, open_recorded
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.dataflow.terminals.simulated.terminal import SimulatedTerminal
from plan2.foundation.bus import Bus
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.config.schema import Management, Risk, Settings
from plan2.foundation.errors import InputError, Unrecoverable
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.loop import run_async
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND, TenantId, Tick
from plan2.intelligence.backtest.collecting import Collected
from plan2.intelligence.backtest.doubts import NO_DOUBTS, Doubts
from plan2.intelligence.backtest.log_digest import log_digest
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.flows.flow import Flow, flow_digest
from plan2.intelligence.flows.memory import period_ns
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import AccountIdentity
from plan2.intelligence.trading.chronicle import NoSink
from plan2.intelligence.trading.flow_seats import FlowSeat
from plan2.intelligence.trading.journal import MemoryJournal
from plan2.intelligence.training.provenance import code_hash
from plan2.intelligence.warm_state import ticks_of
from plan2.wiring.assembly import Floor, FloorPlan, build_floor
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.flow_policies import make_policy
from plan2.wiring.served_again import ServedAgain

OnProgress = Callable[[int, int], None]
"""Told the market time (UTC ns) and the number of ticks so far."""
PROGRESS_EVERY_S: Final = 0.5
ACCOUNT: Final = "backtest"
ROOM: Final = 1e9
FEW: Final = 1_000_000

WIDE: Final = Risk(
    positions_max=FEW,
    positions_per_symbol_max=FEW,
    exposure_max_fraction=ROOM,
    order_value_max_fraction=ROOM,
    daily_loss_max_fraction=1.0,
    weekly_loss_max_fraction=1.0,
    drawdown_max_fraction=1.0,
    spread_max_fraction_of_stop=ROOM,
    tick_age_max_ms=FEW,
    stop_distance_min_spreads=0.0,
    orders_per_minute_max=FEW,
    duplicate_window_s=0.0,
    risk_per_trade_fraction=ROOM,
    volatility_target_fraction=ROOM,
    expected_shortfall_max_fraction=ROOM,
    currency_exposure_max_fraction=ROOM,
    order_volume_max_lots=ROOM,
    collar_max_fraction=1.0,
    collar_max_points=ROOM,
    collar_pending_max_fraction=1.0,
    collar_window_max_fraction=1.0,
    collar_reference_max_age_ms=10 * FEW,
    messages_per_second_max=FEW,
    messages_per_minute_max=FEW,
    executions_max=FEW,
)
"""Limits that stop no order; those of the flow itself hold."""

CALM: Final = Management(
    stop_changes_every_s=0.001, unprotected_max_s=float(FEW), emergency_stop_fraction=0.5
)
"""Stops move as often as they may; who has none keeps one that is never reached."""


class PipelineRun(msgspec.Struct, frozen=True, kw_only=True):
    """What is run.

    Attributes:
        flow: of rules or models. instrument: its symbol's contract data.
        settings: whose features and market terms hold.
        read: ticks of a symbol between two instants; `start_ns`, `end_ns`: which.
        data_id: names the ticks. folder: where machine code is kept, None = nowhere.
        ensemble: whose forecasts the flow reads, None = nobody's. doubts: what is held against it.
        warm_ns: how much of what came before the policy is shown first.
        served: who served live, instead of `ensemble` and `doubts`; None = nobody is imitated.
    """

    flow: Flow
    instrument: Instrument
    settings: Settings
    read: Read
    start_ns: int
    end_ns: int
    data_id: str
    folder: Path | None = None
    ensemble: Ensemble | None = None
    doubts: Doubts = NO_DOUBTS
    warm_ns: int = 0
    served: ServedAgain | None = None


def run_pipeline(wish: PipelineRun, on_progress: OnProgress = lambda *_: None) -> BacktestRun:
    """Run a flow through the live pipeline.

    Raises:
        InputError: the flow asks for what only the compiled account has: random latency, slippage,
            refusals, fills at the quote of the signal; or it cannot be used.
        Unrecoverable: something broke on the tick path; the run means nothing.
    """
    return run_async(play(wish, on_progress))


async def play(wish: PipelineRun, on_progress: OnProgress = lambda *_: None) -> BacktestRun:
    """`run_pipeline` for who runs a loop already."""
    _check(wish.flow)
    flow, bus, faults = wish.flow, Bus(), list[Unrecoverable]()
    instrument = _contract(wish)
    terminal = _terminal(wish, instrument)
    floor = _floor(wish, instrument, terminal, bus, faults)
    every_ns = max(period_ns(flow.source.bars), NS_PER_MINUTE)
    found = Collected(bus, floor.account, instrument, every_ns)
    bus.seal()
    seat = _seat(wish, instrument, floor)
    floor.account.guard.know_mode("backtest")
    why = "a backtest always trades"
    floor.account.set_state(TradingState.ARMED, wish.start_ns, ACCOUNT, why)
    began = stopwatch_ns()
    listener = Growing(floor, wish) if wish.served is None else AsServed(floor, wish.served, wish)
    await terminal.start(listener)
    watch = asyncio.create_task(_watch(terminal, found, on_progress))
    try:
        await terminal.wait()
        held = await terminal.positions() or ()
    finally:
        watch.cancel()
        await terminal.stop()
    if faults:
        raise faults[0]
    seconds = (stopwatch_ns() - began) / 1e9
    balance = found.finish(held if flow.execution.close_at_end else ())
    return _finished(wish, found, seat, balance, seconds)


class Growing:
    """Lets the models of a run grow old as the market's time goes by, at each bar's end.

    Implements the terminal's listener in front of the pipeline.
    """

    def __init__(self, floor: Floor, wish: PipelineRun) -> None:
        self._pipeline = floor.pipeline
        self._lane = floor.lanes[wish.flow.source.symbol]
        self._doubts = wish.doubts
        self._bar_ns = wish.settings.market.bar_period_s * NS_PER_SECOND
        self._bar = -1
        self._lane.situations.index = wish.doubts.index
        self._lane.schedule = wish.doubts.schedule
        self.on_order_update = floor.pipeline.on_order_update
        self.on_link = floor.pipeline.on_link

    def on_tick(self, tick: Tick) -> None:
        """Let the pipeline take it."""
        bar = tick.ts_ns // self._bar_ns
        if bar != self._bar:
            self._bar = bar
            self._lane.standing = self._doubts.standing(tick.ts_ns)
            if self._doubts.is_over(tick.ts_ns):
                self._lane.ensemble = None
        self._pipeline.on_tick(tick)


class AsServed:
    """Lets those forecast who forecast live; implements the terminal's listener, as `Growing`."""

    def __init__(self, floor: Floor, served: ServedAgain, wish: PipelineRun) -> None:
        self._pipeline = floor.pipeline
        self._lane = floor.lanes[wish.flow.source.symbol]
        self._served = served
        served.begin(self._lane)
        self.on_order_update = floor.pipeline.on_order_update
        self.on_link = floor.pipeline.on_link

    def on_tick(self, tick: Tick) -> None:
        """Let the pipeline take it, after what changed before it live."""
        self._served.before(self._lane, tick)
        self._pipeline.on_tick(tick)


async def _watch(terminal: SimulatedTerminal, found: Collected, on_progress: OnProgress) -> None:
    while True:
        await asyncio.sleep(PROGRESS_EVERY_S)
        on_progress(terminal.clock.now_ns(), found.ticks)


def _check(flow: Flow) -> None:
    execution = flow.execution
    asked = {
        "fill": execution.fill != "next_quote",
        "latency_ms": not execution.latency_ms.is_integer(),
        "latency_spread_ms": execution.latency_spread_ms > 0.0,
        "slippage": execution.slippage != "fixed" or execution.slippage_points > 0.0,
        "reject_fraction": execution.reject_fraction > 0.0,
        "partial_fraction": execution.partial_fraction > 0.0,
    }
    names = [name for name, is_asked in asked.items() if is_asked]
    if names:
        raise InputError(
            f"Flow {flow.name} sets {', '.join(names)} in [execution]: the pipeline's broker fills "
            "at the next quote after whole milliseconds, without chance.",
            remedy="Run it compiled (--engine compiled), or leave them out.",
        )


def _contract(wish: PipelineRun) -> Instrument:
    """The instrument with the costs and the leverage that the flow names."""
    flow, instrument = wish.flow, wish.instrument
    changes: dict[str, object] = {"leverage": flow.account.leverage}
    if flow.execution.commission_per_lot:
        changes["commission_per_lot"] = Decimal(flow.execution.commission_per_lot)
    if not flow.execution.swap:
        changes |= {"swap_long_points": 0.0, "swap_short_points": 0.0}
    return msgspec.structs.replace(instrument, **changes)


def _terminal(wish: PipelineRun, instrument: Instrument) -> SimulatedTerminal:
    flow = wish.flow
    simulated = msgspec.structs.replace(
        wish.settings.simulated,
        balance=flow.account.balance,
        currency=flow.account.currency,
        leverage=flow.account.leverage,
        order_latency_ms=round(flow.execution.latency_ms),
    )
    rules = AccountRules(
        is_hedging=flow.account.mode == "hedging",
        stop_out_level=Decimal(repr(flow.account.stop_out_level)),
    )
    paper = PaperAccount(name=ACCOUNT, account=ACCOUNT, is_paced=False, rules=rules)
    symbol = flow.source.symbol
    recording = RecordedSource((symbol,), wish.read, wish.start_ns, wish.end_ns)
    # A recorded tick proves that the market was open.
    return open_recorded(simulated, recording, paper, {symbol: instrument}, lambda _: True)


def _floor(
    wish: PipelineRun,
    instrument: Instrument,
    terminal: SimulatedTerminal,
    bus: Bus,
    faults: list[Unrecoverable],
) -> Floor:
    flow = wish.flow
    market = wish.settings.market
    if wish.served is None:  # what live refused is not to reach features that are to be its own
        market = msgspec.structs.replace(market, spike_sigmas=ROOM)
    settings = msgspec.structs.replace(wish.settings, risk=WIDE, management=CALM, market=market)
    ensembles = {} if wish.ensemble is None else {flow.source.symbol: wish.ensemble}
    return build_floor(
        FloorPlan(
            settings=settings,
            config_hash="",
            identity=AccountIdentity(
                tenant_id=TenantId(ACCOUNT),
                account_id=ACCOUNT,
                currency=flow.account.currency,
                start_balance=Decimal(flow.account.balance),
            ),
            instruments={flow.source.symbol: instrument},
            ensembles=ensembles,
            clock=terminal.clock,
            bus=bus,
            latency=Latency(),
            journal=MemoryJournal(),
            sink=NoSink(),
            submit=terminal.submit,
            on_fault=faults.append,
        )
    )


def _seat(wish: PipelineRun, instrument: Instrument, floor: Floor) -> FlowSeat:
    account, flow = floor.account, wish.flow
    policy = make_policy(
        flow,
        instrument,
        account.rules,
        lambda: account.rates.rate(instrument.quote),
        plan_of(wish.settings),
        wish.folder,
    )
    seat = FlowSeat(flow, 0, flow_digest(flow), policy)
    account.flows.seat(seat)
    if wish.warm_ns:
        past = wish.read(flow.source.symbol, wish.start_ns - wish.warm_ns, wish.start_ns)
        unknown = np.full(len(plan_of(wish.settings).names), np.nan)
        for tick in ticks_of(past):
            policy.step(tick, None, unknown)
    return seat


def _finished(
    wish: PipelineRun, found: Collected, seat: FlowSeat, balance: Decimal, seconds: float
) -> BacktestRun:
    flow, (trades, orders, equity) = wish.flow, found.frames()
    contract = msgspec.json.encode(wish.instrument, order="deterministic").decode()
    models = "" if wish.ensemble is None else " ".join(wish.ensemble.model_ids)
    held = wish.doubts.digest
    names = (seat.digest, wish.data_id, contract, models, held, "pipeline", code_hash())
    return BacktestRun(
        run_id=hashlib.sha256("\n".join(names).encode()).hexdigest()[:32],
        flow=flow,
        flow_digest=seat.digest,
        engine="pipeline",
        data_id=wish.data_id,
        first_ns=wish.start_ns,
        last_ns=int(equity["ts_ns"][-1]) if len(equity) else wish.start_ns,
        ticks=found.ticks,
        bars=seat.policy.bars,
        is_bars=False,
        seconds=seconds,
        seed=flow.execution.seed,
        start_balance=float(flow.account.balance),
        end_balance=float(balance),
        max_drawdown=float(found.max_drawdown),
        max_drawdown_fraction=found.max_drawdown_fraction,
        trades=trades,
        orders=orders,
        equity=equity,
        log_digest=log_digest(orders, trades, wish.instrument.digits),
        denials=found.denials,
        rejects=found.rejects,
    )
