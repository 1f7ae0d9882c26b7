"""All figures of a run in one call."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final

from plan2.intelligence.backtest.figures.breakdowns import groups_of, months_of
from plan2.intelligence.backtest.figures.curves import pictures_of
from plan2.intelligence.backtest.figures.days import days_of
from plan2.intelligence.backtest.figures.definitions import DEFINITIONS
from plan2.intelligence.backtest.figures.drawdowns import falls_of
from plan2.intelligence.backtest.figures.evidence import Tries, evidence_of, luck_of, rng_of
from plan2.intelligence.backtest.figures.intervals import intervals_of_days, intervals_of_trades
from plan2.intelligence.backtest.figures.performance import performance_of
from plan2.intelligence.backtest.figures.statement import not_simulated, simulated
from plan2.intelligence.backtest.figures.terms import Answer, Fall, Figure, RunFigures
from plan2.intelligence.backtest.figures.trading import NONE, costs_of, trading_of
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.training.bootstrap import Interval

FALLS_SHOWN: Final = 10


def figures_of(
    run: BacktestRun, others: Sequence[float] = (), paths: Sequence[float] = ()
) -> RunFigures:
    """Everything that a report says about a run; equal runs have equal figures.

    Args:
        run: a finished run.
        others: daily Sharpe ratios of the other tries on the same question, for the deflated one.
        paths: net results on the other paths inside bars; none for a run on ticks.
    """
    days, net = days_of(run), run.trades["net"].to_numpy()
    rng = rng_of(run)
    bands = intervals_of_days(days.returns, days.a_year, rng) | intervals_of_trades(net, rng)
    luck = luck_of(days.returns, others)
    answers = performance_of(run, days) | trading_of(run, len(days.returns)) | luck
    return RunFigures(
        metrics=_figures(answers, bands),
        evidence=evidence_of(run, days.returns, Tries(others, paths), bands.get("avg_trade"), luck),
        costs=costs_of(run.trades),
        groups=groups_of(run.trades),
        months=months_of(days, run.trades),
        falls=_deepest(run),
        pictures=pictures_of(run, days),
        simulated=simulated(run),
        not_simulated=not_simulated(run),
    )


def _figures(answers: Mapping[str, Answer], bands: Mapping[str, Interval]) -> dict[str, Figure]:
    """Every defined figure, in order; one that is no number says why."""
    found = {}
    for name in DEFINITIONS:
        answer, band = answers.get(name, NONE), bands.get(name)
        if isinstance(answer, str):
            found[name] = Figure(value=None, reason=answer)
        elif not isfinite(answer):
            found[name] = Figure(value=None, reason="It is not a finite number.")
        elif band is None:
            found[name] = Figure(value=float(answer))
        else:
            found[name] = Figure(value=float(answer), low=band.low, high=band.high)
    return found


def _deepest(run: BacktestRun) -> tuple[Fall, ...]:
    equity = run.equity
    falls = falls_of(equity["ts_ns"].to_numpy(), equity["equity"].to_numpy(), run.start_balance)
    return tuple(sorted(falls, key=lambda fall: fall.depth)[:FALLS_SHOWN])
