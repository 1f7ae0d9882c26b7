"""Corrections for many tries against the examples of their papers and brute force."""

import itertools

import numpy as np
import pytest
from scipy import stats

from plan2.intelligence.training.multiple_testing import (
    daily_sharpe,
    deflated_sharpe,
    expected_best_sharpe,
    overfitting_probability,
    probability_above,
    superior_ability,
)


@pytest.mark.parametrize(
    ("trials", "skewness", "kurtosis", "expected"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_deflated_sharpe_ratio_equals_the_paper(trials, skewness, kurtosis, expected):
    """Bailey and López de Prado (2014): annual 2.5 over 5 years of 250 days, variance one half."""
    benchmark = expected_best_sharpe(trials, 0.5 / 250)
    found = probability_above(2.5 / np.sqrt(250), benchmark, 1250, skewness, kurtosis)

    assert found == pytest.approx(expected, abs=2e-4)


def test_the_expected_best_of_a_hundred_equals_the_paper():
    """0.1132 a day."""
    assert expected_best_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=1e-4)


@pytest.mark.parametrize(("trials", "annual"), [(10, 1.57), (50, 2.28), (100, 2.53), (1000, 3.26)])
def test_the_best_of_many_tries_without_skill_equals_the_specification(trials, annual):
    """Table of ml.md section 5: one year, the variance of a Sharpe ratio without skill is 1/T."""
    assert expected_best_sharpe(trials, 1.0) == pytest.approx(annual, abs=0.01)


def test_a_single_try_is_not_deflated():
    """The benchmark is zero."""
    net_r = np.random.default_rng(1).normal(0.05, 1.0, 400)
    sharpe = daily_sharpe(net_r)
    expected = probability_above(
        sharpe, 0.0, 400, stats.skew(net_r), stats.kurtosis(net_r, fisher=False)
    )

    assert deflated_sharpe(net_r, [sharpe]) == pytest.approx(expected)


def test_more_tries_deflate_more():
    """ML-036: a thousand tries against ten with the same spread."""
    net_r = np.random.default_rng(2).normal(0.1, 1.0, 500)
    spread = np.random.default_rng(3).normal(0.0, 0.05, 1_000)

    assert deflated_sharpe(net_r, list(spread)) < deflated_sharpe(net_r, list(spread[:10]))


def test_too_little_evidence_is_no_figure():
    """Few days, no variation, a single try: nothing, and never zero."""
    few, flat = np.array([1.0, -1.0] * 10), np.zeros(100)

    assert deflated_sharpe(few, [0.1]) is None
    assert deflated_sharpe(flat, [0.1]) is None
    assert overfitting_probability(np.ones((100, 1))) is None
    assert overfitting_probability(np.ones((20, 5))) is None
    same = np.random.default_rng(1).normal(size=100)
    assert overfitting_probability(np.column_stack([same, same])) is None
    assert superior_ability(few, [np.zeros(20)], 2.0, 1) is None
    assert superior_ability(flat, [np.zeros(100)], 2.0, 1) is None


def brute_force(results, groups):
    """The definition, word for word, with SciPy's ranks."""
    parts = np.array_split(results, groups)
    logits = []
    for chosen in itertools.combinations(range(groups), groups // 2):
        inside = np.concatenate([parts[k] for k in chosen])
        outside = np.concatenate([parts[k] for k in range(groups) if k not in chosen])
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0))
        ranks = stats.rankdata(outside.mean(axis=0) / outside.std(axis=0))
        share = ranks[best] / (results.shape[1] + 1)
        logits.append(np.log(share / (1.0 - share)))
    return np.mean(np.array(logits) <= 0.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_overfitting_equals_brute_force(seed):
    """Forty days make eight groups of five."""
    results = np.random.default_rng(seed).normal(size=(40, 7))

    assert overfitting_probability(results) == pytest.approx(brute_force(results, 8))


def test_a_try_with_skill_is_not_overfitted():
    """It is the best in every half."""
    results = np.random.default_rng(4).normal(size=(128, 20))
    results[:, 3] += 1.5

    assert overfitting_probability(results) == 0.0


def test_choosing_among_noise_is_overfitting():
    """The best of one half is above the median of the other no more often than by chance."""
    draws = (np.random.default_rng(seed).normal(size=(64, 30)) for seed in range(5))
    found = np.mean([overfitting_probability(results) for results in draws])

    assert 0.3 < found < 0.8


def test_a_planted_superior_model_is_recognised():
    """ML-038: a Sharpe ratio of 0.35 a day against doing nothing and against noise."""
    rng = np.random.default_rng(5)
    good, idle, noise = rng.normal(0.35, 1.0, 300), np.zeros(300), rng.normal(0.0, 1.0, 300)

    assert superior_ability(good, [idle, noise], 2.0, 1) < 0.05
    assert superior_ability(noise, [idle, good], 2.0, 1) > 0.5


def test_what_equals_a_baseline_is_not_better():
    """Its own copy among the baselines."""
    net_r = np.random.default_rng(6).normal(0.5, 1.0, 100)

    assert superior_ability(net_r, [net_r.copy()], 2.0, 1) == 1.0
