"""The most probable logistic model under a Gaussian prior, by Newton's method."""

import numpy as np

from plan2.foundation.errors import require
from plan2.foundation.values import Float64Array

_STEPS_MAX = 50
_CONVERGED = 1e-10
_NOISE = 1e-12


def fit_logit(
    design: Float64Array,
    labels: Float64Array,
    weights: Float64Array,
    prior_mean: Float64Array,
    prior_precision: Float64Array,
) -> tuple[Float64Array, Float64Array]:
    """Coefficients and their Laplace covariance: float64[k] and float64[k, k].

    Minimises Σ wᵢ·log loss(σ(xᵢ·β), yᵢ) + ½ Σ precisionⱼ·(βⱼ − mⱼ)², which is convex. Steps are
    halved while they do not lower the loss.

    Args:
        design: float64[n, k], one row per label.
        labels: float64[n], 1 or 0.
        weights: float64[n], how much each label counts.
        prior_mean: float64[k].
        prior_precision: float64[k], inverse variances; 0 = no prior on that coefficient.
    """
    require(len(design) == len(labels) == len(weights), "one label and one weight for each row")

    def loss(line: Float64Array) -> float:
        logits = design @ line
        fit = float(weights @ (np.logaddexp(0.0, logits) - labels * logits))
        return fit + 0.5 * float(prior_precision @ (line - prior_mean) ** 2)

    line = prior_mean.astype(np.float64)
    value = loss(line)
    for _ in range(_STEPS_MAX):
        p = 1.0 / (1.0 + np.exp(-(design @ line)))
        gradient = design.T @ (weights * (p - labels)) + prior_precision * (line - prior_mean)
        step = np.linalg.solve(_hessian(design, weights, p, prior_precision), gradient)
        while loss(line - step) > value + _NOISE * abs(value):
            step = step * 0.5
        line = line - step
        value = loss(line)
        if float(np.abs(step).max()) < _CONVERGED:
            break
    p = 1.0 / (1.0 + np.exp(-(design @ line)))
    covariance = np.linalg.inv(_hessian(design, weights, p, prior_precision))
    return line, np.asarray(covariance, np.float64)


def _hessian(
    design: Float64Array, weights: Float64Array, p: Float64Array, prior_precision: Float64Array
) -> Float64Array:
    curvature: Float64Array = design.T @ (design * (weights * p * (1.0 - p))[:, None])
    return curvature + np.diag(prior_precision)
