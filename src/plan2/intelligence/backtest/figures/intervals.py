"""Intervals by the stationary block bootstrap, of days for returns and of trades for trades.

Figures that are functions of means are resampled by resampling those means, so one draw serves all.
"""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Final

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.training.bootstrap import Interval, interval_of, resampled_means

ROWS_MIN: Final = 20
"""With fewer days or trades there is no interval worth the name."""

_Means = Mapping[str, Float64Array]
_Formula = Callable[[_Means], Float64Array]


def intervals_of_days(
    returns: Float64Array, a_year: int, rng: np.random.Generator
) -> dict[str, Interval]:
    """Intervals of figures of daily returns; empty for few days."""
    columns = {
        "mean": returns,
        "square": returns**2,
        "gain": np.maximum(returns, 0.0),
        "loss": np.maximum(-returns, 0.0),
        "downside": np.minimum(returns, 0.0) ** 2,
    }
    year, count = np.sqrt(a_year), len(returns)

    def deviation(m: _Means) -> Float64Array:
        bessel = count / max(1, count - 1)
        found: Float64Array = np.sqrt(np.maximum(m["square"] - m["mean"] ** 2, 0.0) * bessel)
        return found

    formulas: dict[str, _Formula] = {
        "volatility_ann": lambda m: deviation(m) * year,
        "sharpe": lambda m: m["mean"] / deviation(m) * year,
        "sortino": lambda m: m["mean"] / np.sqrt(m["downside"]) * year,
        "omega": lambda m: m["gain"] / m["loss"],
        "gain_to_pain": lambda m: m["mean"] / m["loss"],
    }
    return _resampled(columns, formulas, rng)


def intervals_of_trades(net: Float64Array, rng: np.random.Generator) -> dict[str, Interval]:
    """Intervals of figures of trades' net results; empty for few trades."""
    columns = {
        "mean": net,
        "won": np.asarray(net > 0.0, np.float64),
        "lost": np.asarray(net < 0.0, np.float64),
        "gain": np.maximum(net, 0.0),
        "loss": np.maximum(-net, 0.0),
    }

    def payoff(m: _Means) -> Float64Array:
        found: Float64Array = (m["gain"] / m["won"]) / (m["loss"] / m["lost"])
        return found

    formulas: dict[str, _Formula] = {
        "win_rate": lambda m: m["won"],
        "avg_trade": lambda m: m["mean"],
        "profit_factor": lambda m: m["gain"] / m["loss"],
        "payoff_ratio": payoff,
        "expectancy": lambda m: m["mean"] / (m["loss"] / m["lost"]),
        "kelly": lambda m: m["won"] - (1.0 - m["won"]) / payoff(m),
        "net_profit": lambda m: m["mean"] * len(net),
    }
    return _resampled(columns, formulas, rng)


def _resampled(
    columns: Mapping[str, Float64Array], formulas: Mapping[str, _Formula], rng: np.random.Generator
) -> dict[str, Interval]:
    count = len(next(iter(columns.values())))
    if count < ROWS_MIN:
        return {}
    # Blocks grow with the cube root of the length: Politis and White (2004).
    block = float(ceil(count ** (1.0 / 3.0)))
    drawn = resampled_means(np.column_stack(list(columns.values())), block, rng)
    samples = {name: drawn[:, column] for column, name in enumerate(columns)}
    whole = {name: np.array([values.mean()]) for name, values in columns.items()}
    found = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, formula in formulas.items():
            value, spread = float(formula(whole)[0]), formula(samples)
            # Where some resamples have no loss the figure has no upper end.
            if np.isfinite(value) and np.isfinite(spread).all():
                found[name] = interval_of(value, spread)
    return found
