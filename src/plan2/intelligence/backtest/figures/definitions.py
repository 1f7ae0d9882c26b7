"""Every figure of a report: its name, unit, which way is better, and its formula with its source.

`tests/unit/figures_oracle.py` computes each of them a second time, from these formulas alone.

Names are those of QuantStats where it has the figure; where its formula is unusual (value_at_risk,
recovery_factor, risk_of_ruin) ours is the one that is written here.
r: daily returns; P: days a year; T: days; x: net results of trades.
"""

from collections.abc import Iterable
from typing import Final

from plan2.intelligence.backtest.figures.terms import Better, Definition, Unit

_Row = tuple[str, str, Unit, Better, str]

_RETURNS: Final[tuple[_Row, ...]] = (
    ("total_return", "Total return", "fraction", "more", "end balance / start balance − 1"),
    ("cagr", "Return a year", "fraction", "more", "(end / start)^(1 / years) − 1, from 30 days on"),
    ("volatility_ann", "Volatility a year", "fraction", "less", "std(r) · √P"),
    ("sharpe", "Sharpe ratio", "ratio", "more", "mean(r) / std(r) · √P; Sharpe (1994)"),
    (
        "smart_sharpe", "Sharpe, autocorrelation removed", "ratio", "more",
        "sharpe / √(1 + 2·Σ (1 − k/T)·|ρ|^k), ρ the correlation of neighbouring days; QuantStats",
    ),
    (
        "sortino", "Sortino ratio", "ratio", "more",
        "mean(r) / √(Σ min(r, 0)² / T) · √P; Sortino and Price (1994)",
    ),
    ("calmar", "Calmar ratio", "ratio", "more", "cagr / |max_drawdown|; Young (1991)"),
    (
        "omega", "Omega ratio", "ratio", "more",
        "Σ max(r, 0) / Σ max(−r, 0); Keating and Shadwick (2002)",
    ),
    ("gain_to_pain", "Gain to pain", "ratio", "more", "Σ r / |Σ min(r, 0)|; Schwager (2012)"),
    ("tail_ratio", "Tail ratio", "ratio", "more", "|95 % quantile of r| / |5 % quantile of r|"),
    ("skew", "Skewness of days", "ratio", "", "bias-corrected; Joanes and Gill (1998)"),
    ("kurtosis", "Excess kurtosis of days", "ratio", "", "bias-corrected; Joanes and Gill (1998)"),
    ("best_day", "Best day", "fraction", "more", "max(r)"),
    ("worst_day", "Worst day", "fraction", "more", "min(r)"),
)  # fmt: skip

_RISK: Final[tuple[_Row, ...]] = (
    ("max_drawdown", "Deepest drawdown", "fraction", "more", "min(equity / peak) − 1, every tick"),
    ("longest_drawdown", "Longest drawdown", "days", "less", "from a peak until it is back"),
    (
        "ulcer_index", "Ulcer index", "fraction", "less",
        "√mean(drawdown²) of days; Martin and McCann (1989)",
    ),
    (
        "recovery_factor", "Recovery factor", "ratio", "more",
        "net result / deepest drawdown in money; MetaTrader",
    ),
    ("value_at_risk", "Value at risk, 95 %", "fraction", "more", "5 % quantile of r, historical"),
    (
        "expected_shortfall", "Expected shortfall, 95 %", "fraction", "more",
        "mean of r at or below value_at_risk; Rockafellar, Uryasev (2000)",
    ),
    (
        "risk_of_ruin", "Chance to lose half", "probability", "less",
        "exp(−2·B·mean(x) / var(x)), B half the balance; Cox and Miller (1965); 1 without edge",
    ),
)  # fmt: skip

_TRADES: Final[tuple[_Row, ...]] = (
    ("trades", "Trades", "count", "", "closed positions and closed parts of positions"),
    ("net_profit", "Net result", "money", "more", "Σ x"),
    ("win_rate", "Win rate", "fraction", "more", "share of trades with x > 0"),
    ("profit_factor", "Profit factor", "ratio", "more", "Σ max(x, 0) / Σ max(−x, 0)"),
    ("payoff_ratio", "Payoff ratio", "ratio", "more", "avg_win / |avg_loss|"),
    ("avg_trade", "Average trade", "money", "more", "mean(x)"),
    ("expectancy", "Expectancy", "ratio", "more", "avg_trade / |avg_loss|; Tharp (1998)"),
    (
        "sqn", "System quality number", "ratio", "more",
        "√min(trades, 100) · mean(x) / std(x); Tharp (2008)",
    ),
    (
        "kelly", "Kelly fraction", "fraction", "more",
        "win_rate − (1 − win_rate) / payoff_ratio; Kelly (1956)",
    ),
    ("avg_win", "Average win", "money", "more", "mean of x > 0"),
    ("avg_loss", "Average loss", "money", "more", "mean of x < 0"),
    ("best_trade", "Best trade", "money", "more", "max(x)"),
    ("worst_trade", "Worst trade", "money", "more", "min(x)"),
    ("consecutive_wins", "Most wins in a row", "count", "", "longest run of x > 0"),
    ("consecutive_losses", "Most losses in a row", "count", "less", "longest run of x < 0"),
    ("exposure", "Time in the market", "fraction", "", "time with an open position / whole time"),
    ("avg_hold", "Average time held", "days", "", "mean of close − open"),
    ("turnover", "Lots a day", "lots", "", "2 · Σ lots / T"),
    (
        "edge_ratio", "Edge ratio", "ratio", "more",
        "Σ best open profit / Σ |worst open profit|; Faith (2007)",
    ),
    (
        "cost_share", "Share of costs", "fraction", "less",
        "all costs / what the trades that gained before costs gained",
    ),
)  # fmt: skip

_LUCK: Final[tuple[_Row, ...]] = (
    (
        "probabilistic_sharpe", "Chance that the true Sharpe is above 0", "probability", "more",
        "Bailey, López de Prado (2012), from 32 days on",
    ),
    (
        "deflated_sharpe", "The same, after as many tries", "probability", "more",
        "Bailey, López de Prado (2014), over the kept runs of the same flow and symbol",
    ),
)  # fmt: skip

SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "Returns": tuple(row[0] for row in _RETURNS),
    "Risk": tuple(row[0] for row in _RISK),
    "Trades": tuple(row[0] for row in _TRADES),
    "Luck": tuple(row[0] for row in _LUCK),
}


def _by_name(rows: Iterable[_Row]) -> dict[str, Definition]:
    return {
        name: Definition(name=name, label=label, unit=unit, better=better, formula=formula)
        for name, label, unit, better, formula in rows
    }


DEFINITIONS: Final = _by_name((*_RETURNS, *_RISK, *_TRADES, *_LUCK))
