"""Puts a finished run together from the account's frames and the ticks that passed."""

import hashlib
from dataclasses import dataclass

import msgspec

from plan2.foundation.instrument import Instrument
from plan2.intelligence.backtest.account.frames import AccountFrames
from plan2.intelligence.backtest.feeds import PointFeed
from plan2.intelligence.backtest.run import BacktestRun, Engine
from plan2.intelligence.flows.flow import Flow, flow_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What the runner knows.

    `code` is the fingerprint of everything that computed the result, `given` the hash of what was
    given to it beside flow and ticks: forecasts, rates, measured slippage.
    """

    flow: Flow
    instrument: Instrument
    engine: Engine
    code: str
    bars: int
    seconds: float
    is_bars: bool
    given: str = ""


def finished_run(finished: Finished, ticks: PointFeed, frames: AccountFrames) -> BacktestRun:
    """The run as it is kept and reported."""
    flow, digest = finished.flow, flow_digest(finished.flow)
    seed = flow.execution.seed
    contract = msgspec.json.encode(finished.instrument, order="deterministic").decode()
    parts: tuple[str, ...] = (
        digest,
        ticks.data_id,
        str(seed),
        contract,
        finished.engine,
        finished.code,
    )
    if finished.given:
        parts = (*parts, finished.given)
    return BacktestRun(
        run_id=hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32],
        flow=flow,
        flow_digest=digest,
        engine=finished.engine,
        data_id=ticks.data_id,
        first_ns=ticks.first_ns,
        last_ns=ticks.last_ns,
        ticks=ticks.ticks,
        bars=finished.bars,
        is_bars=finished.is_bars,
        seconds=finished.seconds,
        seed=seed,
        start_balance=float(frames.start_balance),
        end_balance=float(frames.end_balance),
        max_drawdown=float(frames.max_drawdown),
        max_drawdown_fraction=float(frames.max_drawdown_fraction),
        trades=frames.trades,
        orders=frames.orders,
        equity=frames.equity,
        log_digest=frames.log_digest,
        denials=frames.denials,
        rejects=frames.rejects,
    )
