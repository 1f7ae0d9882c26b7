"""The live pipeline over imported ticks, as fast as it goes, with nothing kept.

Same lanes, account, gate and broker as `plan2 serve`; only journal, event store and pace differ.
"""

import asyncio
from collections.abc import Callable

import msgspec

from plan2.foundation.bus import Bus
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.errors import Unrecoverable
from plan2.foundation.latency import Latency
from plan2.foundation.values import TenantId
from plan2.intelligence.backtest.report import BacktestReport, Tally, verdict_of
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.chronicle import NoSink
from plan2.intelligence.trading.journal import MemoryJournal
from plan2.intelligence.warm_state import feed_block
from plan2.wiring.assembly import Floor, Means, floor_on
from plan2.wiring.markets import Market, ReplayWindow, open_backtest
from plan2.wiring.recovery import WARM_UP_NS

OnProgress = Callable[[int, int], None]
"""Told the market time (UTC nanoseconds) and the number of ticks so far."""

PROGRESS_EVERY_S = 0.5


def without_exploration(loaded: Loaded) -> Loaded:
    """The configuration of a run that only takes trades it expects to pay."""
    decision = msgspec.structs.replace(loaded.settings.decision, explore_after_s=0.0)
    settings = msgspec.structs.replace(loaded.settings, decision=decision)
    return msgspec.structs.replace(loaded, settings=settings)


async def run_backtest(
    loaded: Loaded, window: ReplayWindow, on_progress: OnProgress
) -> BacktestReport:
    """Trade the window and report.

    Raises:
        InputError: nothing is imported for the window.
        ModelMismatch: the champion models belong to other features.
        Unrecoverable: something broke on the tick path; the run means nothing.
    """
    market = open_backtest(loaded.settings, data_dir(loaded.settings), window)
    bus, faults = Bus(), list[Unrecoverable]()
    tally = Tally(bus)
    means = Means(
        tenant_id=TenantId("backtest"),
        bus=bus,
        latency=Latency(),
        journal=MemoryJournal(),
        sink=NoSink(),
        on_fault=faults.append,
    )
    floor = floor_on(market, loaded, means)
    bus.seal()
    start_ns = market.clock.now_ns()
    for symbol, lane in floor.lanes.items():
        feed_block(
            lane, await market.terminal.history(symbol, max(0, start_ns - WARM_UP_NS), start_ns)
        )
    floor.account.guard.know_mode(market.mode)
    floor.account.set_state(TradingState.ARMED, start_ns, "backtest", "a backtest always trades")
    began = stopwatch_ns()
    await market.terminal.start(floor.pipeline)
    watch = asyncio.create_task(_watch(floor, market, on_progress))
    try:
        await market.wait_end()
    finally:
        watch.cancel()
        await market.terminal.stop()
    if faults:
        raise faults[0]
    seconds = (stopwatch_ns() - began) / 1e9
    return _report(market, floor, tally, start_ns, seconds)


async def _watch(floor: Floor, market: Market, on_progress: OnProgress) -> None:
    while True:
        await asyncio.sleep(PROGRESS_EVERY_S)
        on_progress(market.clock.now_ns(), floor.pipeline.ticks)


def _report(
    market: Market, floor: Floor, tally: Tally, start_ns: int, seconds: float
) -> BacktestReport:
    portfolio, ticks = floor.account.portfolio, floor.pipeline.ticks
    trades = len(tally.trades)
    return BacktestReport(
        symbols=market.symbols,
        first_us=start_ns // 1000,
        last_us=market.clock.now_ns() // 1000,
        ticks=ticks,
        seconds=round(seconds, 3),
        ticks_per_second=round(ticks / max(seconds, 1e-9), 1),
        decisions_kept=floor.keeper.kept,
        decisions_digest=floor.keeper.digest,
        outcomes=dict(tally.outcomes),
        orders_rejected=tally.rejected,
        trades=trades,
        wins=tally.wins,
        win_rate=tally.wins / trades if trades else None,
        net=str(tally.net),
        gross=str(tally.gross),
        commission=str(tally.commission),
        swap=str(tally.swap),
        start_balance=str(portfolio.balance - tally.net),
        end_balance=str(portfolio.balance),
        end_equity=str(portfolio.equity),
        max_drawdown_fraction=round(tally.max_drawdown, 6),
        verdict=verdict_of(trades),
        trade_list=tuple(tally.trades),
    )


def without_trades(report: BacktestReport) -> BacktestReport:
    """The report without its list of trades, for a terminal."""
    return msgspec.structs.replace(report, trade_list=())
