"""What triggers what: the one table of the learning loop (specification, ml.md §8).

Feature drift changes nothing but the novelty veto; only outcomes may shrink, retrain or suspend.
"""

import enum
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec


class Signal(enum.StrEnum):
    """What the loop may notice."""

    FEATURE_DRIFT = "feature_drift"
    CALIBRATION_DRIFT = "calibration_drift"
    COVERAGE_DRIFT = "coverage_drift"
    PERFORMANCE_DRIFT = "performance_drift"
    HARD_LIMIT = "hard_limit"
    SCHEDULE = "schedule"


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What follows while a signal is active, or once when it rises."""

    size_factor: float = 1.0
    widens_novelty: bool = False
    refits: bool = False
    retrains: bool = False
    alerts: bool = False
    suspends: bool = False

    def words(self) -> tuple[str, ...]:
        """The responses by name, for people."""
        flags = {
            "novelty_veto": self.widens_novelty,
            "refit": self.refits,
            "retrain": self.retrains,
            "alert": self.alerts,
            "suspend": self.suspends,
        }
        size = (f"size×{self.size_factor:g}",) if self.size_factor != 1.0 else ()
        return (*size, *(name for name, is_on in flags.items() if is_on))


RESPONSES: Final[Mapping[Signal, Response]] = {
    Signal.FEATURE_DRIFT: Response(widens_novelty=True),
    Signal.CALIBRATION_DRIFT: Response(size_factor=0.5, refits=True, alerts=True),
    Signal.COVERAGE_DRIFT: Response(alerts=True),
    Signal.PERFORMANCE_DRIFT: Response(size_factor=0.25, retrains=True, alerts=True),
    Signal.HARD_LIMIT: Response(size_factor=0.0, suspends=True, alerts=True),
    Signal.SCHEDULE: Response(retrains=True),
}


def size_factor_of(active: Iterable[Signal]) -> float:
    """By how much new positions are scaled: the strictest of the active signals, 1.0 without."""
    return min((RESPONSES[signal].size_factor for signal in active), default=1.0)
