"""Every figure of a report a second time, with pandas and plain loops, from the cited formulas.

Written from `definitions.py` alone; nothing here calls the code that it checks.
"""

import math
from itertools import groupby

import numpy as np
import pandas as pd
from scipy.stats import norm

from plan2.intelligence.backtest.run import BacktestRun

DAY_NS = 86_400 * 10**9
EULER = 0.5772156649015329


def frame(table) -> pd.DataFrame:
    """A polars frame as one of pandas."""
    return pd.DataFrame(table.to_dict(as_series=False))


def daily(run: BacktestRun) -> pd.Series:
    """Equity at the end of each weekday, forward filled; a Sunday belongs to its Monday."""
    samples = frame(run.equity)
    at = pd.to_datetime(samples["ts_ns"], unit="ns")
    day = at.dt.normalize() + pd.to_timedelta((at.dt.dayofweek == 6).astype(int), unit="D")
    last = samples["equity"].groupby(day).last()
    return last.reindex(pd.bdate_range(last.index[0], last.index[-1])).ffill()


def returns_of(run: BacktestRun) -> pd.Series:
    """Change against the day before, the first against the start balance."""
    equity = daily(run)
    return equity / equity.shift(fill_value=run.start_balance) - 1.0


def ratios_of_days(r: np.ndarray, a_year: float = 252.0) -> dict[str, float]:
    """Those figures of daily returns that have an interval."""
    year, count = math.sqrt(a_year), len(r)
    return {
        "volatility_ann": r.std(ddof=1) * year,
        "sharpe": r.mean() / r.std(ddof=1) * year,
        "sortino": r.mean() / math.sqrt((r[r < 0] ** 2).sum() / count) * year,
        "omega": r[r > 0].sum() / -r[r < 0].sum(),
        "gain_to_pain": r.sum() / -r[r < 0].sum(),
    }


def of_days(r: pd.Series) -> dict[str, float]:
    """Figures of daily returns alone."""
    count, alike, low = len(r), abs(r.autocorr(1)), r.quantile(0.05)
    penalty = sum((count - k) / count * alike**k for k in range(1, count))
    ratios = ratios_of_days(r.to_numpy())
    return {
        **ratios,
        "smart_sharpe": ratios["sharpe"] / math.sqrt(1 + 2 * penalty),
        "tail_ratio": abs(r.quantile(0.95)) / abs(low),
        "skew": r.skew(),
        "kurtosis": r.kurt(),
        "best_day": r.max(),
        "worst_day": r.min(),
        "value_at_risk": low,
        "expected_shortfall": r[r <= low].mean(),
    }


def ratios_of_trades(net: np.ndarray) -> dict[str, float]:
    """Those figures of net results that have an interval."""
    wins, losses = net[net > 0], net[net < 0]
    rate, win, loss = len(wins) / len(net), wins.mean(), losses.mean()
    return {
        "net_profit": net.sum(),
        "win_rate": rate,
        "profit_factor": wins.sum() / -losses.sum(),
        "payoff_ratio": win / abs(loss),
        "avg_trade": net.mean(),
        "expectancy": net.mean() / abs(loss),
        "kelly": rate - (1 - rate) / (win / abs(loss)),
    }


def of_trades(net: pd.Series) -> dict[str, float]:
    """Figures of net results alone."""
    return {
        **ratios_of_trades(net.to_numpy()),
        "trades": len(net),
        "sqn": math.sqrt(min(len(net), 100)) * net.mean() / net.std(),
        "avg_win": net[net > 0].mean(),
        "avg_loss": net[net < 0].mean(),
        "best_trade": max(net),
        "worst_trade": min(net),
        "consecutive_wins": _longest(x > 0 for x in net),
        "consecutive_losses": _longest(x < 0 for x in net),
    }


def of_run(run: BacktestRun, others: list[float]) -> dict[str, float]:
    """Every figure by name."""
    r, trades, start = returns_of(run), frame(run.trades), run.start_balance
    net, span_ns = trades["net"], run.last_ns - run.first_ns
    costs = trades[["spread_cost", "slippage_cost", "commission", "swap"]].sum(axis=1)
    curve = pd.concat([pd.Series([start]), daily(run)], ignore_index=True)
    falls = (curve / curve.cummax() - 1.0)[1:]
    cagr = (run.end_balance / start) ** (365.25 * DAY_NS / span_ns) - 1.0
    drift = net.mean()
    return {
        **of_days(r),
        **of_trades(net),
        "total_return": run.end_balance / start - 1.0,
        "cagr": cagr,
        "calmar": cagr / run.max_drawdown_fraction,
        "max_drawdown": min(v / p - 1.0 for v, p in _with_peaks(run)),
        "longest_drawdown": _longest_fall_ns(run) / DAY_NS,
        "ulcer_index": math.sqrt((falls**2).mean()),
        "recovery_factor": (run.end_balance - start) / max(p - v for v, p in _with_peaks(run)),
        "risk_of_ruin": math.exp(-2 * 0.5 * start * drift / net.var()) if drift > 0 else 1.0,
        "exposure": _covered_ns(trades) / span_ns,
        "avg_hold": (trades["close_ns"] - trades["open_ns"]).mean() / DAY_NS,
        "turnover": 2 * trades["lots"].sum() / len(r),
        "edge_ratio": trades["mfe"].sum() / -trades["mae"].sum(),
        "cost_share": -costs.sum() / (net - costs).clip(lower=0).sum(),
        "probabilistic_sharpe": _above(r, 0.0),
        "deflated_sharpe": _above(r, _best_of([*others, r.mean() / r.std()])),
    }


def months(run: BacktestRun) -> list[tuple[int, int, float, int, float]]:
    """Year, month, compound return, trades closed and their net result."""
    r, trades = returns_of(run), frame(run.trades)
    closed = pd.to_datetime(trades["close_ns"], unit="ns").dt.to_period("M")
    found = []
    for month, group in r.groupby(r.index.to_period("M")):
        own = trades[closed == month]
        grown = math.prod(1.0 + x for x in group) - 1.0
        found.append((month.year, month.month, grown, len(own), round(own["net"].sum(), 2)))
    return found


def falls(run: BacktestRun) -> list[tuple[float, int, int, int]]:
    """Depth, peak, bottom and end (0 = lasting) of every fall, UTC ns, the deepest first."""
    found, peak_ns = [], int(run.equity["ts_ns"][0])
    bottom, bottom_ns = 0.0, 0
    for (value, peak), ts in zip(_with_peaks(run), run.equity["ts_ns"], strict=True):
        if value >= peak:
            if bottom < 0:
                found.append((bottom, peak_ns, bottom_ns, ts))
            peak_ns, bottom = ts, 0.0
        elif value / peak - 1.0 < bottom:
            bottom, bottom_ns = value / peak - 1.0, ts
    if bottom < 0:
        found.append((bottom, peak_ns, bottom_ns, 0))
    return sorted(found)


def _with_peaks(run: BacktestRun) -> list[tuple[float, float]]:
    """Each sample of equity beside the highest one so far, the start included."""
    found, peak = [], run.start_balance
    for value in run.equity["equity"]:
        peak = max(peak, value)
        found.append((value, peak))
    return found


def _longest_fall_ns(run: BacktestRun) -> int:
    last = run.equity["ts_ns"][-1]
    return max((end or last) - start for _, start, _, end in falls(run))


def _longest(hits) -> int:
    return max((sum(1 for _ in group) for is_hit, group in groupby(hits) if is_hit), default=0)


def _covered_ns(trades: pd.DataFrame) -> int:
    """Time with at least one open position, by counting them up and down."""
    steps = [(ts, 1) for ts in trades["open_ns"]] + [(ts, -1) for ts in trades["close_ns"]]
    total, held, before = 0, 0, 0
    for ts, change in sorted(steps):
        total += ts - before if held > 0 else 0
        held, before = held + change, ts
    return total


def _above(r: pd.Series, benchmark: float) -> float:
    """PSR: Bailey and López de Prado (2012), equation for the estimate's standard error."""
    sharpe, z = r.mean() / r.std(), (r - r.mean()) / r.std(ddof=0)
    spread = math.sqrt(1 - (z**3).mean() * sharpe + ((z**4).mean() - 1) / 4 * sharpe**2)
    return float(norm.cdf((sharpe - benchmark) * math.sqrt(len(r) - 1) / spread))


def _best_of(sharpes: list[float]) -> float:
    """The Deflated Sharpe Ratio (2014), equation 1."""
    tries = len(sharpes)
    usual, rare = norm.ppf(1 - 1 / tries), norm.ppf(1 - 1 / (tries * math.e))
    return float(np.std(sharpes, ddof=1) * ((1 - EULER) * usual + EULER * rare))
