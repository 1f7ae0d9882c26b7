"""Level 1 of the blend: learnt weights instead of the plain mean, where they have been earned.

With little signal an estimated weight costs more than it brings (specification, ml.md §6), so a
stack has to show three things: enough independent labels, a lower loss than the mean on every path
of combinatorial purged cross-validation, and a lower loss walking forward with weights that were
known at the time. Otherwise the mean stays.
"""

import msgspec
import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.models.logit_fit import fit_logit
from plan2.intelligence.training.paths import along_paths, is_better_on_all, path_losses
from plan2.intelligence.training.splits import combinatorial

EFFECTIVE_MIN = 10_000.0
PULL = 100.0
"""Precision of the prior around 1/K: a ridge whose weights have a deviation of a tenth."""
GROUPS, TESTED = 6, 2
ROUNDS_PER_WEIGHT = 4
SLOPE_NOISE = 1e-6


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Out-of-fold forecasts of all members, oldest first, and what came of them.

    logits: float64[n, K], calibrated log-odds as they could have been known. up: float64[n].
    weight: float64[n], uniqueness of the labels. t0, t1: int64[n], lives of the labels, UTC ns.
    edges: the first row of every walk-forward fold.
    """

    logits: Float64Array
    up: Float64Array
    weight: Float64Array
    t0: Int64Array
    t1: Int64Array
    edges: tuple[int, ...]


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """Weights to serve with, and the log-odds that they would have given walking forward.

    weights: float64[K], not negative; the plain mean is 1/K each. logits: float64[n].
    """

    weights: Float64Array
    logits: Float64Array


def earned_stack(pool: Pool, embargo_ns: int, effective_min: float = EFFECTIVE_MIN) -> Stack | None:
    """The stack, or None where the plain mean is to stay."""
    if pool.logits.shape[1] < 2 or pool.weight.sum() < effective_min:
        return None
    if not _wins_on_all_paths(pool, embargo_ns):
        return None
    forward = _walking_forward(pool, effective_min)
    mean = pool.logits.mean(axis=1)
    if _loss(forward, pool) >= _loss(mean, pool):
        return None
    return Stack(weights=stack_weights(pool.logits, pool.up, pool.weight), logits=forward)


def stack_weights(logits: Float64Array, up: Float64Array, weight: Float64Array) -> Float64Array:
    """The most probable weights that are not negative, drawn towards 1/K: float64[K].

    Minimises Σ wᵢ·log loss(σ(zᵢ·β), yᵢ) + ½ · PULL · Σ (βⱼ − 1/K)² under β ≥ 0, a convex problem,
    by active sets: a weight that would be negative is held at 0 until the loss would fall with it.
    """
    count = logits.shape[1]
    centre, precision = np.full(count, 1.0 / count), np.full(count, PULL)
    is_free = np.ones(count, np.bool_)
    beta = centre.copy()
    for _ in range(ROUNDS_PER_WEIGHT * count):
        beta = np.zeros(count)
        if is_free.any():
            free = (logits[:, is_free], up, weight, centre[is_free], precision[is_free])
            beta[is_free] = fit_logit(*free)[0]
        if beta.min() < 0.0:
            is_free[np.argmin(beta)] = False
            continue
        chances = _chances(logits @ beta)
        slope = logits.T @ (weight * (chances - up)) + PULL * (beta - centre)
        slope[is_free] = 0.0
        if slope.min() >= -SLOPE_NOISE:
            break
        is_free[np.argmin(slope)] = True
    return np.asarray(np.maximum(beta, 0.0), np.float64)


def _wins_on_all_paths(pool: Pool, embargo_ns: int) -> bool:
    folds = combinatorial(pool.t0, pool.t1, embargo_ns, GROUPS, TESTED)
    stacked, mean = [], pool.logits.mean(axis=1)
    for fold in folds:
        rows = fold.train
        weights = stack_weights(pool.logits[rows], pool.up[rows], pool.weight[rows])
        stacked.append(pool.logits[fold.test] @ weights)
    paths = along_paths(folds, stacked, len(pool.up))
    ours = path_losses(_chances(paths), pool.up, pool.weight)
    theirs = path_losses(_chances(np.tile(mean, (len(paths), 1))), pool.up, pool.weight)
    return is_better_on_all(ours, theirs)


def _walking_forward(pool: Pool, effective_min: float) -> Float64Array:
    """Log-odds with weights that earlier, resolved labels gave; the mean before there are any."""
    result: Float64Array = pool.logits.mean(axis=1)
    ends = (*pool.edges[1:], len(pool.up))
    for start, end in zip(pool.edges, ends, strict=True):
        known = np.flatnonzero(pool.t1[:start] < pool.t0[start])
        if pool.weight[known].sum() >= effective_min:
            weights = stack_weights(pool.logits[known], pool.up[known], pool.weight[known])
            result[start:end] = pool.logits[start:end] @ weights
    return result


def _chances(logits: Float64Array) -> Float64Array:
    chances: Float64Array = 1.0 / (1.0 + np.exp(-logits))
    return chances


def _loss(logits: Float64Array, pool: Pool) -> float:
    return float(path_losses(_chances(logits)[None], pool.up, pool.weight)[0])
