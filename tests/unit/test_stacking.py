"""ML-045: learnt weights of the blend, only where they have been earned; paths of a split."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from plan2.intelligence.training.metrics import log_losses
from plan2.intelligence.training.paths import (
    along_paths,
    is_better_on_all,
    path_losses,
    ranking_loss,
)
from plan2.intelligence.training.splits import Fold, combinatorial, path_count
from plan2.intelligence.training.stacking import PULL, Pool, earned_stack, stack_weights

HOUR_NS = 3_600_000_000_000


def pool(count: int, sharpness: tuple[float, ...], seed: int = 1, folds: int = 3) -> Pool:
    """Independent labels of a logistic market; each member sees the truth times its sharpness.

    A member of sharpness 0 says something of its own.
    """
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.0, 1.0, count)
    up = (rng.random(count) < 1.0 / (1.0 + np.exp(-truth))).astype(np.float64)
    logits = [s * truth + (s == 0.0) * rng.normal(0.0, 1.0, count) for s in sharpness]
    t0 = np.arange(count, dtype=np.int64) * 2 * HOUR_NS
    return Pool(
        logits=np.column_stack(logits),
        up=up,
        weight=np.ones(count),
        t0=t0,
        t1=t0 + HOUR_NS,
        edges=tuple(k * count // folds for k in range(folds)),
    )


def test_weights_are_those_of_a_ridge_around_the_mean() -> None:
    """scikit-learn's ridge is around zero: shift the logits' mean into the log-odds' offset.

    With all members alike up to noise the constraint does not bind; the sums agree with a Newton
    solution of the same problem.
    """
    seen = pool(4_000, (0.6, 0.9, 1.1))
    found = stack_weights(seen.logits, seen.up, seen.weight)
    beta = np.full(3, 1 / 3)
    for _ in range(50):
        p = 1 / (1 + np.exp(-seen.logits @ beta))
        gradient = seen.logits.T @ (p - seen.up) + PULL * (beta - 1 / 3)
        hessian = seen.logits.T @ (seen.logits * (p * (1 - p))[:, None]) + PULL * np.eye(3)
        beta = beta - np.linalg.solve(hessian, gradient)
    assert (beta > 0).all()
    assert found == pytest.approx(beta, abs=1e-4)
    free = LogisticRegression(C=1e6, fit_intercept=False).fit(seen.logits, seen.up).coef_[0]
    assert seen.logits @ found == pytest.approx(seen.logits @ free, abs=0.3)


@pytest.mark.parametrize("seed", range(6))
def test_weights_are_those_of_a_general_solver(seed: int) -> None:
    """Held against L-BFGS-B of scipy with bounds, on members some of which say nonsense."""
    rng = np.random.default_rng(seed)
    seen = pool(3_000, tuple(rng.choice([-0.5, 0.0, 0.4, 1.0, 1.5], 5)), seed)

    def loss(beta):
        z = seen.logits @ beta
        fit = np.logaddexp(0.0, z).sum() - seen.up @ z
        return fit + 0.5 * PULL * ((beta - 0.2) ** 2).sum()

    expected = minimize(
        loss, np.full(5, 0.2), method="L-BFGS-B", bounds=[(0.0, None)] * 5,
        options={"ftol": 1e-14, "gtol": 1e-9},
    ).x  # fmt: skip
    found = stack_weights(seen.logits, seen.up, seen.weight)
    assert found == pytest.approx(expected, abs=2e-3)
    assert loss(found) <= loss(expected) + 1e-6


def test_weights_are_never_negative() -> None:
    """A member that says the opposite is left out, not turned round."""
    seen = pool(20_000, (0.5, -0.5))  # free weights would be 1.5 and −0.5
    weights = stack_weights(seen.logits, seen.up, seen.weight)
    assert weights[0] > 1.5
    assert weights[1] == 0.0


def test_few_labels_get_the_mean() -> None:
    """However much better a stack would be: 9,999 effective labels are too few."""
    seen = pool(12_000, (1.0, 0.0))
    few = Pool(
        logits=seen.logits, up=seen.up, weight=np.full(12_000, 9_999 / 12_000), t0=seen.t0,
        t1=seen.t1, edges=seen.edges,
    )  # fmt: skip
    assert earned_stack(few, HOUR_NS) is None
    assert earned_stack(pool(12_000, (1.0,)), HOUR_NS) is None


def test_a_stack_that_is_better_everywhere_is_earned() -> None:
    """One member knows, the other one guesses: the weights and the forward losses show it."""
    seen = pool(36_000, (1.0, 0.0))
    stack = earned_stack(seen, HOUR_NS)
    assert stack is not None
    assert stack.weights[0] == pytest.approx(1.0, abs=0.1)
    assert stack.weights[1] < 0.05
    mean = seen.logits.mean(axis=1)
    assert stack.logits[:12_000] == pytest.approx(mean[:12_000])  # nothing was known before
    assert not np.allclose(stack.logits[12_000:], mean[12_000:])
    losses = [log_losses(1 / (1 + np.exp(-z)), seen.up).mean() for z in (stack.logits, mean)]
    assert losses[0] < losses[1]


def test_equal_members_keep_the_mean() -> None:
    """Calibrated and alike, there is nothing to learn; in 20 markets hardly one stack is earned."""
    earned = [earned_stack(pool(12_000, (1.0, 1.0), seed), HOUR_NS) for seed in range(20)]
    assert sum(each is not None for each in earned) <= 1


def test_the_future_has_no_part_in_forward_weights() -> None:
    """Other outcomes in the last fold leave what was said before it as it was."""
    seen = pool(36_000, (1.0, 0.0))
    up = seen.up.copy()
    up[24_000:] = np.random.default_rng(5).permutation(up[24_000:])
    other = earned_stack(
        Pool(logits=seen.logits, up=up, weight=seen.weight, t0=seen.t0, t1=seen.t1,
             edges=seen.edges), HOUR_NS,
    )  # fmt: skip
    first = earned_stack(seen, HOUR_NS)
    assert first is not None
    if other is not None:
        assert np.array_equal(first.logits[:24_000], other.logits[:24_000])


@pytest.mark.parametrize(("groups", "tested"), [(4, 2), (6, 2), (5, 3)])
def test_every_path_tests_every_row_once(groups: int, tested: int) -> None:
    """ML-028: as many paths as the formula says, and no forecast is used twice."""
    t0 = np.arange(60, dtype=np.int64) * HOUR_NS
    folds = combinatorial(t0, t0, 0, groups, tested)
    parts = [100.0 * number + np.zeros(len(fold.test)) for number, fold in enumerate(folds)]
    paths = along_paths(folds, parts, 60)
    assert paths.shape == (path_count(groups, tested), 60)
    for row in range(60):
        said = sorted(100.0 * n for n, fold in enumerate(folds) if row in fold.test)
        assert sorted(paths[:, row]) == said


def test_ranking_by_the_distribution_of_paths() -> None:
    """By hand: losses of ln 2 for a coin; equal means, and the one that varies less is first."""
    up = np.array([1.0, 0.0])
    chances = np.array([[0.5, 0.5], [0.9, 0.1]])
    losses = path_losses(chances, up, np.array([3.0, 1.0]))
    assert losses == pytest.approx([np.log(2), -np.log(0.9)])
    steady, shaky = np.array([0.69, 0.69, 0.69]), np.array([0.60, 0.69, 0.78])
    assert ranking_loss(steady) == pytest.approx(0.69)
    assert ranking_loss(shaky) == pytest.approx(0.69 + 0.09)
    assert is_better_on_all(steady - 0.01, steady)
    assert not is_better_on_all(shaky, steady)


def test_a_split_that_leaves_rows_out_is_no_set_of_paths() -> None:
    """It would compare histories of different lengths."""
    folds = (Fold(np.array([1]), np.array([0])),)
    with pytest.raises(Exception, match="every path tests every row once"):
        along_paths(folds, [np.zeros(1)], 2)
