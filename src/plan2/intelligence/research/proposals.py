"""Who says which point is tried next: a grid, chance, or Optuna; each knows what was tried."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from plan2.intelligence.research.ranges import Point, Range, grid, random_points
from plan2.intelligence.research.sweep_plan import SweepPlan
from plan2.intelligence.research.trial_ledger import key_of

DRAWS_PER_POINT: Final = 50
"""Draws of whole numbers repeat; when so many in a row bring nothing new, all were tried."""
ASKED_AT_ONCE: Final = 4
"""Points that Optuna gives before it hears of one: always so many, for any number of processes."""


class Proposals(Protocol):
    """A source of points."""

    total: int
    """How many there are at most."""
    learns: bool
    """Whether what a point came to changes what comes next; else nobody need work it out."""

    def next(self, count: int) -> list[Point]:
        """The next points, at most `count`; none when there are no more."""
        ...

    def tell(self, point: Point, value: float | None) -> None:
        """What a point came to, None when nothing can be said; also of those tried before."""
        ...


def proposals_of(plan: SweepPlan, tried: Sequence[tuple[Point, float | None]]) -> Proposals:
    """The source that a plan asks for, going on after what was tried already."""
    if plan.method == "tpe":
        return _Guided(plan, tried)
    return _Listed(plan, [point for point, _ in tried])


class _Listed:
    """A grid or draws: what comes does not depend on what was found."""

    learns = False

    def __init__(self, plan: SweepPlan, tried: Sequence[Point]) -> None:
        known = {key_of(point) for point in tried}
        points: list[Point]
        if plan.method == "grid":
            points = grid(plan.ranges)
        else:
            points = list(itertools.islice(_distinct(plan.ranges, plan.seed), plan.trials))
        self.total = len(points)
        self._left = iter([point for point in points if key_of(point) not in known])

    def next(self, count: int) -> list[Point]:
        return list(itertools.islice(self._left, count))

    def tell(self, point: Point, value: float | None) -> None:
        """Nothing is learnt."""


class _Guided:
    """Optuna's sampler, given all that was tried, so that it goes on where it was stopped."""

    def __init__(self, plan: SweepPlan, tried: Sequence[tuple[Point, float | None]]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # Another seed for each start: going on must not draw again what was drawn before.
        sampler = optuna.samplers.TPESampler(seed=plan.seed + len(tried), constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._spaces = {each.name: _distribution(each) for each in plan.ranges}
        self._asked: dict[tuple[tuple[str, float], ...], Any] = {}  # trials of Optuna
        self.total, self.learns = plan.trials, True
        self._left = plan.trials - len(tried)
        for point, value in tried:
            self.tell(point, value)

    def next(self, count: int) -> list[Point]:
        points: list[Point] = []
        for _ in range(min(count, ASKED_AT_ONCE, self._left)):
            trial = self._study.ask(self._spaces)
            points.append({name: float(value) for name, value in trial.params.items()})
            self._asked[key_of(points[-1])] = trial
        self._left -= len(points)
        return points

    def tell(self, point: Point, value: float | None) -> None:
        from optuna.trial import TrialState, create_trial

        trial = self._asked.pop(key_of(point), None)
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        if trial is not None:
            self._study.tell(trial, value, state=state)
        elif value is not None:
            self._study.add_trial(
                create_trial(params=point, distributions=self._spaces, value=value)
            )


def _distribution(each: Range) -> Any:  # of Optuna
    from optuna import distributions

    if each.values:
        return distributions.CategoricalDistribution(each.values)
    if each.is_whole:
        return distributions.IntDistribution(int(each.low), int(each.high), log=each.is_log)
    return distributions.FloatDistribution(each.low, each.high, log=each.is_log)


def _distinct(ranges: Sequence[Range], seed: int) -> Iterator[Point]:
    seen = set()
    barren = 0
    for point in random_points(ranges, seed):
        key = key_of(point)
        if key not in seen:
            seen.add(key)
            barren = 0
            yield point
            continue
        barren += 1
        if barren >= DRAWS_PER_POINT:
            return
