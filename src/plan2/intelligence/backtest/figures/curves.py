"""The lines, histograms and points that the drawings of a report show, thinned to a page's size."""

from typing import Final

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.backtest.figures.days import Days
from plan2.intelligence.backtest.figures.drawdowns import drawdown_of
from plan2.intelligence.backtest.figures.terms import Curve, Excursion, Histogram, Pictures
from plan2.intelligence.backtest.run import BacktestRun

POINTS_MAX: Final = 1_200
EXCURSIONS_MAX: Final = 1_000
BINS_MAX: Final = 40
ROLLING_DAYS: Final = 21
"""A month of weekdays."""


def pictures_of(run: BacktestRun, days: Days) -> Pictures:
    """Everything that is drawn of a run."""
    ts_ns = run.equity["ts_ns"].to_numpy()
    equity, lots = run.equity["equity"].to_numpy(), run.equity["lots"].to_numpy()
    ends = days.start_ns[ROLLING_DAYS - 1 :]
    mean, deviation = _rolling(days.returns)
    yearly = np.sqrt(days.a_year)
    moves = deviation > 0.0
    ratio = np.divide(mean, deviation, out=np.zeros_like(mean), where=moves) * yearly
    return Pictures(
        equity=thinned(ts_ns, equity),
        drawdown=thinned(ts_ns, drawdown_of(equity, run.start_balance)),
        lots=thinned(ts_ns, lots),
        rolling_sharpe=thinned(ends[moves], ratio[moves]),
        rolling_volatility=thinned(ends, deviation * yearly),
        trade_results=histogram(run.trades["net"].to_numpy()),
        daily_returns=histogram(days.returns),
        excursions=_excursions(run),
    )


def thinned(ts_ns: Int64Array, values: Float64Array, most: int = POINTS_MAX) -> Curve:
    """At most so many points of a line; of each stretch, the lowest and the highest are kept."""
    rows = thinned_rows(values, most)
    return Curve(ts_ns=tuple(ts_ns[rows].tolist()), values=tuple(values[rows].tolist()))


def thinned_rows(values: Float64Array, most: int) -> Int64Array:
    """The rows of at most so many points: of each stretch the lowest and the highest, the ends."""
    count = len(values)
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, most // 2).astype(np.int64)
    kept = {0, count - 1}
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        kept.add(begin + int(np.argmin(values[begin:end])))
        kept.add(begin + int(np.argmax(values[begin:end])))
    return np.array(sorted(kept), np.int64)


def histogram(values: Float64Array) -> Histogram:
    """Counts in bins of equal width, by the rule of Freedman and Diaconis (1981) where it holds."""
    if not len(values):
        return Histogram(edges=(), counts=())
    low, high = np.quantile(values, [0.25, 0.75])
    width = 2.0 * float(high - low) / len(values) ** (1.0 / 3.0)
    span = float(values.max() - values.min())
    bins = int(np.clip(np.ceil(span / width), 1, BINS_MAX)) if width > 0.0 else BINS_MAX // 2
    counts, edges = np.histogram(values, bins)
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))


def _rolling(returns: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Mean and standard deviation of each `ROLLING_DAYS` days; empty when there are fewer."""
    if len(returns) < ROLLING_DAYS:
        return np.empty(0), np.empty(0)
    windows = np.lib.stride_tricks.sliding_window_view(returns, ROLLING_DAYS)
    return windows.mean(axis=1), windows.std(axis=1, ddof=1)


def _excursions(run: BacktestRun) -> tuple[Excursion, ...]:
    """All trades, or as many of them at equal distances."""
    trades = run.trades
    step = max(1, -(-trades.height // EXCURSIONS_MAX))
    chosen = trades.gather_every(step).select("trade", "mae", "mfe", "net")
    return tuple(Excursion(**row) for row in chosen.iter_rows(named=True))
