"""What one trial came to: the few figures that trials are compared by, and its days."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import numpy as np
import polars as pl

from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.training.multiple_testing import daily_sharpe

TRADES_MIN: Final = 10
"""A trial with fewer trades is not compared by a ratio: three lucky ones would always win."""
DAYS_PER_YEAR: Final = 252.0


class Score(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One run in short; money in account currency.

    Attributes:
        gross: before commission and swap (the spread is inside it). net: what is left.
        gains, losses: sums of the trades above and below 0; losses ≤ 0.
        max_drawdown: on every tick, ≥ 0.
        daily: change of equity on each day that had quotes, UTC, oldest first.
    """

    trades: int
    wins: int
    net: float
    gross: float
    gains: float
    losses: float
    max_drawdown: float
    daily: tuple[float, ...]

    @property
    def results(self) -> Float64Array:
        """`daily` as an array, float64[days]."""
        return np.asarray(self.daily, np.float64)

    @property
    def sharpe(self) -> float | None:
        """Of one day, not annualised; None when the days do not vary."""
        return daily_sharpe(self.results)


def score_of(run: BacktestRun) -> Score:
    """A run in short."""
    net = run.trades["net"].to_numpy()
    return Score(
        trades=len(net),
        wins=int((net > 0.0).sum()),
        net=round(float(run.end_balance - run.start_balance), 2),
        gross=round(float(run.trades["gross"].sum()), 2),
        gains=round(float(net[net > 0.0].sum()), 2),
        losses=round(float(net[net < 0.0].sum()), 2),
        max_drawdown=float(run.max_drawdown),
        daily=tuple(daily_changes(run.equity, run.start_balance)[1].tolist()),
    )


def daily_changes(equity: pl.DataFrame, start_balance: float) -> tuple[Int64Array, Float64Array]:
    """Days since the epoch, UTC, with a sample, and the change of equity on each.

    Args:
        equity: a frame `EQUITY`, in time order.
        start_balance: before the first day.
    """
    days = equity["ts_ns"].to_numpy() // NS_PER_DAY
    if len(days) == 0:
        return np.empty(0, np.int64), np.empty(0)
    last = np.append(np.flatnonzero(np.diff(days)), len(days) - 1)
    closes = equity["equity"].to_numpy()[last]
    return days[last], np.diff(closes, prepend=start_balance)


def _sharpe(score: Score) -> float | None:
    daily = score.sharpe
    return None if daily is None else daily * math.sqrt(DAYS_PER_YEAR)


def _profit_factor(score: Score) -> float | None:
    return score.gains / -score.losses if score.losses < 0.0 else None


def _recovery(score: Score) -> float | None:
    return score.net / score.max_drawdown if score.max_drawdown > 0.0 else None


def _expectancy(score: Score) -> float | None:
    return score.net / score.trades if score.trades else None


METRICS: Final[Mapping[str, Callable[[Score], float | None]]] = {
    "sharpe": _sharpe,
    "net": lambda score: score.net,
    "profit_factor": _profit_factor,
    "recovery_factor": _recovery,
    "expectancy": _expectancy,
}
"""By what trials are compared; more is better. `sharpe` is of daily changes, times √252."""


def value_of(score: Score, metric: str) -> float | None:
    """The metric of a trial; None when it cannot be had, or a ratio stands on too few trades."""
    if metric != "net" and score.trades < TRADES_MIN:
        return None
    return METRICS[metric](score)
