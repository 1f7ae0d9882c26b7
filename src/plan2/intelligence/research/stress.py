"""A result under worse conditions: dearer, later, noisier, begun on another day."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.research.resampling import Quantiles, quantiles_of
from plan2.intelligence.research.subject import AS_WRITTEN, Conditions, Window
from plan2.intelligence.research.trial_workers import Asked, TrialWorkers

COST_FACTORS: Final = (1.0, 1.5, 2.0)
SLIPPAGES_POINTS: Final = (1.0, 2.0, 5.0)
LATENCIES_MS: Final = (0.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
JITTER_SHARE: Final = 0.1
"""Runs begin at even steps in this first share of the window."""

Tell = Callable[[str, float], None]
"""(what it does, how far it is from 0 to 1)."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One run under a changed condition; money in account currency.

    `kind`: cost | slippage | latency; `amount`: the factor, points or milliseconds.
    """

    kind: str
    amount: float
    net: float
    trades: int
    max_drawdown: float


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Results of several runs; `losing`: the share of them that lost money."""

    runs: int
    net: Quantiles
    losing: float


class Stress(msgspec.Struct, frozen=True, kw_only=True):
    """What a result is under worse conditions.

    Attributes:
        steps: costs, slippage and latency one at a time.
        break_even_factor: of costs, at which nothing is left; None when it earns at twice the
            costs and more, 0 when it loses even without.
        break_even_points: additional points a fill that it can bear; 0 when it loses as it is.
        noise: runs on perturbed quotes. noise_points: standard deviation of the perturbation.
        jitter: profit of a day in account currency, begun on other days.
    """

    steps: tuple[Step, ...]
    break_even_factor: float | None
    break_even_points: float | None
    noise: Spread
    noise_points: float
    jitter: Spread


class StressPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How much is run: on perturbed quotes, and begun on other days."""

    noise_points: float = 2.0
    noise_runs: int = 20
    jitter_runs: int = 10
    seed: int = 1


def stressed(
    workers: TrialWorkers,
    point: Mapping[str, float],
    window: Window,
    plan: StressPlan,
    tell: Tell,
) -> Stress:
    """Run a flow under every condition; the same seed gives the same figures.

    Args:
        workers: run them.
        point: the parameters.
        window: the quotes.
        plan: how much.
        tell: hears how far it is.
    """
    conditions = _conditions()
    asked: list[Asked] = [(point, window, changed) for _, _, changed in conditions]
    noisy = [
        Conditions(noise_points=plan.noise_points, seed=plan.seed + number)
        for number in range(plan.noise_runs)
    ]
    asked += [(point, window, changed) for changed in noisy]
    windows = _later_starts(window, plan.jitter_runs)
    asked += [(point, later, AS_WRITTEN) for later in windows]
    runs = _runs(workers, asked, tell)
    first, second = len(conditions), len(conditions) + len(noisy)
    steps = tuple(
        Step(
            kind=kind,
            amount=amount,
            net=round(net_of(run), 2),
            trades=len(run.trades),
            max_drawdown=float(run.max_drawdown),
        )
        for (kind, amount, _), run in zip(conditions, runs[:first], strict=True)
    )
    days = [(later.end_ns - later.start_ns) / NS_PER_DAY for later in windows]
    a_day = [net_of(run) / length for run, length in zip(runs[second:], days, strict=True)]
    return Stress(
        steps=steps,
        break_even_factor=_zero_of([(s.amount, s.net) for s in steps if s.kind == "cost"]),
        break_even_points=_bearable([(s.amount, s.net) for s in steps if s.kind == "slippage"]),
        noise=_spread([net_of(run) for run in runs[first:second]]),
        noise_points=plan.noise_points,
        jitter=_spread(a_day),
    )


def net_of(run: BacktestRun) -> float:
    """What a run earned, account currency."""
    return float(run.end_balance - run.start_balance)


def _conditions() -> list[tuple[str, float, Conditions]]:
    costs = [("cost", factor, Conditions(cost_factor=factor)) for factor in (0.0, *COST_FACTORS)]
    slips = [
        ("slippage", points, Conditions(slippage_points=points))
        for points in (0.0, *SLIPPAGES_POINTS)
    ]
    waits = [("latency", wait, Conditions(latency_ms=wait)) for wait in LATENCIES_MS]
    return [*costs, *slips, *waits]


def _runs(workers: TrialWorkers, asked: Sequence[Asked], tell: Tell) -> list[BacktestRun]:
    found: list[BacktestRun] = []
    while len(found) < len(asked):
        tell(f"stress, run {len(found) + 1} of {len(asked)}", len(found) / len(asked))
        found += workers.runs(asked[len(found) : len(found) + workers.processes])
    return found


def _later_starts(window: Window, count: int) -> list[Window]:
    length = int((window.end_ns - window.start_ns) * JITTER_SHARE)
    starts = [window.start_ns + length * number // max(1, count) for number in range(count)]
    return [Window(start, window.end_ns) for start in starts]


def _spread(nets: Sequence[float]) -> Spread:
    values = np.asarray(nets or [0.0], np.float64)
    return Spread(runs=len(nets), net=quantiles_of(values), losing=float((values < 0.0).mean()))


def _zero_of(costs: Sequence[tuple[float, float]]) -> float | None:
    """The cost factor at which the net result is 0, linear between two runs around it."""
    if costs[0][1] <= 0.0:
        return 0.0
    for (low, above), (high, below) in itertools.pairwise(costs):
        if above > 0.0 >= below:
            return low + (high - low) * above / (above - below)
    return None


def _bearable(slips: Sequence[tuple[float, float]]) -> float | None:
    """Points a fill at which the net result is 0, by the slope between none and the most."""
    (_, base), (most, worst) = slips[0], slips[-1]
    if base <= 0.0:
        return 0.0
    slope = (base - worst) / most
    return base / slope if slope > 0.0 else None
