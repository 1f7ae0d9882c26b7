"""Event sampling and label weights against hand arithmetic and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.training.sampling import CusumSampler
from plan2.intelligence.training.weights import time_decay, uniqueness


def sampled(moves, threshold=3.0, resets=()):
    """Which bars are events when sigma is one."""
    mid = np.concatenate([[100.0], 100.0 + np.cumsum(moves)])
    is_reset = np.isin(np.arange(len(mid)), list(resets))
    return CusumSampler(threshold).sample(mid, np.ones(len(mid)), is_reset).tolist()


def test_an_event_happens_when_the_moves_add_up_and_the_sums_start_again():
    """1 + 2 reaches 3; then 3 more are needed."""
    assert sampled([1, 2, 2, 0.5, 0.5]) == [False, False, True, False, False, True]


def test_a_fall_back_below_zero_does_not_count_against_later_rises():
    """The upward sum never goes below zero, so +3 right after -2 is an event."""
    assert sampled([-2, 3]) == [False, False, True]


def test_a_gap_forgets_what_was_added_up():
    """The move across the gap itself does not count either."""
    assert sampled([2, 2, 2], resets=[2]) == [False, False, False, False]


def test_bars_without_sigma_are_never_events():
    """NaN stands for a warm-up that is not over."""
    mid = np.array([1.0, 5.0, 9.0])
    events = CusumSampler(1.0).sample(mid, np.full(3, np.nan), np.zeros(3, np.bool_))

    assert not events.any()


@given(st.integers(1, 399), st.integers(0, 2**32 - 1))
def test_one_history_and_its_pieces_give_the_same_events(cut, seed):
    """The sums are carried over."""
    mid = 1.0 + np.cumsum(np.random.default_rng(seed).normal(size=400))
    sigma, never = np.ones(400), np.zeros(400, np.bool_)
    pieces = CusumSampler(2.0)
    parts = [pieces.sample(mid[p], sigma[p], never[p]) for p in (slice(cut), slice(cut, None))]

    assert np.array_equal(np.concatenate(parts), CusumSampler(2.0).sample(mid, sigma, never))


def test_events_that_never_overlap_are_unique():
    """Each weighs one."""
    assert uniqueness(np.array([0, 10, 20]), np.array([10, 20, 30])).tolist() == [1.0, 1.0, 1.0]


def test_identical_events_share_one():
    """Four of them weigh a quarter each."""
    assert uniqueness(np.zeros(4, np.int64), np.full(4, 100)) == pytest.approx([0.25] * 4)


def test_half_overlap_by_hand():
    """[0, 10] and [5, 15]: alone for half, shared for half, so 0.5 + 0.25 each."""
    assert uniqueness(np.array([0, 5]), np.array([10, 15])) == pytest.approx([0.75, 0.75])


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), min_size=1, max_size=30))
def test_uniqueness_equals_a_count_at_every_instant(spans):
    """Brute force over unit steps; the effective number never exceeds the number."""
    t0 = np.array([start for start, _ in spans])
    t1 = t0 + np.array([length for _, length in spans])
    alive = np.array([np.sum((t0 <= step) & (step < t1)) for step in range(91)])
    expected = [np.mean(1.0 / alive[a:b]) for a, b in zip(t0, t1, strict=True)]

    found = uniqueness(t0.astype(np.int64), t1.astype(np.int64))
    assert found == pytest.approx(expected)
    assert found.sum() <= len(spans) + 1e-9


def test_no_events_have_no_weights():
    """Empty in, empty out."""
    nothing = np.empty(0, np.int64)

    assert len(uniqueness(nothing, nothing)) == 0
    assert len(time_decay(nothing, 10.0)) == 0


def test_decay_halves_with_the_half_life_and_may_be_switched_off():
    """Ten days old at a half-life of ten days: one half; infinite: uniform."""
    t0 = np.array([0, 10 * NS_PER_DAY])

    assert time_decay(t0, 10.0) == pytest.approx([0.5, 1.0])
    assert time_decay(t0, np.inf).tolist() == [1.0, 1.0]
