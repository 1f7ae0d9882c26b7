"""What a result shows: how probable it is that luck made it, and the verdict in words."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.backtest.figures.terms import Answer, Evidence
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.training.bootstrap import Interval
from plan2.intelligence.training.multiple_testing import (
    DAYS_MIN,
    daily_sharpe,
    deflated_sharpe,
)

EARNS: Final = "earns"
LOSES: Final = "loses"
INSUFFICIENT: Final = "insufficient evidence"
TRADES_MIN: Final = 30
PROBABILITY_MIN: Final = 0.95
OPTIMISTIC: Final = (
    "Orders fill on the very quote they were decided on, which no live order does: a yardstick."
)
FROM_BARS: Final = (
    "The ticks are made of bars, so the path inside a bar is a guess; stops and targets inside one "
    "bar may have been reached in the other order."
)
NO_LATENCY: Final = "Orders arrive without any delay."


class Tries(NamedTuple):
    """What a result is judged beside.

    Attributes:
        others: daily Sharpe ratios of the other tries on the same question.
        paths: net results of the same flow on the other paths inside the bars, account currency.
    """

    others: Sequence[float] = ()
    paths: Sequence[float] = ()


def luck_of(returns: Float64Array, others: Sequence[float]) -> dict[str, Answer]:
    """Probabilistic and deflated Sharpe ratio.

    Args:
        returns: float64[T], of days.
        others: daily Sharpe ratios of the other tries on the same question.
    """
    if len(returns) < DAYS_MIN:
        few = f"{len(returns)} days; {DAYS_MIN} are needed."
        return {"probabilistic_sharpe": few, "deflated_sharpe": few}
    own = daily_sharpe(returns)
    alone = deflated_sharpe(returns, ())
    if own is None or alone is None:
        still = "Equity does not vary from day to day."
        return {"probabilistic_sharpe": still, "deflated_sharpe": still}
    deflated = deflated_sharpe(returns, (*others, own))
    return {
        "probabilistic_sharpe": alone,
        "deflated_sharpe": alone if deflated is None else deflated,
    }


def evidence_of(
    run: BacktestRun,
    returns: Float64Array,
    tries: Tries,
    mean_trade: Interval | None,
    luck: dict[str, Answer],
) -> Evidence:
    """The verdict.

    It earns when the mean trade is above zero with its whole interval and the deflated Sharpe ratio
    is at least 95 %; it loses when the interval is below zero; anything else is not shown. Neither
    is shown where another path inside the bars turns a gain into a loss, or a loss into a gain.
    """
    others = tries.others
    verdict, sentence = _verdict(run, len(returns), mean_trade, luck["deflated_sharpe"])
    if verdict != INSUFFICIENT and (unsure := _unsure(run, tries.paths)):
        verdict, sentence = INSUFFICIENT, unsure
    return Evidence(
        verdict=verdict,
        sentence=sentence,
        days=len(returns),
        trades=run.trades.height,
        trials=len(others) + 1,
        daily_sharpe=daily_sharpe(returns),
        flags=flags_of(run),
    )


def flags_of(run: BacktestRun) -> tuple[str, ...]:
    """What makes the figures better than life would be, or less sure."""
    execution, found = run.flow.execution, []
    if execution.fill == "signal_quote":
        found.append(OPTIMISTIC)
    elif execution.latency_ms == 0.0 and execution.latency_spread_ms == 0.0:
        found.append(NO_LATENCY)
    if run.is_bars:
        found.append(FROM_BARS)
    if any(run.trades["exit_reason"] == "stop_out"):
        found.append("The broker closed positions because the margin was used up.")
    return tuple(found)


def _unsure(run: BacktestRun, paths: Sequence[float]) -> str:
    """What is to be said where paths inside the bars disagree on gain or loss; else nothing."""
    net = run.end_balance - run.start_balance
    if all(net * other > 0.0 for other in paths):
        return ""
    return (
        f"{min(net, *paths):+,.2f} to {max(net, *paths):+,.2f} {run.flow.account.currency}, "
        "depending on the path that prices took inside the bars, which nobody knows: ticks are "
        "needed."
    )


def _verdict(
    run: BacktestRun, days: int, mean_trade: Interval | None, deflated: Answer
) -> tuple[str, str]:
    trades = run.trades.height
    if trades == 0:
        return INSUFFICIENT, "No trades, so nothing can be said about profit."
    money = f"{run.end_balance - run.start_balance:+,.2f} {run.flow.account.currency}"
    noun = "trade" if trades == 1 else "trades"
    told = f"{money} in {trades:,} {noun} over {days} days"
    if trades < TRADES_MIN or mean_trade is None:
        return INSUFFICIENT, f"{told}: at least {TRADES_MIN} trades are needed to say anything."
    band = (
        f"the average trade is {mean_trade.value:+,.2f} "
        f"({mean_trade.low:+,.2f} … {mean_trade.high:+,.2f})"
    )
    if mean_trade.high < 0.0:
        return LOSES, f"{told}: {band}, below zero by more than chance explains."
    if mean_trade.low <= 0.0:
        return INSUFFICIENT, f"{told}: {band}, which chance alone can make."
    if isinstance(deflated, str):
        return INSUFFICIENT, f"{told}: {band}, but {days} days are too few; {DAYS_MIN} are needed."
    if deflated < PROBABILITY_MIN:
        return INSUFFICIENT, (
            f"{told}: {band}, but after as many tries the chance of a true edge is {deflated:.0%}; "
            f"{PROBABILITY_MIN:.0%} are wanted."
        )
    return EARNS, f"{told}: {band}, more than chance and the number of tries explain."


def rng_of(run: BacktestRun) -> np.random.Generator:
    """The source of resamples: the same for the same run."""
    return np.random.default_rng(int(run.run_id[:15] or "0", 16) if _is_hex(run.run_id) else 1)


def _is_hex(text: str) -> bool:
    return bool(text) and all(letter in "0123456789abcdef" for letter in text)
