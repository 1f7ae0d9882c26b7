"""What a backtest of a flow leaves behind: every trade, order and a curve of equity.

Frames are polars; times are integer nanoseconds UTC, prices in the symbol's quote currency, money
in account currency rounded to cents. Costs are negative where they cost.
"""

from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from plan2.intelligence.flows.flow import Flow

TRADES: dict[str, pl.DataType] = {
    "trade": pl.Int64(),
    "side": pl.Int8(),
    "lots": pl.Float64(),
    "decided_ns": pl.Int64(),
    "open_ns": pl.Int64(),
    "open_price": pl.Float64(),
    "close_ns": pl.Int64(),
    "close_price": pl.Float64(),
    "exit_reason": pl.String(),
    "gross": pl.Float64(),
    "commission": pl.Float64(),
    "swap": pl.Float64(),
    "net": pl.Float64(),
    "mae": pl.Float64(),
    "mfe": pl.Float64(),
    "spread_cost": pl.Float64(),
    "slippage_cost": pl.Float64(),
}
"""One row per closed part of a position. side: 1 long, −1 short. mae ≤ 0 ≤ mfe: the worst and best
open profit. spread_cost and slippage_cost (≤ 0) are shares of gross, not beside it."""

ORDERS: dict[str, pl.DataType] = {
    "order": pl.Int64(),
    "ts_ns": pl.Int64(),
    "kind": pl.String(),
    "side": pl.Int8(),
    "lots": pl.Float64(),
    "filled_ns": pl.Int64(),
    "price": pl.Float64(),
    "filled_lots": pl.Float64(),
    "retcode": pl.Int32(),
    "reason": pl.String(),
}
"""One row per request. kind: open | close | stop_loss | take_profit | stop_out. `retcode` is
MetaTrader's (10009 done, 10010 partial); `filled_ns` and `price` are 0 when refused."""

EQUITY: dict[str, pl.DataType] = {
    "ts_ns": pl.Int64(),
    "balance": pl.Float64(),
    "equity": pl.Float64(),
    "lots": pl.Float64(),
}
"""Once a sampling period (bars of the flow, at least a minute) and at the end; `lots` is net."""

Engine = Literal["compiled", "python", "pipeline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRun:
    """One finished run.

    Attributes:
        run_id: the hash of everything that decides the result: flow, data, seed and code.
        engine: `compiled` loops, a `python` policy, or the live `pipeline`.
        data_id: hash of the ticks. first_ns, last_ns: of them. is_bars: made of bars, not ticks;
            made_of: then how, in sentences.
        seconds: of the loop alone.
        start_balance, end_balance: account currency. max_drawdown: in money, on every tick;
            max_drawdown_fraction: the largest fall as a share of the peak before it.
        denials: entries that a limit of the flow refused, by reason. rejects: by retcode.
        log_digest: SHA-256 over the orders and trades in order; equal runs have equal ones.
    """

    run_id: str
    flow: Flow
    flow_digest: str
    engine: Engine
    data_id: str
    first_ns: int
    last_ns: int
    ticks: int
    bars: int
    is_bars: bool
    seconds: float
    seed: int
    start_balance: float
    end_balance: float
    max_drawdown: float
    max_drawdown_fraction: float
    trades: pl.DataFrame
    orders: pl.DataFrame
    equity: pl.DataFrame
    log_digest: str
    denials: dict[str, int] = field(default_factory=dict)
    rejects: dict[int, int] = field(default_factory=dict)
    made_of: str = ""
