"""Drift detectors against hand arithmetic and the measured figures of the specification (M-13)."""

import numpy as np
import pytest

from plan2.intelligence.learning.coverage import CoverageMonitor
from plan2.intelligence.learning.detectors import Adwin, Cusum, PageHinkley
from plan2.intelligence.learning.eprocess import BrierTest
from plan2.intelligence.learning.hard_limits import LossWatch, loss_limits
from plan2.intelligence.learning.triggers import RESPONSES, Signal, size_factor_of

GOOD, BAD = 0.48, 0.58
"""Error rates before and after a loss of ten points of accuracy."""


def errors(rng: np.random.Generator, rate: float, count: int) -> list[float]:
    """Independent errors."""
    return (rng.random(count) < rate).astype(float).tolist()


def first_alarm(detector, stream) -> float:
    """Events until the alarm, infinite without one."""
    return next((k for k, error in enumerate(stream, 1) if detector.update(error)), np.inf)


def test_cusum_by_hand():
    """Reference 0.4, slack 0.05: +0.55 for an error, −0.45 otherwise, never below zero."""
    cusum = Cusum(0.4, limit=1.0)
    alarms = [cusum.update(error) for error in (0.0, 1.0, 0.0, 1.0, 1.0, 1.0)]

    assert alarms == [False, False, False, False, True, True]
    assert cusum.statistic == pytest.approx(0.55 - 0.45 + 3 * 0.55)


def test_cusum_finds_ten_points_within_400_events():
    """ML-073: at least 80 % of runs, at most 0.1 false alarms per 1 000 (measured 83 %, 0.04)."""
    rng = np.random.default_rng(73)
    delays = np.array([first_alarm(Cusum(GOOD), errors(rng, BAD, 800)) for _ in range(300)])
    false_alarms = sum(
        np.isfinite(first_alarm(Cusum(GOOD), errors(rng, GOOD, 1_000))) for _ in range(200)
    )

    assert (delays <= 400).mean() >= 0.80
    assert (delays <= 800).mean() >= 0.97
    assert false_alarms / 200 <= 0.1


def test_adwin_is_slower_as_measured():
    """δ = 0.05 on a warm window: about 15, 52 and 82 % found within 200, 400 and 800 events."""
    rng, delays = np.random.default_rng(74), []
    for _ in range(60):
        adwin = Adwin()
        for error in errors(rng, GOOD, 2_000):
            adwin.update(error)
        delays.append(first_alarm(adwin, errors(rng, BAD, 800)))
    found = [np.mean(np.array(delays) <= limit) for limit in (200, 400, 800)]

    assert found == pytest.approx([0.15, 0.52, 0.82], abs=0.2)


def test_adwin_keeps_the_mean_of_its_window():
    """Buckets forget order, never sums: the window is the newest part of the stream."""
    rng, adwin = np.random.default_rng(5), Adwin()
    stream = errors(rng, 0.2, 3_000) + errors(rng, 0.8, 3_000)
    for error in stream:
        adwin.update(error)

    assert 1_000 < adwin.width < 3_300
    assert adwin.statistic == pytest.approx(np.mean(stream[-adwin.width :]), abs=1e-9)


def test_page_hinkley_needs_no_reference():
    """A rise over its own past is found, a fall is not an alarm."""
    rng = np.random.default_rng(8)
    rising, falling = PageHinkley(), PageHinkley()
    before = errors(rng, GOOD, 1_000)

    assert first_alarm(rising, before) == np.inf
    assert first_alarm(rising, errors(rng, 0.7, 400)) < 250
    assert first_alarm(falling, before + errors(rng, 0.2, 1_000)) == np.inf


def overlapping_errors(rng: np.random.Generator, count: int, horizon: int) -> np.ndarray:
    """Stationary: a slow signal bets on the sign of the sum of the next `horizon` noise terms."""
    noise = rng.normal(size=count + horizon)
    ahead = np.convolve(noise, np.ones(horizon), "valid")[1 : count + 1]
    signal = np.convolve(rng.normal(size=count + horizon), np.ones(horizon), "valid")[:count]
    return (np.sign(signal) != np.sign(ahead)).astype(float)


def alarms(detector: Adwin, stream: np.ndarray) -> int:
    """How often it alarms."""
    return sum(detector.update(error) for error in stream.tolist())


def test_one_event_per_horizon_keeps_detectors_quiet():
    """ML-071: 20 000 stationary labels over 60 bars; the naive feed is an alarm machine."""
    stream = overlapping_errors(np.random.default_rng(71), 20_000, 60)

    assert alarms(Adwin(), stream) > 10
    assert alarms(Adwin(), stream[::60]) <= 1
    assert first_alarm(Cusum(0.5), stream[::60]) == np.inf


def test_brier_test_is_a_fair_bet_until_calibration_is_lost():
    """E ≥ 20 in at most 5 % of calibrated runs at any look; soon when overconfident."""
    rng = np.random.default_rng(9)

    def run(stretch: float) -> float:
        logit = rng.normal(0.0, 0.5, 800)
        up = rng.random(800) < 1.0 / (1.0 + np.exp(-logit))
        p = 1.0 / (1.0 + np.exp(-stretch * logit))
        true = 1.0 / (1.0 + np.exp(-logit))
        test = BrierTest(float(np.mean(true * (1.0 - true))))
        best = 0.0
        for brier in ((p - up) ** 2).tolist():
            test.update(brier)
            best = max(best, test.value)
        return best

    assert np.mean([run(1.0) >= 20.0 for _ in range(60)]) <= 0.08
    assert np.mean([run(6.0) >= 20.0 for _ in range(30)]) >= 0.9


def test_coverage_holds_through_a_shift():
    """ML-052: rolling coverage of 500 events within four points of 90 %, shift included."""
    rng, monitor, seen = np.random.default_rng(52), CoverageMonitor(), []
    for k in range(4_000):
        logit = rng.normal(0.0, 1.5)
        right = 1.0 / (1.0 + np.exp(-(logit if k < 2_000 else -0.5 * logit)))
        p = 1.0 / (1.0 + np.exp(-logit))
        monitor.update(p, 1 if rng.random() < right else -1)
        if k >= 700 and not 2_000 <= k < 2_500:
            seen.append(monitor.coverage)

    assert 0.86 <= min(seen) <= max(seen) <= 0.94


def test_a_coverage_set_holds_both_sides_without_skill():
    """At a coin's odds nine tenths cannot be covered by one side."""
    rng, monitor = np.random.default_rng(2), CoverageMonitor()
    for _ in range(300):
        monitor.update(0.5 + rng.normal(0.0, 0.01), int(rng.choice([-1, 1])))

    assert monitor.sides(0.5) == (1, -1)


def test_loss_limits_against_the_exact_streak():
    """The recursion for runs: at most 0.1 % of fair records hold a longer losing run."""
    limits = loss_limits(0.5, 0.0, np.random.default_rng(1))
    chance = np.zeros(limits.streak + 1)  # chance[r]: no run of streak+1 yet, now r in a row
    chance[0] = 1.0
    for _ in range(500):
        chance = np.concatenate([[chance.sum() * 0.5], chance[:-1] * 0.5])

    assert 1.0 - chance.sum() <= 0.002
    assert 50 < limits.drawdown_r < 110  # 3.9 standard deviations of reflected Brownian motion


def test_loss_watch_names_the_limit():
    """A drawdown in R and a run of losses, each by itself."""
    watch = LossWatch(loss_limits(0.55, 0.05, np.random.default_rng(1)))
    streak = next(k for k in range(100) if watch.update(-0.1))
    slow = LossWatch(watch.limits)
    names = [slow.update(result) for _ in range(300) for result in (0.1, -1.0)]

    assert streak == watch.limits.streak
    assert next(name for name in names if name) == "drawdown"


def test_what_triggers_what():
    """The table of ml.md §8."""
    assert RESPONSES[Signal.FEATURE_DRIFT].words() == ("novelty_veto",)
    assert RESPONSES[Signal.CALIBRATION_DRIFT].words() == ("size×0.5", "refit", "alert")
    assert RESPONSES[Signal.PERFORMANCE_DRIFT].words() == ("size×0.25", "retrain", "alert")
    assert RESPONSES[Signal.HARD_LIMIT].suspends
    assert RESPONSES[Signal.SCHEDULE].words() == ("retrain",)
    assert size_factor_of([Signal.FEATURE_DRIFT]) == 1.0
    assert size_factor_of([Signal.CALIBRATION_DRIFT, Signal.PERFORMANCE_DRIFT]) == 0.25
