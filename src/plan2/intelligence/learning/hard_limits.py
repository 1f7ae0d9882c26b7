"""Losses that luck does not explain: beyond 99.9 % of what the validated hit rate would bring."""

from typing import NamedTuple

import numpy as np

QUANTILE = 0.999
PATHS = 4_000
TRADES = 500
"""Trades of one simulated record; longer records make the limits wider."""
COST_R = 0.05
"""Cost of a trade in R where the validation did not say."""


class LossLimits(NamedTuple):
    """Where a champion is suspended: drawdown in R, and losses in a row."""

    drawdown_r: float
    streak: int


def loss_limits(hit_rate: float, cost_r: float, rng: np.random.Generator) -> LossLimits:
    """The 99.9 % points of drawdown and losing streak over 500 trades of even payoff.

    Args:
        hit_rate: validated share of right forecasts, 0…1.
        cost_r: mean cost of a trade in R, taken from each result.
        rng: draws the records.
    """
    total = np.zeros(PATHS)
    peak, deepest = np.zeros(PATHS), np.zeros(PATHS)
    run, longest = np.zeros(PATHS, np.int64), np.zeros(PATHS, np.int64)
    for _ in range(TRADES):
        is_loss = rng.random(PATHS) >= hit_rate
        total += np.where(is_loss, -1.0, 1.0) - cost_r
        np.maximum(peak, total, out=peak)
        np.maximum(deepest, peak - total, out=deepest)
        run = (run + 1) * is_loss
        np.maximum(longest, run, out=longest)
    return LossLimits(
        float(np.quantile(deepest, QUANTILE)), int(np.ceil(np.quantile(longest, QUANTILE)))
    )


class LossWatch:
    """Follows the results of what a champion would act on."""

    def __init__(self, limits: LossLimits) -> None:
        self.limits = limits
        self.streak = 0
        self._total = self._peak = 0.0

    @property
    def drawdown_r(self) -> float:
        """How far the sum of results lies below its highest point, in R."""
        return self._peak - self._total

    def update(self, result_r: float) -> str:
        """Take a result; the limit that is now exceeded, in words, or nothing."""
        self._total += result_r
        self._peak = max(self._peak, self._total)
        self.streak = self.streak + 1 if result_r < 0.0 else 0
        if self.drawdown_r > self.limits.drawdown_r:
            return "drawdown"
        return "losing_streak" if self.streak > self.limits.streak else ""
