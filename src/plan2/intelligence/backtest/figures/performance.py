"""Return and risk by day; formulas and sources are in `definitions.py`.

Every function answers a number, or the sentence that says why there is none.
"""

from typing import Final

import numpy as np

from plan2.foundation.values import NS_PER_DAY, Float64Array
from plan2.intelligence.backtest.figures.days import Days
from plan2.intelligence.backtest.figures.drawdowns import falls_of
from plan2.intelligence.backtest.figures.terms import Answer
from plan2.intelligence.backtest.run import BacktestRun

YEAR_DAYS: Final = 365.25
SPAN_MIN_DAYS: Final = 30
"""A return over a shorter time says nothing about a year."""
TAIL_DAYS_MIN: Final = 20
"""With fewer days there is not one in the worst five percent."""
FEW: Final = "There are too few days."
STILL: Final = "Equity does not vary from day to day."
NO_LOSS: Final = "No day lost."
EMPTIED: Final = "The account was emptied."


def performance_of(run: BacktestRun, days: Days) -> dict[str, Answer]:
    """Every figure of returns and risk, by name."""
    returns, a_year = days.returns, days.a_year
    yearly = cagr(run)
    depth = -run.max_drawdown_fraction
    tail = value_at_risk(returns)
    found: dict[str, Answer] = {
        "total_return": run.end_balance / run.start_balance - 1.0,
        "cagr": yearly,
        "volatility_ann": volatility(returns, a_year),
        "sharpe": sharpe(returns, a_year),
        "smart_sharpe": smart_sharpe(returns, a_year),
        "sortino": sortino(returns, a_year),
        "calmar": _over(yearly, -depth, "There was no drawdown."),
        "omega": omega(returns),
        "gain_to_pain": gain_to_pain(returns),
        "tail_ratio": tail_ratio(returns),
        "skew": skew(returns),
        "kurtosis": kurtosis(returns),
        "best_day": float(returns.max()) if len(returns) else FEW,
        "worst_day": float(returns.min()) if len(returns) else FEW,
        "max_drawdown": depth,
        "longest_drawdown": longest_drawdown(run),
        "ulcer_index": ulcer_index(days.equity, run.start_balance),
        "recovery_factor": _over(
            run.end_balance - run.start_balance, run.max_drawdown, "There was no drawdown."
        ),
        "value_at_risk": tail,
        "expected_shortfall": expected_shortfall(returns),
    }
    return found


def cagr(run: BacktestRun) -> Answer:
    """Compound return a year."""
    span_days = (run.last_ns - run.first_ns) / NS_PER_DAY
    if span_days < SPAN_MIN_DAYS:
        return f"{span_days:.0f} days say nothing about a year; {SPAN_MIN_DAYS} are needed."
    if run.end_balance <= 0.0:
        return EMPTIED
    return float((run.end_balance / run.start_balance) ** (YEAR_DAYS / span_days) - 1.0)


def volatility(returns: Float64Array, a_year: int) -> Answer:
    """Standard deviation of a year."""
    return float(returns.std(ddof=1) * np.sqrt(a_year)) if len(returns) > 1 else FEW


def sharpe(returns: Float64Array, a_year: int) -> Answer:
    """Sharpe ratio of a year, without a risk-free rate."""
    if len(returns) < 2:
        return FEW
    return _over(float(returns.mean() * np.sqrt(a_year)), float(returns.std(ddof=1)), STILL)


def smart_sharpe(returns: Float64Array, a_year: int) -> Answer:
    """Sharpe ratio, smaller the more one day looks like the day before."""
    plain = sharpe(returns, a_year)
    if isinstance(plain, str):
        return plain
    count = len(returns)
    if count < 3 or returns[:-1].std() == 0.0 or returns[1:].std() == 0.0:
        return FEW
    alike = abs(float(np.corrcoef(returns[:-1], returns[1:])[0, 1]))
    lags = np.arange(1, count)
    return float(plain / np.sqrt(1.0 + 2.0 * np.sum((count - lags) / count * alike**lags)))


def sortino(returns: Float64Array, a_year: int) -> Answer:
    """Mean over the deviation of losses alone, of a year."""
    if len(returns) < 2:
        return FEW
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)))
    return _over(float(returns.mean() * np.sqrt(a_year)), downside, NO_LOSS)


def omega(returns: Float64Array) -> Answer:
    """Gains over losses of days, threshold 0."""
    losses = float(np.maximum(-returns, 0.0).sum())
    return _over(float(np.maximum(returns, 0.0).sum()), losses, NO_LOSS)


def gain_to_pain(returns: Float64Array) -> Answer:
    """What was gained for what was lost on the way."""
    return _over(float(returns.sum()), float(np.maximum(-returns, 0.0).sum()), NO_LOSS)


def tail_ratio(returns: Float64Array) -> Answer:
    """How large good days are against bad ones."""
    if len(returns) < TAIL_DAYS_MIN:
        return FEW
    low, high = np.quantile(returns, [0.05, 0.95])
    return _over(abs(float(high)), abs(float(low)), NO_LOSS)


def skew(returns: Float64Array) -> Answer:
    """G1 of Joanes and Gill."""
    count = len(returns)
    if count < 3:
        return FEW
    centred = returns - returns.mean()
    second, third = float(np.mean(centred**2)), float(np.mean(centred**3))
    if second == 0.0:
        return STILL
    return float(np.sqrt(count * (count - 1)) / (count - 2) * third / second**1.5)


def kurtosis(returns: Float64Array) -> Answer:
    """G2 of Joanes and Gill; 0 for a normal distribution."""
    count = len(returns)
    if count < 4:
        return FEW
    centred = returns - returns.mean()
    second, fourth = float(np.mean(centred**2)), float(np.mean(centred**4))
    if second == 0.0:
        return STILL
    raw = fourth / second**2 - 3.0
    return float((count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * raw + 6.0))


def value_at_risk(returns: Float64Array) -> Answer:
    """The return that 5 % of days fall short of."""
    return float(np.quantile(returns, 0.05)) if len(returns) >= TAIL_DAYS_MIN else FEW


def expected_shortfall(returns: Float64Array) -> Answer:
    """The mean of the days at or below the value at risk."""
    limit = value_at_risk(returns)
    return limit if isinstance(limit, str) else float(returns[returns <= limit].mean())


def ulcer_index(equity: Float64Array, start: float) -> Answer:
    """Root mean square of drawdowns at the ends of days."""
    if not len(equity):
        return FEW
    curve = np.concatenate([[start], equity])
    falls = (curve / np.maximum.accumulate(curve) - 1.0)[1:]
    return float(np.sqrt(np.mean(falls**2)))


def longest_drawdown(run: BacktestRun) -> Answer:
    """The longest time below a peak, in days; one that has not ended counts up to the end."""
    ts_ns = run.equity["ts_ns"].to_numpy()
    if not len(ts_ns):
        return FEW
    last = int(ts_ns[-1])
    falls = falls_of(ts_ns, run.equity["equity"].to_numpy(), run.start_balance)
    return max(((fall.end_ns or last) - fall.start_ns for fall in falls), default=0) / NS_PER_DAY


def _over(above: Answer, below: float, otherwise: str) -> Answer:
    if isinstance(above, str):
        return above
    return above / below if below > 0.0 else otherwise
