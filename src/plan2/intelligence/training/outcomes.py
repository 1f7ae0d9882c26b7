"""Forecasts of known outcomes, side by side, and what trading on them would have paid.

Results are in R: net profit divided by the barrier, which is what a trade risks.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, Float64Array, Int64Array
from plan2.intelligence.training.bootstrap import (
    Interval,
    block_length,
    interval_of,
    resampled_means,
)
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.labels import LONG, SHORT, LabelRows
from plan2.intelligence.training.metrics import max_drawdown
from plan2.intelligence.training.multiple_testing import daily_sharpe

TRADING_DAYS_PER_YEAR = 252
COST_MULTIPLES = (1.0, 1.5, 2.0)
LATE = "late"
STRESS_TRADES_MIN = 20
"""With fewer trades the mean has no interval worth the name."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Resolved events in time order.

    symbol: int64[n] codes. labels: `LABEL`[n]. weight: float64[n], sums to the effective number.
    planted: float64[n], the side that is planted in a simulated market, 0 = none; None = unknown.
    """

    symbol: Int64Array
    labels: LabelRows
    weight: Float64Array
    planted: Float64Array | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def up(self) -> Float64Array:
        """1.0 where the proposition came true, else 0.0."""
        return np.asarray(self.labels["side"] > 0, np.float64)

    def results(self, side: Int64Array, cost_multiple: float = 1.0) -> Float64Array:
        """Net result in R of taking `side` (+1, -1, 0 = none) at every event: float64[n]."""
        gross, net = self._of_side("gross", side), self._of_side("net", side)
        return np.where(side == 0, 0.0, gross - cost_multiple * (gross - net))

    def late_results(self, side: Int64Array) -> Float64Array:
        """The same at real cost when every entry comes one tick later: float64[n]."""
        return np.where(side == 0, 0.0, self._of_side("late", side))

    def _of_side(self, name: str, side: Int64Array) -> Float64Array:
        column = np.where(side < 0, SHORT, LONG)
        chosen: Float64Array = (
            self.labels[name][np.arange(len(self)), column] / self.labels["barrier"]
        )
        return chosen


def outcomes_of(dataset: Dataset, rows: Int64Array) -> Outcomes:
    """What became of these rows of a data set, in time order."""
    planted = None if dataset.planted is None else dataset.planted[rows]
    return Outcomes(dataset.symbol[rows], dataset.labels[rows], dataset.uniqueness[rows], planted)


@dataclass(frozen=True, slots=True)
class Trades:
    """Entries that a rule took, and the events it chose them from.

    rows: int64[k], the events that were entered. side: int64[k], +1 or -1.
    """

    outcomes: Outcomes
    rows: Int64Array
    side: Int64Array

    @property
    def chosen(self) -> Outcomes:
        """The events that were entered."""
        every, rows = self.outcomes, self.rows
        return Outcomes(every.symbol[rows], every.labels[rows], every.weight[rows])

    def stressed(self) -> dict[str, Float64Array]:
        """Net results in R, float64[k] each, by multiple of the real cost and for late entries."""
        chosen = self.chosen
        found = {f"{m:g}": chosen.results(self.side, m) for m in COST_MULTIPLES}
        return {**found, LATE: chosen.late_results(self.side)}

    def daily(self) -> tuple[int, Float64Array]:
        """The first weekday (`weekdays`) and the net result in R of it and those after.

        From the first event to the last, entered or not: days without a trade count.
        """
        days = weekdays(self.outcomes.labels["t0"])
        first, count = int(days.min()), int(days.max() - days.min()) + 1
        results = self.chosen.results(self.side)
        return first, np.bincount(days[self.rows] - first, results, count).astype(np.float64)


class TradeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the events worth acting on would have paid, one position per symbol at a time.

    `net_r_mean` by multiple of the real cost, and as "late" with entries one tick later. `sharpe`
    is of results per weekday, per year of 252 days, None when they do not vary. `turnover`: sizes
    of a position bought or sold per weekday; a trade and its end are two. `cost_share` is the mean
    cost over the mean absolute gross result.
    """

    trades: int
    net_r_mean: dict[str, float]
    net_r_total: float
    drawdown_r: float
    sharpe: float | None
    trades_per_day: float
    turnover: float
    cost_share: float


def worth_trading(p: Float64Array, outcomes: Outcomes) -> BoolArray:
    """Where the expected gain (2p − 1)·barrier exceeds the cost known at the event: bool[n]."""
    labels = outcomes.labels
    return np.asarray(np.abs(2.0 * p - 1.0) * labels["barrier"] > labels["cost"], np.bool_)


def trades_on(p: Float64Array, outcomes: Outcomes) -> Trades:
    """What is entered on these probabilities of up: where it is worth it, on the likelier side."""
    return taken(np.where(p >= 0.5, 1, -1), worth_trading(p, outcomes), outcomes)


def taken(side: Int64Array, is_wanted: BoolArray, outcomes: Outcomes) -> Trades:
    """What is entered when a symbol's position must close before the next one opens."""
    rows = []
    free_at: dict[int, float] = {}
    for row in np.flatnonzero(is_wanted):
        label, symbol = outcomes.labels[row], int(outcomes.symbol[row])
        if label["t0"] < free_at.get(symbol, 0):
            continue
        rows.append(row)
        hold_s = label["hold_s"][LONG if side[row] > 0 else SHORT]
        free_at[symbol] = label["t0"] + hold_s * NS_PER_SECOND
    entered = np.array(rows, np.int64)
    return Trades(outcomes, entered, side[entered])


def summary_of(trades: Trades) -> TradeSummary:
    """What these trades paid."""
    results = trades.stressed()
    net = results["1"]
    free = trades.chosen.results(trades.side, 0.0)
    _, daily = trades.daily()
    sharpe = daily_sharpe(daily)
    return TradeSummary(
        trades=len(net),
        net_r_mean={name: float(r.mean()) if len(r) else 0.0 for name, r in results.items()},
        net_r_total=float(net.sum()),
        drawdown_r=max_drawdown(net),
        sharpe=None if sharpe is None else sharpe * float(np.sqrt(TRADING_DAYS_PER_YEAR)),
        trades_per_day=len(net) / max(1.0, _span_days(trades.outcomes.labels)),
        turnover=2.0 * len(net) / len(daily),
        cost_share=float((free - net).mean() / np.abs(free).mean()) if free.any() else 0.0,
    )


def stress_intervals(
    trades: Trades, horizon_s: int, rng: np.random.Generator
) -> dict[str, Interval]:
    """Mean net result per trade with its interval, by `Trades.stressed`; empty for few trades."""
    if len(trades.rows) < STRESS_TRADES_MIN:
        return {}
    results = trades.stressed()
    block = block_length(trades.chosen.labels["t0"], horizon_s * NS_PER_SECOND)
    samples = resampled_means(np.column_stack(list(results.values())), block, rng)
    return {
        name: interval_of(float(values.mean()), samples[:, column])
        for column, (name, values) in enumerate(results.items())
    }


def _span_days(labels: LabelRows) -> float:
    return float(labels["t0"].max() - labels["t0"].min()) / NS_PER_DAY if len(labels) else 0.0


def weekdays(ts_ns: Int64Array) -> Int64Array:
    """Number of each time's weekday since Thursday, 1 January 1970 (UTC); weekends are Mondays.

    The market opens on Sunday evening for Monday, and days without a market are not days on which
    nothing was earned.
    """
    since_monday = ts_ns // NS_PER_DAY + 3
    days: Int64Array = since_monday // 7 * 5 + np.minimum(since_monday % 7, 5) - 3
    return days
