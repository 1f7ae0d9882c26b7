"""Forecasts of known outcomes, side by side, and what trading on them would have paid.

Results are in R: net profit divided by the barrier, which is what a trade risks.
"""

from dataclasses import dataclass

import msgspec
import numpy as np

from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array
from plan2.intelligence.training.labels import LONG, SHORT, LabelRows
from plan2.intelligence.training.metrics import max_drawdown

TRADING_DAYS_PER_YEAR = 252
COST_MULTIPLES = (1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Resolved events in time order.

    symbol: int64[n] codes. labels: `LABEL`[n]. weight: float64[n], sums to the effective number.
    """

    symbol: Int64Array
    labels: LabelRows
    weight: Float64Array

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def up(self) -> Float64Array:
        """1.0 where the proposition came true, else 0.0."""
        return np.asarray(self.labels["side"] > 0, np.float64)

    def results(self, side: Int64Array, cost_multiple: float = 1.0) -> Float64Array:
        """Net result in R of taking `side` (+1, -1, 0 = none) at every event: float64[n]."""
        column = np.where(side < 0, SHORT, LONG)
        row = np.arange(len(self))
        gross = self.labels["gross"][row, column]
        cost = gross - self.labels["net"][row, column]
        net: Float64Array = (gross - cost_multiple * cost) / self.labels["barrier"]
        return np.where(side == 0, 0.0, net)


class TradeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the events worth acting on would have paid, one position per symbol at a time.

    `net_r_mean` by multiple of the real cost. `sharpe` is of daily sums, per year of 252 days, None
    with fewer than two days. `cost_share` is the mean cost over the mean absolute gross result.
    """

    trades: int
    net_r_mean: dict[str, float]
    net_r_total: float
    drawdown_r: float
    sharpe: float | None
    trades_per_day: float
    cost_share: float


def trade_summary(p: Float64Array, outcomes: Outcomes) -> TradeSummary:
    """Trade where the expected gain (2p − 1)·barrier exceeds the cost known at the event."""
    labels = outcomes.labels
    side = np.where(p >= 0.5, 1, -1)
    is_worth = np.abs(2.0 * p - 1.0) * labels["barrier"] > labels["cost"]
    taken = np.flatnonzero(_one_at_a_time(is_worth, side, outcomes))
    chosen = Outcomes(outcomes.symbol[taken], labels[taken], outcomes.weight[taken])
    results = {m: chosen.results(side[taken], m) for m in COST_MULTIPLES}
    net = results[1.0]
    free = chosen.results(side[taken], 0.0)
    days = max(1.0, _span_days(labels))
    return TradeSummary(
        trades=len(taken),
        net_r_mean={f"{m:g}": float(r.mean()) if len(r) else 0.0 for m, r in results.items()},
        net_r_total=float(net.sum()),
        drawdown_r=max_drawdown(net),
        sharpe=_sharpe(net, chosen.labels["t0"]),
        trades_per_day=len(taken) / days,
        cost_share=float((free - net).mean() / np.abs(free).mean()) if free.any() else 0.0,
    )


def _one_at_a_time(is_worth: np.ndarray, side: Int64Array, outcomes: Outcomes) -> np.ndarray:
    """Which events are entered when a symbol's position must close before the next one opens."""
    taken = np.zeros(len(outcomes), np.bool_)
    free_at: dict[int, float] = {}
    for row in np.flatnonzero(is_worth):
        label, symbol = outcomes.labels[row], int(outcomes.symbol[row])
        if label["t0"] < free_at.get(symbol, 0):
            continue
        taken[row] = True
        hold_s = label["hold_s"][LONG if side[row] > 0 else SHORT]
        free_at[symbol] = label["t0"] + hold_s * 1e9
    return taken


def _span_days(labels: LabelRows) -> float:
    return float(labels["t0"].max() - labels["t0"].min()) / NS_PER_DAY if len(labels) else 0.0


def _sharpe(results: Float64Array, t0: Int64Array) -> float | None:
    """Annualised Sharpe ratio of daily sums over the days from the first to the last trade."""
    if len(results) == 0:
        return None
    day = t0 // NS_PER_DAY
    daily = np.bincount(day - day.min(), weights=results)
    deviation = float(daily.std(ddof=1)) if len(daily) > 1 else 0.0
    if deviation == 0.0:
        return None
    return float(daily.mean() / deviation * np.sqrt(TRADING_DAYS_PER_YEAR))
