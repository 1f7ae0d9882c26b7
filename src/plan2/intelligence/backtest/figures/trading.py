"""Figures of the trades themselves; formulas and sources are in `definitions.py`."""

import numpy as np
import polars as pl

from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array
from plan2.intelligence.backtest.figures.terms import Answer, Costs
from plan2.intelligence.backtest.run import BacktestRun

NONE: str = "There were no trades."
NO_WIN: str = "No trade gained."
NO_LOSS: str = "No trade lost."
RUIN_FRACTION = 0.5
TRADES_COUNTED = 100
"""Van Tharp counts no more, so that mere length makes no system good."""


def trading_of(run: BacktestRun, days: int) -> dict[str, Answer]:
    """Every figure of trades, by name; `days` is how many trading days the run has."""
    trades = run.trades
    if not trades.height:
        return {"trades": 0.0, "net_profit": 0.0, "exposure": 0.0, "turnover": 0.0}
    net = trades["net"].to_numpy()
    hold = (trades["close_ns"] - trades["open_ns"]).to_numpy()
    return {
        **of_results(net),
        "exposure": exposure(run),
        "avg_hold": float(hold.mean()) / NS_PER_DAY,
        "turnover": 2.0 * float(trades["lots"].sum()) / max(1, days),
        "edge_ratio": edge_ratio(trades),
        "cost_share": cost_share(trades),
        "risk_of_ruin": risk_of_ruin(net, run.start_balance),
    }


def of_results(net: Float64Array) -> dict[str, Answer]:
    """Figures of net results alone, float64[n] in time order, n > 0."""
    wins, losses = net[net > 0.0], net[net < 0.0]
    win_rate = len(wins) / len(net)
    avg_win: Answer = float(wins.mean()) if len(wins) else NO_WIN
    avg_loss: Answer = float(losses.mean()) if len(losses) else NO_LOSS
    avg_trade = float(net.mean())
    payoff = _ratio(avg_win, avg_loss)
    return {
        "trades": float(len(net)),
        "net_profit": round(float(net.sum()), 2),
        "win_rate": win_rate,
        "profit_factor": profit_factor(net),
        "payoff_ratio": payoff,
        "avg_trade": avg_trade,
        "expectancy": _ratio(avg_trade, avg_loss),
        "sqn": system_quality(net),
        "kelly": payoff if isinstance(payoff, str) else win_rate - (1.0 - win_rate) / payoff,
        "avg_win": avg_win,
        "avg_loss": avg_loss,
        "best_trade": float(net.max()),
        "worst_trade": float(net.min()),
        "consecutive_wins": float(longest_row(net > 0.0)),
        "consecutive_losses": float(longest_row(net < 0.0)),
    }


def profit_factor(net: Float64Array) -> Answer:
    """What was won over what was lost."""
    lost = float(np.maximum(-net, 0.0).sum())
    return float(np.maximum(net, 0.0).sum()) / lost if lost > 0.0 else NO_LOSS


def system_quality(net: Float64Array) -> Answer:
    """Van Tharp's number: the mean in standard errors, of at most a hundred trades."""
    if len(net) < 2:
        return "There are too few trades."
    deviation = float(net.std(ddof=1))
    if deviation == 0.0:
        return "Results do not vary from trade to trade."
    return float(np.sqrt(min(len(net), TRADES_COUNTED)) * net.mean() / deviation)


def longest_row(hits: np.ndarray) -> int:
    """The longest run of True in bool[n]."""
    edges = np.diff(np.concatenate([[False], hits, [False]]).astype(np.int8))
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return int(lengths.max()) if len(lengths) else 0


def exposure(run: BacktestRun) -> Answer:
    """Share of the time in which something was open; overlapping positions count once."""
    span = run.last_ns - run.first_ns
    if span <= 0:
        return "The run has no length."
    ordered = run.trades.sort("open_ns")
    return _covered(ordered["open_ns"].to_numpy(), ordered["close_ns"].to_numpy()) / span


def edge_ratio(trades: pl.DataFrame) -> Answer:
    """How far trades ran for us against how far they ran against us."""
    against = float(-trades["mae"].sum())
    return float(trades["mfe"].sum()) / against if against > 0.0 else "No trade was ever losing."


def costs_of(trades: pl.DataFrame) -> Costs:
    """The way from the result before costs to the net result."""
    sums = {name: _cents(trades[name]) for name in ("gross", "commission", "swap", "net")}
    spread, slippage = _cents(trades["spread_cost"]), _cents(trades["slippage_cost"])
    return Costs(
        before=round(sums["gross"] - spread - slippage, 2),
        spread=spread,
        slippage=slippage,
        commission=sums["commission"],
        swap=sums["swap"],
        net=sums["net"],
    )


def cost_share(trades: pl.DataFrame) -> Answer:
    """All costs against what trades gained that gained anything before costs."""
    costs = trades["spread_cost"] + trades["slippage_cost"] + trades["commission"] + trades["swap"]
    before = (trades["net"] - costs).to_numpy()
    gained = float(before[before > 0.0].sum())
    return float(-costs.sum()) / gained if gained > 0.0 else "No trade gained before costs."


def risk_of_ruin(net: Float64Array, balance: float) -> Answer:
    """The chance that a random walk with this drift ever falls by half the balance."""
    if len(net) < 2:
        return "There are too few trades."
    drift, variance = float(net.mean()), float(net.var(ddof=1))
    if drift <= 0.0:
        return 1.0
    if variance == 0.0:
        return 0.0
    return float(np.exp(-2.0 * RUIN_FRACTION * balance * drift / variance))


def _covered(opened: Int64Array, closed: Int64Array) -> int:
    """Length of the union of intervals that are sorted by their beginning."""
    reach = np.maximum.accumulate(closed)
    begin = np.maximum(opened, np.concatenate([opened[:1], reach[:-1]]))
    return int(np.maximum(closed - begin, 0).sum())


def _ratio(above: Answer, loss: Answer) -> Answer:
    if isinstance(above, str):
        return above
    return loss if isinstance(loss, str) else above / -loss


def _cents(column: pl.Series) -> float:
    return round(float(column.sum()), 2)
