"""Scores against scikit-learn and published numbers; intervals against simulation."""

import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from plan2.foundation.errors import InvariantBroken
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR
from plan2.intelligence.training import metrics
from plan2.intelligence.training.bootstrap import (
    Interval,
    block_length,
    interval_of,
    resampled_means,
)
from plan2.intelligence.training.evaluate import Flag, Verdict, flags_of, verdict_of
from plan2.intelligence.training.labels import LABEL
from plan2.intelligence.training.outcomes import Outcomes, TradeSummary, summary_of, trades_on


def forecasts(n, seed):
    """Forecasts that are right: outcomes are drawn from them. Some are equal."""
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(20, 20, n), 2)
    return p, (rng.random(n) < p).astype(np.float64)


def test_scores_equal_scikit_learn():
    """Log loss, Brier score and AUC with ties."""
    p, y = forecasts(800, 1)

    assert metrics.log_losses(p, y).mean() == pytest.approx(log_loss(y, p))
    assert metrics.brier_losses(p, y).mean() == pytest.approx(brier_score_loss(y, p))
    assert metrics.auc(p, y) == pytest.approx(roc_auc_score(y, p))


def test_auc_of_one_class_is_one_half():
    """There is nothing to rank."""
    assert metrics.auc(np.array([0.1, 0.9]), np.ones(2)) == 0.5


@pytest.mark.parametrize(
    ("accuracy", "events"), [(0.51, 15_455), (0.52, 3_863), (0.53, 1_716), (0.55, 617)]
)
def test_required_events_equal_the_specification(accuracy, events):
    """Table of ml.md section 5, one-sided 5 %, power 80 %."""
    assert metrics.required_events(accuracy) == pytest.approx(events, abs=1.0)


def test_no_edge_can_never_be_shown():
    """At or below one half no number of events is enough."""
    assert metrics.required_events(0.5) == float("inf")


def test_a_perfect_forecaster_stays_inside_the_calibration_null():
    """Its error is far from zero at 1,000 events and exceeds the 95 % point in about 5 %."""
    above = 0
    for seed in range(60):
        p, y = forecasts(1_000, seed)
        null = metrics.calibration_null(p, 1_000, np.random.default_rng(seed))
        above += metrics.calibration_error(p, y) > null

    assert 0.02 < null < 0.08
    assert above <= 9


def test_a_biased_forecaster_leaves_the_calibration_null():
    """Ten points too high."""
    p, y = forecasts(2_000, 3)
    null = metrics.calibration_null(p, 2_000, np.random.default_rng(0))

    assert metrics.calibration_error(np.minimum(p + 0.1, 1.0), y) > null


def test_drawdown_by_hand():
    """+1 −2 +1 −3: the peak is 1, the bottom −3."""
    assert metrics.max_drawdown(np.array([1.0, -2.0, 1.0, -3.0])) == 4.0


def autoregressive(n, rho, rng):
    """An AR(1) series with mean zero."""
    noise = rng.normal(size=n)
    series = np.empty(n)
    series[0] = noise[0]
    for i in range(1, n):
        series[i] = rho * series[i - 1] + noise[i]
    return series


def test_bootstrap_intervals_cover_the_mean_of_dependent_data():
    """Nominal 90 % on AR(1) with ρ = 0.6; single rows as blocks would cover about 60 %."""
    rng = np.random.default_rng(5)
    covered = {1.0: 0, 30.0: 0}
    for _ in range(300):
        series = autoregressive(1_500, 0.6, rng)[:, None]
        for block in covered:
            low, high = np.quantile(resampled_means(series, block, rng, 400), [0.05, 0.95])
            covered[block] += low <= 0.0 <= high

    assert 0.84 < covered[30.0] / 300 < 0.95
    assert covered[1.0] / 300 < 0.75


@pytest.mark.slow
def test_bootstrap_intervals_cover_ninety_percent():
    """ML-035: nominal 90 % within three points on AR(1), ρ = 0.6, with blocks beyond its memory."""
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(1_000):
        noise = rng.normal(size=4_000)
        series = lfilter([1.0], [1.0, -0.6], noise)[500:]
        means = resampled_means(series[:, None], 60.0, rng)
        low, high = np.quantile(means, [0.05, 0.95])
        covered += low <= 0.0 <= high

    assert 870 <= covered <= 930


def test_bootstrap_of_independent_rows_has_the_textbook_error():
    """Standard deviation of the mean: one over the root of n."""
    rows = np.random.default_rng(6).normal(size=(4_000, 2))
    means = resampled_means(rows, 1.0, np.random.default_rng(7))

    assert means.std(axis=0) * np.sqrt(4_000) == pytest.approx(rows.std(axis=0), rel=0.06)
    assert means.mean(axis=0) == pytest.approx(rows.mean(axis=0), abs=0.002)


def test_bootstrap_is_reproducible_and_refuses_nothing():
    """The same seed, the same draws; no rows, no interval."""
    rows = np.arange(50.0)[:, None]
    one, two = (resampled_means(rows, 5.0, np.random.default_rng(8)) for _ in range(2))

    assert np.array_equal(one, two)
    with pytest.raises(InvariantBroken):
        resampled_means(np.empty((0, 1)), 5.0, np.random.default_rng(8))


def test_interval_holds_the_central_95_percent():
    """Of 0..1000."""
    assert interval_of(500.0, np.arange(1_001.0)) == Interval(500.0, 25.0, 975.0)


def test_block_length_counts_events_inside_a_horizon():
    """Hourly events and a horizon of three hours: each sees itself and up to three more."""
    t0 = np.arange(100, dtype=np.int64) * NS_PER_HOUR

    assert block_length(t0, 3 * NS_PER_HOUR) == pytest.approx(4.0, abs=0.1)
    assert block_length(t0, 1) == 1.0


def outcomes(sides, t0_hours, symbol=0):
    """Events with a barrier of 10 and a cost of 1, held for one hour."""
    labels = np.zeros(len(sides), LABEL)
    labels["side"] = sides
    labels["t0"] = np.array(t0_hours) * NS_PER_HOUR
    labels["barrier"], labels["cost"] = 10.0, 1.0
    labels["gross"] = np.array(sides)[:, None] * np.array([10.0, -10.0])
    labels["net"] = labels["gross"] - 1.0
    labels["late"] = labels["net"] - 0.5
    labels["hold_s"] = 3_600.0
    return Outcomes(np.full(len(sides), symbol), labels, np.ones(len(sides)))


def test_results_are_net_profit_over_the_barrier():
    """Long wins 9 of 10, short loses 11 of 10, no side is nothing, double cost is 8 of 10."""
    events = outcomes([1, 1, 1], [0, 1, 2])

    assert events.results(np.array([1, -1, 0])) == pytest.approx([0.9, -1.1, 0.0])
    assert events.results(np.array([1, 1, 1]), 2.0) == pytest.approx([0.8] * 3)


def test_only_forecasts_worth_their_cost_are_traded_one_at_a_time():
    """(2p − 1)·10 must exceed 1; the second event starts while the first trade is open."""
    events = outcomes([1, 1, 1, -1], [0, 0, 2, 3])
    summary = summary_of(trades_on(np.array([0.6, 0.9, 0.54, 0.2]), events))

    assert summary.trades == 2
    assert summary.net_r_total == pytest.approx(1.8)
    assert summary.net_r_mean == pytest.approx({"1": 0.9, "1.5": 0.85, "2": 0.8, "late": 0.85})
    assert summary.cost_share == pytest.approx(0.1)
    assert summary.turnover == 4.0


def test_no_trade_is_a_summary_too():
    """Everything is zero, and the Sharpe ratio is unknown."""
    summary = summary_of(trades_on(np.array([0.5]), outcomes([1], [0])))

    assert (summary.trades, summary.net_r_total, summary.sharpe) == (0, 0.0, None)


def test_sharpe_is_of_daily_sums():
    """Days of +0.9, −1.1, +0.9: mean over deviation times √252."""
    events = outcomes([1, -1, 1], [0, 24, 48])
    daily = np.array([0.9, -1.1, 0.9])
    expected = daily.mean() / daily.std(ddof=1) * np.sqrt(252)

    assert NS_PER_DAY == 24 * NS_PER_HOUR
    assert summary_of(trades_on(np.full(3, 0.9), events)).sharpe == pytest.approx(expected)


@pytest.mark.parametrize(
    ("skill", "n_eff", "n_required", "verdict"),
    [
        (Interval(0.01, 0.002, 0.02), 2_000, 600, Verdict.SKILL),
        (Interval(0.01, 0.002, 0.02), 500, 600, Verdict.INSUFFICIENT),
        (Interval(0.01, -0.002, 0.02), 2_000, 600, Verdict.INSUFFICIENT),
        (Interval(-0.02, -0.04, -0.01), 2_000, float("inf"), Verdict.NO_SKILL),
        (Interval(-0.02, -0.04, -0.01), 50, float("inf"), Verdict.INSUFFICIENT),
        (Interval(0.01, 0.002, 0.02), 99, 10, Verdict.INSUFFICIENT),
    ],
)
def test_verdict_table(skill, n_eff, n_required, verdict):
    """Skill needs its interval above zero and enough effective events."""
    assert verdict_of(skill, n_eff, n_required) is verdict


def trades(sharpe, count):
    """A summary with these two figures."""
    return TradeSummary(
        trades=count,
        net_r_mean={},
        net_r_total=0.0,
        drawdown_r=0.0,
        sharpe=sharpe,
        trades_per_day=1.0,
        turnover=2.0,
        cost_share=0.1,
    )


@pytest.mark.parametrize(
    ("accuracy", "n_eff", "summary", "flags"),
    [
        (0.56, 500, trades(None, 0), (Flag.LEAK_SUSPECT,)),
        (0.56, 499, trades(None, 0), ()),
        (0.54, 5_000, trades(2.9, 500), ()),
        (0.54, 5_000, trades(3.1, 500), (Flag.LEAK_SUSPECT,)),
        (0.54, 5_000, trades(3.1, 20), ()),
    ],
)
def test_results_too_good_to_be_true_are_flagged(accuracy, n_eff, summary, flags):
    """Above 55 % with 500 effective events, or a Sharpe ratio above 3 on enough trades."""
    assert flags_of(accuracy, n_eff, summary, is_uncalibrated=False) == flags
    assert Flag.UNCALIBRATED in flags_of(accuracy, n_eff, summary, is_uncalibrated=True)
