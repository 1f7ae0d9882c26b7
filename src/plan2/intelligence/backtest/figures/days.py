"""Equity by trading day: what returns, their risk and their luck are measured on.

A market that has quotes on a Saturday trades every day; any other has five days a week, and what
happens on a Sunday evening belongs to Monday, because that is when the week opens.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.training.outcomes import weekdays

WEEKDAYS_A_YEAR: Final = 252
DAYS_A_YEAR: Final = 365
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a run, without a gap.

    Attributes:
        start_ns: int64[n], when each begins, UTC. equity: float64[n], at its last sample.
        returns: float64[n], change against the day before (the first: the start balance).
        a_year: how many such days a year has.
    """

    start_ns: Int64Array
    equity: Float64Array
    returns: Float64Array
    a_year: int


def days_of(run: BacktestRun) -> Days:
    """The days of a run; a day without a sample keeps the equity of the one before."""
    ts_ns = run.equity["ts_ns"].to_numpy()
    samples = run.equity["equity"].to_numpy()
    if not len(ts_ns):
        return Days(np.empty(0, np.int64), np.empty(0), np.empty(0), WEEKDAYS_A_YEAR)
    is_daily = bool(np.any(_day_of_week(ts_ns) == _SATURDAY))
    number = ts_ns // NS_PER_DAY if is_daily else weekdays(ts_ns)
    days = np.arange(number[0], number[-1] + 1, dtype=np.int64)
    equity = samples[np.searchsorted(number, days, side="right") - 1].astype(np.float64)
    before = np.concatenate([[run.start_balance], equity[:-1]])
    # Nothing can be earned on an account that is empty.
    returns = np.where(before > 0.0, equity / np.where(before > 0.0, before, 1.0) - 1.0, 0.0)
    start = days if is_daily else _calendar(days)
    return Days(start * NS_PER_DAY, equity, returns, DAYS_A_YEAR if is_daily else WEEKDAYS_A_YEAR)


def _day_of_week(ts_ns: Int64Array) -> Int64Array:
    """0 Monday to 6 Sunday, UTC; 1 January 1970 was a Thursday."""
    found: Int64Array = (ts_ns // NS_PER_DAY + 3) % 7
    return found


def _calendar(weekday: Int64Array) -> Int64Array:
    """Days since 1970 of numbers of weekdays (`outcomes.weekdays`)."""
    since_monday = weekday + 3
    found: Int64Array = since_monday // 5 * 7 + since_monday % 5 - 3
    return found
