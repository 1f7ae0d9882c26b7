"""Adaptive conformal coverage: does the set {up, down} hold the outcome as often as promised?

Gibbs and Candès (2021): the level α_t moves against its own errors, which guarantees the long-run
share of covered outcomes under any drift. It is a monitor and a safety indicator, not the rule that
trades: at 52 % accuracy nearly every 90 % set holds both sides.
"""

from collections import deque

import numpy as np

TARGET = 0.90
STEP = 0.02
WINDOW = 500
TOLERANCE = 0.04
LEAST = 50


class CoverageMonitor:
    """Takes independent events one by one."""

    def __init__(self, target: float = TARGET, step: float = STEP, window: int = WINDOW) -> None:
        self._target = target
        self._step = step
        self._alpha = 1.0 - target
        self._scores: deque[float] = deque(maxlen=window)
        self._covered: deque[bool] = deque(maxlen=window)

    @property
    def level(self) -> float:
        """The level in force; far from 1 − target means that the forecasts have changed."""
        return self._alpha

    @property
    def coverage(self) -> float | None:
        """Share of the last 500 outcomes inside their sets; None before 50."""
        return float(np.mean(self._covered)) if len(self._covered) >= LEAST else None

    @property
    def is_off(self) -> bool:
        """Whether a full window lies more than four points from the target."""
        coverage = self.coverage
        is_full = len(self._covered) == self._covered.maxlen
        return coverage is not None and is_full and abs(coverage - self._target) > TOLERANCE

    def sides(self, p: float) -> tuple[int, ...]:
        """The set of outcomes for the next event: (1,), (-1,), both or none."""
        limit = self._limit()
        return tuple(side for side, score in ((1, 1.0 - p), (-1, p)) if score <= limit)

    def update(self, p: float, side: int) -> bool:
        """Take an event's outcome (+1 or -1); whether its set held it."""
        is_covered = side in self.sides(p)
        self._covered.append(is_covered)
        self._scores.append(1.0 - p if side > 0 else p)
        self._alpha += self._step * ((1.0 - self._target) - (not is_covered))
        return is_covered

    def _limit(self) -> float:
        """Score up to which an outcome belongs to the set; beyond 0…1 the set is all or nothing."""
        if self._alpha <= 0.0 or len(self._scores) < LEAST:
            return float("inf")
        if self._alpha >= 1.0:
            return float("-inf")
        count = len(self._scores)
        rank = min(1.0, np.ceil((count + 1) * (1.0 - self._alpha)) / count)
        return float(np.quantile(self._scores, rank, method="higher"))
