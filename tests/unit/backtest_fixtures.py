"""Finished runs made by hand: of given trades, and of a simple rule on quotes of a random walk."""

import hashlib
from datetime import UTC, datetime

import numpy as np
import polars as pl

from plan2.intelligence.backtest.run import EQUITY, ORDERS, TRADES, BacktestRun
from plan2.intelligence.flows.flow import Flow, flow_digest, parse_flow

FLOW = """
name = "{name}"
description = "Every third hour, the way of the last hour."
[source]
symbol = "EURUSD"
bars = "1m"
[parameters]
fast = {fast}
[features]
quick = "ema(close, fast)"
[policy]
long = "quick > close"
short = "quick < close"
"""
HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS
MONDAY_NS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 10**9
"""1 January 2024 was a Monday."""


def flow_of(name: str = "hourly", fast: float = 12.0) -> Flow:
    """A small flow."""
    return parse_flow(FLOW.format(name=name, fast=fast))


def trade(number: int, net: float, **members: object) -> dict[str, object]:
    """A trade of one hour that begins `number` hours after Monday; without costs."""
    opened = MONDAY_NS + number * HOUR_NS
    usual = {
        "trade": number + 1, "side": 1, "lots": 0.1, "decided_ns": opened, "open_ns": opened,
        "open_price": 1.1, "close_ns": opened + HOUR_NS, "close_price": 1.1,
        "exit_reason": "signal", "gross": net, "commission": 0.0, "swap": 0.0, "net": net,
        "mae": min(0.0, net), "mfe": max(0.0, net), "spread_cost": 0.0, "slippage_cost": 0.0,
    }  # fmt: skip
    return usual | members


def run_of(
    trades: list[dict[str, object]],
    equity: list[tuple[int, float]],
    *,
    balance: float = 10_000.0,
    flow: Flow | None = None,
    **members: object,
) -> BacktestRun:
    """A run with these trades and samples of equity (UTC ns, money)."""
    flow = flow or flow_of()
    times = np.array([ts for ts, _ in equity], np.int64)
    values = np.array([value for _, value in equity], np.float64)
    peak = np.maximum(np.maximum.accumulate(values), balance) if len(values) else np.array([])
    frame = pl.DataFrame(trades, schema=TRADES)
    digest = hashlib.sha256(frame.write_csv().encode() + values.tobytes()).hexdigest()
    usual = {
        "run_id": hashlib.sha256((flow_digest(flow) + digest).encode()).hexdigest(),
        "flow": flow, "flow_digest": flow_digest(flow), "engine": "compiled", "data_id": "d" * 64,
        "first_ns": int(times[0]) if len(times) else MONDAY_NS,
        "last_ns": int(times[-1]) if len(times) else MONDAY_NS, "ticks": 1_000, "bars": 100,
        "is_bars": False, "seconds": 0.5, "seed": 1, "start_balance": balance,
        "end_balance": values[-1] if len(values) else balance,  # as the engine leaves it: NumPy's
        "max_drawdown": (peak - values).max(initial=0.0),
        "max_drawdown_fraction": (1.0 - values / peak).max(initial=0.0),
        "trades": frame, "orders": pl.DataFrame(_orders(trades), schema=ORDERS),
        "equity": pl.DataFrame(
            {"ts_ns": times, "balance": values, "equity": values, "lots": 0.0 * values},
            schema=EQUITY,
        ),
        "log_digest": digest,
    }  # fmt: skip
    return BacktestRun(**(usual | members))  # type: ignore[arg-type]


def walk(days: int = 60, seed: int = 3, **members: object) -> BacktestRun:
    """A rule that buys after a rising hour and sells after a falling one, every third hour.

    Quotes are an hourly random walk of weekdays; costs: half a pip of spread, three a lot and side.
    """
    rng = np.random.default_rng(seed)
    hours = [day * 24 + hour for day in range(days) if day % 7 < 5 for hour in range(24)]
    price = 1.1 + np.cumsum(rng.normal(0.0, 0.0006, len(hours)))
    path = np.sort(rng.normal(0.0, 0.0004, (len(hours), 2)), axis=1)
    trades, balance, curve = [], 10_000.0, []
    for i in range(1, len(hours) - 3):
        if i % 3 == 0:
            side = 1 if price[i] > price[i - 1] else -1
            gross = round(side * (price[i + 3] - price[i]) * 10_000.0 - 0.5, 2)
            net = round(gross - 0.6, 2)
            reason = "take_profit" if gross > 8 else "stop_loss" if gross < -8 else "signal"
            number, opened = len(trades) + 1, MONDAY_NS + hours[i] * HOUR_NS
            trades.append(
                trade(
                    0, net, trade=number, side=side, open_ns=opened, decided_ns=opened - 40_000_000,
                    open_price=round(float(price[i]), 5), close_price=round(float(price[i + 3]), 5),
                    close_ns=MONDAY_NS + hours[i + 3] * HOUR_NS, exit_reason=reason, gross=gross,
                    commission=-0.6, spread_cost=-0.5,
                    mae=min(0.0, net, round(float(path[i, 0]) * 10_000, 2)),
                    mfe=max(0.0, gross, round(float(path[i, 1]) * 10_000, 2)),
                )
            )  # fmt: skip
            balance = round(balance + net, 2)
        curve.append((MONDAY_NS + hours[i] * HOUR_NS, balance))
    return run_of(trades, curve, **members)


def _orders(trades: list[dict[str, object]]) -> list[dict[str, object]]:
    """Two requests a trade, all done."""
    found = []
    for each in trades:
        for kind, at in (("open", "open"), ("close", "close")):
            side = each["side"] if kind == "open" else -int(str(each["side"]))
            found.append(
                {
                    "order": len(found) + 1, "ts_ns": each[f"{at}_ns"], "kind": kind, "side": side,
                    "lots": each["lots"], "filled_ns": each[f"{at}_ns"],
                    "price": each[f"{at}_price"], "filled_lots": each["lots"], "retcode": 10009,
                    "reason": each["exit_reason"] if kind == "close" else "",
                }
            )  # fmt: skip
    return sorted(found, key=lambda order: (order["ts_ns"], order["order"]))
