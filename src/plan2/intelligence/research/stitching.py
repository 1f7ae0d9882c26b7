"""Results of one time after the other, joined; and what is left of what was hoped for."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.research.score import daily_changes
from plan2.intelligence.research.subject import Window


def stitched(runs: Sequence[BacktestRun]) -> tuple[Int64Array, Float64Array]:
    """Days since the epoch, UTC, and the change of equity on each, over all runs in order.

    A day that one run ends on and the next begins on is one day with the sum of both.
    """
    parts = [daily_changes(run.equity, run.start_balance) for run in runs]
    if not parts:
        return np.empty(0, np.int64), np.empty(0)
    days = np.concatenate([days for days, _ in parts])
    changes = np.concatenate([changes for _, changes in parts])
    found, place = np.unique(days, return_inverse=True)
    sums: Float64Array = np.bincount(place, changes, len(found)).astype(np.float64)
    return found, sums


def joined(runs: Sequence[BacktestRun]) -> BacktestRun:
    """Runs of one time after the other as if they were one, each going on with the money before.

    The drawdown is of the joined samples of equity, not of every tick.
    """
    first = runs[0]
    gained, curves = 0.0, []
    for run in runs:
        added = run.start_balance - first.start_balance - gained
        curves.append(run.equity.with_columns(pl.col("balance", "equity") - added))
        gained += run.end_balance - run.start_balance
    equity = pl.concat(curves)
    values = np.append(first.start_balance, equity["equity"].to_numpy())
    peaks = np.maximum.accumulate(values)
    return replace(
        first,
        last_ns=runs[-1].last_ns,
        ticks=sum(run.ticks for run in runs),
        bars=sum(run.bars for run in runs),
        end_balance=first.start_balance + gained,
        max_drawdown=float((peaks - values).max()),
        max_drawdown_fraction=float(((peaks - values) / peaks).max()),
        trades=pl.concat([run.trades for run in runs]),
        orders=pl.concat([run.orders for run in runs]),
        equity=equity,
        log_digest="",
    )


def efficiency_of(
    inside: Sequence[tuple[Window, float]], after: Sequence[tuple[Window, float]]
) -> float | None:
    """Profit a day after, over profit a day where the numbers were chosen.

    Pardo (2008), The Evaluation and Optimization of Trading Strategies, chapter 11: walk-forward
    efficiency. None unless what it is compared with earned.
    """
    before, later = (_a_day(part) for part in (inside, after))
    return later / before if before > 0.0 else None


def _a_day(part: Sequence[tuple[Window, float]]) -> float:
    days = sum(window.end_ns - window.start_ns for window, _ in part) / NS_PER_DAY
    return sum(net for _, net in part) / days if days > 0.0 else 0.0
