"""Calibration: a raw score becomes a probability that can be believed, with its own uncertainty.

MAP-Platt: p = σ(a·z + b) on the raw logit z, with Gaussian priors on a and b. With the few
independent labels that markets give, the prior beats plain Platt, temperature and isotonic scaling
(measured in the specification, ml.md §6). Fitted on out-of-fold logits only; label weights make
overlapping labels count once. A model that ranks worse than chance is muted, never inverted.
"""

import math

import msgspec
import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.models.logit_fit import fit_logit

SLOPE_PRIOR_MEAN = 0.3
SLOPE_PRIOR_SD = 0.3
INTERCEPT_PRIOR_SD = 0.05
PROBABILITY_EDGE = 1e-6


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """The line from raw to calibrated logit and the covariance of its two coefficients.

    The covariance is the Laplace approximation of the posterior; `n_eff` is the effective number
    of labels behind it.
    """

    slope: float
    intercept: float
    slope_variance: float
    intercept_variance: float
    covariance: float
    n_eff: float

    def logit(self, raw_logit: float) -> float:
        """The calibrated logit of a raw one."""
        return self.slope * raw_logit + self.intercept

    def logit_variance(self, raw_logit: float) -> float:
        """Posterior variance of the calibrated logit."""
        return (
            self.slope_variance * raw_logit * raw_logit
            + 2.0 * self.covariance * raw_logit
            + self.intercept_variance
        )


def logit_of(probability: float) -> float:
    """Natural log-odds, with the probability kept 1e-6 away from 0 and 1; NaN stays NaN."""
    clipped = min(max(probability, PROBABILITY_EDGE), 1.0 - PROBABILITY_EDGE)
    return math.log(clipped / (1.0 - clipped))


def probability_of(logit: float) -> float:
    """The logistic function."""
    return 1.0 / (1.0 + math.exp(-logit))


def fit(
    logits: Float64Array,
    labels: Float64Array,
    weights: Float64Array,
    slope_prior: float = SLOPE_PRIOR_MEAN,
) -> Calibration:
    """The most probable line given out-of-fold logits and their outcomes.

    Args:
        logits: float64[n], raw log-odds of models that were not trained on these rows.
        labels: float64[n], 1 for up and 0 for down.
        weights: float64[n], how much each label counts; they sum to the effective number.
        slope_prior: mean of the slope's prior, from the previous champion where there is one.
    """
    line, covariance = fit_logit(
        np.column_stack([logits, np.ones_like(logits)]),
        labels,
        weights,
        np.array([slope_prior, 0.0]),
        np.array([SLOPE_PRIOR_SD**-2, INTERCEPT_PRIOR_SD**-2]),
    )
    return Calibration(
        slope=max(float(line[0]), 0.0),
        intercept=float(line[1]),
        slope_variance=float(covariance[0, 0]),
        intercept_variance=float(covariance[1, 1]),
        covariance=float(covariance[0, 1]),
        n_eff=float(weights.sum()),
    )
