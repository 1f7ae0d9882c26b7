"""Tests that may be looked at any time: their error holds at every look, so peeking costs nothing.

An e-process is a betting score against the null hypothesis; under the null it exceeds 1/α with a
probability of at most α, over all looks together (Ville's inequality). E ≥ 20 is 5 %.
"""

import math

import numpy as np

from plan2.foundation.values import Float64Array

PROOF = 20.0
EDGE_SD = 0.1
"""Standard deviation of the mixture over effects, in standard deviations of one difference."""
SCALE_EVENTS = 100
"""Differences from which the scale is taken; they are not counted as evidence."""
BETS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.5)


class PairedTest:
    """Champion against challenger: a normal mixture over paired log-loss differences.

    E = exp(ρ²S² / (2(1 + nρ²))) / √(1 + nρ²) of standardised differences d (Robbins 1970; ml.md
    §8). A positive difference means that the challenger lost less. The first hundred differences
    only set the scale; their own mean must not be counted twice.
    """

    def __init__(self, edge_sd: float = EDGE_SD, scale_events: int = SCALE_EVENTS) -> None:
        self._rho2 = edge_sd * edge_sd
        self._scale_events = scale_events
        self._first: list[float] = []
        self._scale = 0.0
        self.counted = 0
        self.sum = 0.0

    @property
    def pairs(self) -> int:
        """All differences so far, those for the scale included."""
        return len(self._first) + self.counted

    @property
    def value(self) -> float:
        """The e-value, two-sided; 1.0 before there is any evidence."""
        if self._scale == 0.0:
            return 1.0
        return math.exp(min(log_mixture(self.sum, self.counted, self._rho2), 700.0))

    @property
    def mean(self) -> float:
        """Mean counted difference, in nats."""
        return self.sum * self._scale / self.counted if self.counted else 0.0

    @property
    def is_better(self) -> bool:
        """Proof that the challenger is better."""
        return self.value >= PROOF and self.sum > 0.0

    @property
    def is_worse(self) -> bool:
        """Proof that the challenger is worse."""
        return self.value >= PROOF and self.sum < 0.0

    def update(self, difference: float) -> None:
        """Take the difference of one independent event: champion's loss minus challenger's."""
        if len(self._first) < self._scale_events:
            self._first.append(difference)
            if len(self._first) == self._scale_events:
                self._scale = float(np.std(self._first, ddof=1))
            return
        self.counted += 1
        if self._scale > 0.0:
            self.sum += difference / self._scale


def log_mixture(total: float, count: int, rho2: float) -> float:
    """Logarithm of the normal mixture at a sum of `count` standardised differences."""
    spread = 1.0 + count * rho2
    return rho2 * total * total / (2.0 * spread) - 0.5 * math.log(spread)


class BrierTest:
    """Calibration lost: the Brier score is above the validated one.

    Bets a fixed share λ on every event and averages over a few shares: the product of
    1 + λ·(Brier − reference) is a martingale when the mean Brier score is the reference, and
    shrinks when it is lower (Waudby-Smith and Ramdas 2023). λ < 1/reference keeps every factor
    positive.
    """

    def __init__(self, reference: float) -> None:
        self._reference = reference
        self._bets: Float64Array = np.array([bet for bet in BETS if bet * reference < 1.0])
        self._logs = np.zeros(len(self._bets))
        self.events = 0

    @property
    def value(self) -> float:
        """The e-value."""
        return float(np.mean(np.exp(np.minimum(self._logs, 700.0))))

    def update(self, brier: float) -> None:
        """Take one independent event's squared error of its probability."""
        self.events += 1
        self._logs += np.log1p(self._bets * (brier - self._reference))
