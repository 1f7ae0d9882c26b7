"""No split lets a training label meet a tested one, whatever the labels look like."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_fixtures import request

from plan2.foundation.errors import InvariantBroken
from plan2.intelligence.training.splits import (
    combinatorial,
    path_count,
    purged,
    purged_k_fold,
    walk_forward,
)

SPLITTERS = (
    walk_forward,
    lambda t0, t1, e: purged_k_fold(t0, t1, e, 4),
    lambda t0, t1, e: combinatorial(t0, t1, e, 5, 2),
)


@st.composite
def events(draw):
    """Sorted starts and arbitrary ends, from instant to very long."""
    count = draw(st.integers(10, 60))
    starts = draw(st.lists(st.integers(0, 500), min_size=count, max_size=count))
    lengths = draw(st.lists(st.integers(0, 200), min_size=count, max_size=count))
    t0 = np.sort(np.array(starts, np.int64))
    return t0, t0 + np.array(lengths, np.int64)


@pytest.mark.parametrize("split", SPLITTERS, ids=["walk_forward", "k_fold", "combinatorial"])
@given(labels=events(), embargo=st.integers(0, 100))
def test_no_training_label_meets_a_tested_label_or_its_embargo(split, labels, embargo):
    """Checked pair by pair: [t0, t1] against [t0, t1 + embargo] of every test row."""
    t0, t1 = labels
    for fold in split(t0, t1, embargo):
        a0, a1 = t0[fold.train][:, None], t1[fold.train][:, None]
        b0, b1 = t0[fold.test][None, :], t1[fold.test][None, :]
        assert not np.any((a0 <= b1 + embargo) & (b0 <= a1))


@given(labels=events(), embargo=st.integers(0, 100))
def test_purging_drops_nothing_else(labels, embargo):
    """Every row that meets no test row is kept."""
    t0, t1 = labels
    test = np.arange(len(t0) // 3, len(t0) // 2)
    kept = purged(t0, t1, test, embargo)
    meets = [any(t0[i] <= t1[j] + embargo and t0[j] <= t1[i] for j in test) for i in range(len(t0))]

    assert kept.tolist() == [not met for met in meets]


@given(labels=events())
def test_walk_forward_trains_on_the_past_only(labels):
    """The last training label is resolved before the first test event."""
    t0, t1 = labels
    for fold in walk_forward(t0, t1, 0):
        if len(fold.train) and len(fold.test):
            assert t1[fold.train].max() < t0[fold.test].min()


@given(labels=events())
def test_walk_forward_tests_the_rest_once_and_in_order(labels):
    """Together the folds test the last 60 % of the rows, each once."""
    t0, t1 = labels
    tested = np.concatenate([fold.test for fold in walk_forward(t0, t1, 0)])

    assert tested.tolist() == list(range(round(0.4 * len(t0)), len(t0)))


@given(labels=events())
def test_k_fold_tests_every_row_once(labels):
    """The folds' test rows are a partition."""
    t0, t1 = labels
    tested = np.concatenate([fold.test for fold in purged_k_fold(t0, t1, 0, 5)])

    assert sorted(tested.tolist()) == list(range(len(t0)))


@pytest.mark.parametrize(("groups", "tested"), [(5, 2), (6, 2), (6, 3)])
def test_combinatorial_paths_test_every_row_once_each(groups, tested):
    """C(N, k) folds make C(N, k)·k/N paths; a row is tested once in each."""
    t0 = np.arange(60, dtype=np.int64) * 10
    folds = combinatorial(t0, t0 + 5, 0, groups, tested)
    times = np.bincount(np.concatenate([fold.test for fold in folds]), minlength=60)

    assert len(folds) == comb(groups, tested)
    assert path_count(groups, tested) == comb(groups, tested) * tested // groups
    assert set(times.tolist()) == {path_count(groups, tested)}


@pytest.mark.parametrize(("groups", "tested"), [(5, 2), (6, 2), (6, 3)])
def test_every_path_tests_every_row_once(groups, tested):
    """ML-028: the j-th fold that tests a stretch gives it to the j-th path."""
    t0 = np.arange(60, dtype=np.int64) * 10
    paths = [[] for _ in range(path_count(groups, tested))]
    for stretch in np.array_split(np.arange(60), groups):
        folds = combinatorial(t0, t0 + 5, 0, groups, tested)
        holders = [fold for fold in folds if np.isin(stretch, fold.test).all()]
        for path, _ in zip(paths, holders, strict=True):
            path.extend(stretch.tolist())

    assert all(sorted(path) == list(range(60)) for path in paths)


@pytest.mark.parametrize("horizon", [1, 120, 100_000])
@pytest.mark.parametrize("period", [1, 60, 3_600])
def test_the_embargo_of_a_request_covers_horizon_and_memory(horizon, period):
    """ML-027: it is the longer of one horizon and what the features remember."""
    asked = request(horizon_minutes=horizon, bar_period_s=period)
    memory_s = asked.plan().warmup_bars * period

    assert asked.embargo_s() == max(horizon * 60, memory_s)


def test_an_embargo_cannot_be_negative():
    """It would undo the purge."""
    t0 = np.arange(10, dtype=np.int64)
    with pytest.raises(InvariantBroken, match="embargo"):
        purged_k_fold(t0, t0, -1)


def test_events_out_of_order_are_refused():
    """A split by position would not be a split by time."""
    with pytest.raises(InvariantBroken, match="order"):
        walk_forward(np.array([5, 1, 9]), np.array([6, 2, 10]), 0)
