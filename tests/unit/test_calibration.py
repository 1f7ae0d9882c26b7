"""MAP-Platt calibration against other libraries, limits and simulation."""

import math

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from plan2.intelligence.models.calibration import Calibration, fit, logit_of, probability_of
from plan2.intelligence.models.logit_fit import fit_logit


def drawn(n, slope, intercept, seed, sd=1.0):
    """Raw logits and outcomes whose true log-odds are slope · z + intercept."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0.0, sd, n)
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-(slope * z + intercept)))).astype(np.float64)
    return z, y


def test_many_labels_recover_the_true_line():
    """200,000 labels leave the priors without influence."""
    z, y = drawn(200_000, 0.8, 0.03, 1)
    line = fit(z, y, np.ones(len(z)))

    assert line.slope == pytest.approx(0.8, abs=0.02)
    assert line.intercept == pytest.approx(0.03, abs=0.02)


def test_no_labels_give_the_prior():
    """Slope 0.3 ± 0.3 and intercept 0 ± 0.05, as the specification sets them."""
    nothing = np.empty(0)
    line = fit(nothing, nothing, nothing)

    assert (line.slope, line.intercept) == (0.3, 0.0)
    assert line.slope_variance == pytest.approx(0.09)
    assert line.intercept_variance == pytest.approx(0.0025)


def test_a_model_that_ranks_worse_than_chance_is_muted_not_inverted():
    """The slope stops at zero."""
    z, y = drawn(5_000, -1.0, 0.0, 2)

    assert fit(z, y, np.ones(len(z))).slope == 0.0


def test_a_label_of_weight_two_counts_as_two_labels():
    """Weights and repetition are the same thing."""
    z, y = drawn(300, 0.5, 0.0, 3)
    weighted = fit(z, y, np.full(300, 2.0))
    repeated = fit(np.tile(z, 2), np.tile(y, 2), np.ones(600))

    assert weighted.slope == pytest.approx(repeated.slope, abs=1e-9)
    assert weighted.slope_variance == pytest.approx(repeated.slope_variance, abs=1e-12)
    assert weighted.n_eff == 600


def test_the_fit_equals_scikit_learn_with_the_same_penalty():
    """Their C is one over our precision; the intercept is free in both."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 3))
    y = (rng.random(500) < 1.0 / (1.0 + np.exp(-(x @ [0.5, -1.0, 0.0] + 0.2)))).astype(np.float64)
    reference = LogisticRegression(C=0.1, tol=1e-10, max_iter=1_000).fit(x, y)
    design = np.column_stack([x, np.ones(500)])
    line, _ = fit_logit(design, y, np.ones(500), np.zeros(4), np.array([10.0, 10.0, 10.0, 0.0]))

    assert line[:3] == pytest.approx(reference.coef_[0], abs=1e-5)
    assert line[3] == pytest.approx(reference.intercept_[0], abs=1e-5)


def test_the_uncertainty_has_the_right_size():
    """The spread of refitted slopes over 300 samples matches the mean Laplace variance."""
    lines = [fit(*drawn(2_000, 0.5, 0.0, seed), np.ones(2_000)) for seed in range(300)]
    slopes = np.array([line.slope for line in lines])

    assert slopes.std() == pytest.approx(math.sqrt(lines[0].slope_variance), rel=0.15)


def test_the_prior_beats_plain_scaling_and_isotonic_on_few_labels():
    """Excess log loss at 200 labels, overconfident weak scores: MAP < Platt < isotonic."""
    losses = {"map": 0.0, "platt": 0.0, "isotonic": 0.0}
    for seed in range(40):
        z, y = drawn(200, 0.4, 0.0, seed, sd=0.5)
        test = np.random.default_rng(1_000 + seed).normal(0.0, 0.5, 5_000)
        truth = 1.0 / (1.0 + np.exp(-0.4 * test))
        line = fit(z, y, np.ones(200))
        platt = LogisticRegression(C=1e9).fit(z[:, None], y)
        isotonic = IsotonicRegression(y_min=0.01, y_max=0.99, out_of_bounds="clip").fit(z, y)
        answers = {
            "map": 1.0 / (1.0 + np.exp(-(line.slope * test + line.intercept))),
            "platt": platt.predict_proba(test[:, None])[:, 1],
            "isotonic": isotonic.predict(test),
        }
        for name, p in answers.items():
            losses[name] += -np.mean(truth * np.log(p) + (1 - truth) * np.log(1 - p))

    assert losses["map"] < losses["platt"] < losses["isotonic"]


def test_logit_variance_is_the_quadratic_form_of_the_covariance():
    """(z, 1) · [[4, 1], [1, 9]] · (z, 1) at z = 2 is 16 + 4 + 9."""
    line = Calibration(
        slope=1.0,
        intercept=0.0,
        slope_variance=4.0,
        intercept_variance=9.0,
        covariance=1.0,
        n_eff=1.0,
    )

    assert line.logit_variance(2.0) == pytest.approx(29.0)


@pytest.mark.parametrize("p", [0.001, 0.25, 0.5, 0.75, 0.999])
def test_logit_and_probability_are_inverse(p):
    """A round trip changes nothing."""
    assert probability_of(logit_of(p)) == pytest.approx(p, rel=1e-12)


def test_certain_probabilities_stay_finite_and_nan_stays_nan():
    """0 and 1 are moved inward by 1e-6."""
    assert logit_of(0.0) == pytest.approx(-13.8155, abs=1e-3)
    assert logit_of(1.0) == pytest.approx(13.8155, abs=1e-3)
    assert math.isnan(logit_of(math.nan))
