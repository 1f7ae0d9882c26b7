"""A small flow of research tests: an EMA cross in numpy that leaves a real `BacktestRun`."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, Float64Array, Int64Array
from plan2.intelligence.backtest.run import EQUITY, ORDERS, TRADES, BacktestRun
from plan2.intelligence.flows.flow import Flow, flow_digest, parse_flow
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.score import Score, score_of
from plan2.intelligence.research.subject import AS_WRITTEN, Conditions, QuoteColumns, Window

FIRST_DAY_NS = 19_723 * NS_PER_DAY  # Monday, 2024-01-01
LOTS = 1.0
CONTRACT = 100_000.0
POINT = 1e-5
COMMISSION = 2.0

FLOW_TEXT = """
name = "ema-cross"
[source]
symbol = "EURUSD"
bars = "1h"
[parameters]
fast = 10
slow = 30
[features]
quick = "ema(close, fast)"
calm = "ema(close, slow)"
[policy]
long = "quick >= calm"
short = "quick < calm"
[size]
lots = 1.0
"""


def flow() -> Flow:
    """The flow that the numpy code below trades."""
    return parse_flow(FLOW_TEXT)


@dataclass(frozen=True)
class Quotes:
    """Hourly quotes on weekdays; times in ns UTC, prices in dollars."""

    ts_ns: Int64Array
    mid: Float64Array
    half_spread: float = 2.0 * POINT

    def within(self, window: Window) -> "Quotes":
        """The quotes of a window."""
        rows = slice(*np.searchsorted(self.ts_ns, (window.start_ns, window.end_ns)))
        return Quotes(self.ts_ns[rows], self.mid[rows], self.half_spread)


def random_walk(days: int, seed: int, drift: float = 0.0, memory: float = 0.0) -> Quotes:
    """A walk of 10 points an hour; `memory` makes its steps follow each other."""
    rng = np.random.default_rng(seed)
    hours = np.arange(days * 24, dtype=np.int64)
    hours = hours[(hours // 24) % 7 < 5]
    steps = rng.normal(drift, 10.0, len(hours)) * POINT
    for i in range(1, len(steps)):
        steps[i] += memory * steps[i - 1]
    return Quotes(FIRST_DAY_NS + hours * NS_PER_HOUR, 1.1 + np.cumsum(steps))


@dataclass(frozen=True)
class EmaCross:
    """Long while the fast average is not below the slow one, else short; fills a quote later.

    `peeks`: hours into the future that the rule reads. `forgets`: False makes the first quote of a
    run decide for ever which side is traded, so that two starts never agree.
    """

    data: Quotes
    peeks: int = 0
    forgets: bool = True
    calls: list[int] = field(default_factory=list)

    @property
    def flow(self) -> Flow:
        """The flow as it is written."""
        return flow()

    @property
    def data_id(self) -> str:
        """Hash of the prices."""
        return hashlib.sha256(self.data.mid.tobytes()).hexdigest()

    @property
    def point(self) -> float:
        """The symbol's point."""
        return POINT

    @property
    def warm_up_ns(self) -> int:
        """Hours enough for the slowest average of the tests."""
        return 120 * NS_PER_HOUR

    def quotes(self, window: Window) -> QuoteColumns:
        """The quotes of a window as columns."""
        inside = self.data.within(window)
        half = inside.half_spread
        return QuoteColumns(inside.ts_ns, inside.mid - half, inside.mid + half)

    @property
    def window(self) -> Window:
        """All quotes."""
        return Window(int(self.data.ts_ns[0]), int(self.data.ts_ns[-1]) + 1)

    def scores(self, points: Sequence[Point], window: Window) -> list[Score]:
        """Each point in short; `calls` counts them."""
        self.calls.append(len(points))
        return [score_of(self.run(point, window)) for point in points]

    def run(
        self, point: Mapping[str, float], window: Window, conditions: Conditions = AS_WRITTEN
    ) -> BacktestRun:
        """One point run."""
        quotes = self.data.within(window)
        mid = quotes.mid
        if conditions.noise_points:
            rng = np.random.default_rng(conditions.seed)
            mid = mid + rng.normal(0.0, conditions.noise_points * POINT, len(mid))
        values = {**flow().parameters, **point}
        seen = np.concatenate([mid[self.peeks :], np.full(self.peeks, mid[-1])])
        fast, slow = _ema(seen, values["fast"]), _ema(seen, values["slow"])
        side = np.where(fast >= slow, 1, -1)
        if not self.forgets:
            side *= 1 if int(quotes.ts_ns[0] // NS_PER_HOUR) % 2 == 0 else -1
        side[: int(values["slow"])] = 0
        half = quotes.half_spread * conditions.cost_factor + conditions.slippage_points * POINT
        later = 1 if conditions.latency_ms is None else 1 + round(conditions.latency_ms / 3.6e6)
        return account(quotes.ts_ns, mid, side, half, later, COMMISSION * conditions.cost_factor)


def _ema(values: Float64Array, length: float) -> Float64Array:
    alpha = 2.0 / (length + 1.0)
    out = np.empty(len(values))
    last = values[0]
    for i, value in enumerate(values):
        last = alpha * value + (1.0 - alpha) * last
        out[i] = last
    return out


def account(
    ts_ns: Int64Array,
    mid: Float64Array,
    wanted: Int64Array,
    half_spread: float,
    later: int,
    commission: float,
) -> BacktestRun:
    """A run that holds `wanted` (−1, 0, 1 per quote), each change filled `later` quotes later."""
    trades, orders = [], []
    balance, held, price, opened, decided = 10_000.0, 0, 0.0, 0, 0
    equity = np.empty(len(mid))
    pending: list[tuple[int, int, int]] = []
    aim = 0

    def close(at: int, reason: str) -> None:
        nonlocal balance, held
        fill = mid[at] - held * half_spread
        gross = round(held * (fill - price) * LOTS * CONTRACT, 2)
        net = gross - 2 * commission
        balance += net
        path = held * (mid[opened : at + 1] - price) * LOTS * CONTRACT
        trades.append(
            {
                "trade": len(trades), "side": held, "lots": LOTS, "decided_ns": decided,
                "open_ns": int(ts_ns[opened]), "open_price": price, "close_ns": int(ts_ns[at]),
                "close_price": fill, "exit_reason": reason, "gross": gross,
                "commission": -2 * commission, "swap": 0.0, "net": net,
                "mae": min(0.0, float(path.min())), "mfe": max(0.0, float(path.max())),
                "spread_cost": -2 * half_spread * LOTS * CONTRACT, "slippage_cost": 0.0,
            }
        )  # fmt: skip
        held = 0

    for i in range(len(mid)):
        while pending and pending[0][0] <= i:
            _, target, asked = pending.pop(0)
            if held:
                orders.append(_order(orders, asked, "close", -held, int(ts_ns[i]), mid[i]))
                close(i, "signal")
            if target:
                orders.append(_order(orders, asked, "open", target, int(ts_ns[i]), mid[i]))
                held, price, opened, decided = target, mid[i] + target * half_spread, i, asked
        if wanted[i] != aim:
            aim = int(wanted[i])
            pending.append((i + later, aim, int(ts_ns[i])))
        open_profit = held * (mid[i] - held * half_spread - price) * LOTS * CONTRACT
        equity[i] = balance + open_profit - (commission if held else 0.0)
    if held:
        orders.append(_order(orders, int(ts_ns[-1]), "close", -held, int(ts_ns[-1]), mid[-1]))
        close(len(mid) - 1, "end")
        equity[-1] = balance
    return run_of(trades, ts_ns, equity, orders)


def _order(orders: list, ts_ns: int, kind: str, side: int, filled_ns: int, price: float) -> dict:
    return {
        "order": len(orders), "ts_ns": ts_ns, "kind": kind, "side": side, "lots": LOTS,
        "filled_ns": filled_ns, "price": float(price), "filled_lots": LOTS, "retcode": 10009,
        "reason": "",
    }  # fmt: skip


def run_of(
    trades: list[dict],
    ts_ns: Int64Array,
    equity: Float64Array,
    orders: Sequence[dict] = (),
    start_balance: float = 10_000.0,
) -> BacktestRun:
    """A run made of rows; drawdown is taken from the samples of equity."""
    peak = np.maximum.accumulate(np.maximum(equity, start_balance))
    frame = pl.DataFrame(trades, schema=TRADES)
    return BacktestRun(
        run_id="run",
        flow=flow(),
        flow_digest=flow_digest(flow()),
        engine="compiled",
        data_id="data",
        first_ns=int(ts_ns[0]),
        last_ns=int(ts_ns[-1]),
        ticks=len(ts_ns),
        bars=len(ts_ns),
        is_bars=False,
        seconds=0.0,
        seed=1,
        start_balance=start_balance,
        end_balance=start_balance + float(frame["net"].sum()),
        max_drawdown=float((peak - equity).max()),
        max_drawdown_fraction=float(((peak - equity) / peak).max()),
        trades=frame,
        orders=pl.DataFrame(list(orders), schema=ORDERS),
        equity=pl.DataFrame(
            {"ts_ns": ts_ns, "balance": equity, "equity": equity, "lots": np.zeros(len(ts_ns))},
            schema=EQUITY,
        ),
        log_digest="",
    )
