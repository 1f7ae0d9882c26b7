"""The watch over one champion at one symbol: every detector, and which signals are active.

A performance signal stays until another champion serves; a calibration signal until a refit was
confirmed by new outcomes. Second opinions are shown and recorded, but trigger nothing.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from plan2.intelligence.learning.coverage import CoverageMonitor
from plan2.intelligence.learning.detectors import Adwin, Cusum, PageHinkley
from plan2.intelligence.learning.eprocess import PROOF, BrierTest
from plan2.intelligence.learning.hard_limits import COST_R, LossWatch, loss_limits
from plan2.intelligence.learning.tracking import Scored, Track, calibration_of
from plan2.intelligence.learning.triggers import Signal

SLOPE_LOW, SLOPE_HIGH = 0.6, 1.4
SLOPE_EVERY = 10
"""Independent events between two looks at the calibration's slope."""
CONFIRMED_AFTER = 50
"""Independent events after a refit that must look right before the signal is lifted."""
MENDING_CHANGE = 0.05
"""Least change of the slope that makes earlier outcomes no measure of the calibration now."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One detector now; `is_on` means that it would alarm."""

    detector: str
    signal: str
    statistic: float
    limit: float
    events: int
    is_on: bool
    is_second_opinion: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that rose or was lifted, and the reading that did it."""

    signal: Signal
    is_active: bool
    reading: Reading


class ChampionWatch:
    """Feeds the detectors from resolved outcomes.

    Args:
        validated: the champion's out-of-sample metrics; a coin's where one is missing.
        rng: for the limits on losses.
    """

    def __init__(self, validated: Mapping[str, float], rng: np.random.Generator) -> None:
        accuracy = validated.get("accuracy", 0.5)
        self.events = 0
        self.active: set[Signal] = set()
        self._cusum = Cusum(1.0 - accuracy)
        self._adwin, self._page_hinkley = Adwin(), PageHinkley()
        self._adwin_rose = self._page_hinkley_rose = False
        self._reference = _brier_of(validated)
        self._brier = BrierTest(self._reference)
        self._coverage = CoverageMonitor()
        self._losses = LossWatch(loss_limits(accuracy, validated.get("cost_share", COST_R), rng))
        self._loss_limit = ""
        self._slope: tuple[float, bool] = (1.0, False)
        self._track = Track()
        self._refitted_at: int | None = None
        self._features: tuple[int, int] = (0, 0)

    def update(self, scored: Scored) -> list[Change]:
        """Take a resolved outcome, oldest first; what changed."""
        self._track.add(scored)
        if not scored.is_independent:
            return []  # overlapping labels lose together; nobody holds them all
        self.events += 1
        changes = [*self._watch_losses(scored), *self._watch_errors(scored)]
        return [*changes, *self._watch_calibration(scored), *self._watch_coverage(scored)]

    def refitted(self, slope_change: float) -> None:
        """A new live calibration is in force; one that mends a drift is judged from here on."""
        if Signal.CALIBRATION_DRIFT not in self.active or abs(slope_change) < MENDING_CHANGE:
            return
        self._track = Track()
        self._brier = BrierTest(self._reference)
        self._slope = (1.0, False)
        self._refitted_at = self.events

    def features_measured(self, bars: int, drifted: int) -> list[Change]:
        """So many bars were held against the training period, and so many features have drifted."""
        self._features = (bars, drifted)
        is_active = Signal.FEATURE_DRIFT in self.active
        if (drifted > 0) == is_active:
            return []
        change = self._lift if is_active else self._rise
        return [change(Signal.FEATURE_DRIFT, self._reading_of_features())]

    def readings(self) -> list[Reading]:
        """Every detector now."""
        return [
            self._reading_of_errors(),
            Reading(
                detector="adwin", signal=Signal.PERFORMANCE_DRIFT, statistic=self._adwin.statistic,
                limit=self._adwin.limit, events=self._adwin.width, is_on=self._adwin_rose,
                is_second_opinion=True,
            ),
            Reading(
                detector="page_hinkley", signal=Signal.PERFORMANCE_DRIFT,
                statistic=self._page_hinkley.statistic, limit=self._page_hinkley.limit,
                events=self.events, is_on=self._page_hinkley_rose, is_second_opinion=True,
            ),
            self._reading_of_brier(),
            self._reading_of_slope(),
            self._reading_of_coverage(),
            self._reading_of_losses("drawdown"),
            self._reading_of_losses("losing_streak"),
            self._reading_of_features(),
        ]  # fmt: skip

    def _watch_errors(self, scored: Scored) -> list[Change]:
        error = float((scored.p >= 0.5) != (scored.up > 0.5))
        is_on = self._cusum.update(error)
        self._adwin_rose |= self._adwin.update(error)
        self._page_hinkley_rose |= self._page_hinkley.update(error)
        if not is_on or Signal.PERFORMANCE_DRIFT in self.active:
            return []
        return [self._rise(Signal.PERFORMANCE_DRIFT, self._reading_of_errors())]

    def _watch_calibration(self, scored: Scored) -> list[Change]:
        self._brier.update((scored.p - scored.up) ** 2)
        if self.events % SLOPE_EVERY == 0:
            self._slope = self._look_at_slope()
        readings = (self._reading_of_brier(), self._reading_of_slope())
        off = next((reading for reading in readings if reading.is_on), None)
        is_active = Signal.CALIBRATION_DRIFT in self.active
        if off is not None and not is_active:
            return [self._rise(Signal.CALIBRATION_DRIFT, off)]
        is_confirmed = (
            self._refitted_at is not None and self.events - self._refitted_at >= CONFIRMED_AFTER
        )
        if is_active and off is None and is_confirmed:
            return [self._lift(Signal.CALIBRATION_DRIFT, readings[1])]
        return []

    def _watch_coverage(self, scored: Scored) -> list[Change]:
        self._coverage.update(scored.p, 1 if scored.up > 0.5 else -1)
        is_active = Signal.COVERAGE_DRIFT in self.active
        if self._coverage.is_off == is_active:
            return []
        change = self._lift if is_active else self._rise
        return [change(Signal.COVERAGE_DRIFT, self._reading_of_coverage())]

    def _watch_losses(self, scored: Scored) -> list[Change]:
        if not scored.is_acted:
            return []
        self._loss_limit = self._losses.update(scored.result)
        if not self._loss_limit or Signal.HARD_LIMIT in self.active:
            return []
        return [self._rise(Signal.HARD_LIMIT, self._reading_of_losses(self._loss_limit))]

    def _look_at_slope(self) -> tuple[float, bool]:
        """The slope, and whether it is outside of the band by more than chance explains."""
        found = calibration_of(self._track.since(0))
        if found is None:
            return 1.0, False
        slope = found.slope
        is_outside = not SLOPE_LOW <= slope.value <= SLOPE_HIGH
        return slope.value, is_outside and not slope.low <= 1.0 <= slope.high

    def _rise(self, signal: Signal, reading: Reading) -> Change:
        self.active.add(signal)
        if signal is Signal.CALIBRATION_DRIFT:
            self._refitted_at = None
        return Change(signal=signal, is_active=True, reading=reading)

    def _lift(self, signal: Signal, reading: Reading) -> Change:
        self.active.discard(signal)
        return Change(signal=signal, is_active=False, reading=reading)

    def _reading_of_errors(self) -> Reading:
        return Reading(
            detector="cusum", signal=Signal.PERFORMANCE_DRIFT, statistic=self._cusum.statistic,
            limit=self._cusum.limit, events=self.events,
            is_on=self._cusum.statistic > self._cusum.limit,
        )  # fmt: skip

    def _reading_of_brier(self) -> Reading:
        return Reading(
            detector="brier_e_value", signal=Signal.CALIBRATION_DRIFT, statistic=self._brier.value,
            limit=PROOF, events=self._brier.events, is_on=self._brier.value >= PROOF,
        )  # fmt: skip

    def _reading_of_slope(self) -> Reading:
        slope, is_on = self._slope
        return Reading(
            detector="calibration_slope", signal=Signal.CALIBRATION_DRIFT, statistic=slope,
            limit=SLOPE_LOW if slope < 1.0 else SLOPE_HIGH, events=len(self._track), is_on=is_on,
        )  # fmt: skip

    def _reading_of_coverage(self) -> Reading:
        coverage = self._coverage.coverage
        return Reading(
            detector="coverage", signal=Signal.COVERAGE_DRIFT,
            statistic=0.9 if coverage is None else coverage, limit=0.9, events=self.events,
            is_on=self._coverage.is_off,
        )  # fmt: skip

    def _reading_of_features(self) -> Reading:
        bars, drifted = self._features
        return Reading(
            detector="psi_ks", signal=Signal.FEATURE_DRIFT, statistic=float(drifted), limit=1.0,
            events=bars, is_on=drifted > 0,
        )  # fmt: skip

    def _reading_of_losses(self, name: str) -> Reading:
        limits = self._losses.limits
        is_drawdown = name == "drawdown"
        return Reading(
            detector=name, signal=Signal.HARD_LIMIT,
            statistic=self._losses.drawdown_r if is_drawdown else float(self._losses.streak),
            limit=limits.drawdown_r if is_drawdown else float(limits.streak), events=self.events,
            is_on=self._loss_limit == name,
        )  # fmt: skip


def _brier_of(validated: Mapping[str, float]) -> float:
    """The validated Brier score: skill is measured against the base rate."""
    base = validated.get("base_rate", 0.5)
    return base * (1.0 - base) * (1.0 - validated.get("brier_skill", 0.0))
