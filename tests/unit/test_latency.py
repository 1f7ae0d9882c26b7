"""Latency histograms against numpy's percentiles and hand-made samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from plan2.foundation import latency as latency_module
from plan2.foundation.errors import InvariantBroken
from plan2.foundation.latency import STAGES, Latency, LatencyHistogram
from plan2.foundation.metrics import Metrics

PRECISION = 1 / 32
"""A bucket is at most this fraction of its lower end wide."""


def filled(samples: list[int]) -> LatencyHistogram:
    """A histogram with these durations, nanoseconds."""
    histogram = LatencyHistogram("decision")
    for sample in samples:
        histogram.record_ns(sample)
    return histogram


@given(st.lists(st.integers(0, 2**52), min_size=1, max_size=500))
def test_percentiles_are_those_of_the_samples(samples: list[int]) -> None:
    """Never below numpy's (inverted CDF) and at most one bucket above."""
    seen = filled(samples).snapshot()

    for shown_us, percent in ((seen.p50_us, 50), (seen.p95_us, 95), (seen.p99_us, 99)):
        exact_us = float(np.percentile(samples, percent, method="inverted_cdf")) / 1e3
        assert exact_us * (1 - 1e-12) <= shown_us <= exact_us * (1 + PRECISION) + 1e-9
    assert seen.max_us == max(samples) / 1e3
    assert seen.count == len(samples)


@given(st.lists(st.integers(0, 2**52), min_size=1, max_size=200))
def test_buckets_count_the_samples_between_their_bounds(samples: list[int]) -> None:
    """Each bucket has what lies below its bound and not below the previous one."""
    below_us = 0.0
    for bucket in filled(samples).snapshot().buckets:
        expected = sum(below_us <= sample / 1e3 < bucket.le_us for sample in samples)
        assert bucket.count == expected
        below_us = bucket.le_us
    assert max(samples) / 1e3 < below_us


def test_nothing_recorded_is_all_zero() -> None:
    """An idle stage has no percentiles and no buckets."""
    seen = LatencyHistogram("decision").snapshot()

    assert (seen.count, seen.p50_us, seen.p99_us, seen.max_us, seen.buckets) == (0, 0, 0, 0, [])


def test_a_negative_duration_counts_as_zero() -> None:
    """A clock that misbehaves cannot corrupt the counts."""
    seen = filled([-5, -(2**40), 3]).snapshot()

    assert (seen.count, seen.p50_us, seen.max_us) == (3, 0.0, 0.003)


def test_folding_between_records_changes_nothing() -> None:
    """Snapshots accumulate over folds."""
    histogram = filled([100, 200])
    histogram.fold()
    histogram.record_ns(300)

    assert histogram.snapshot().count == 3
    assert histogram.snapshot().count == 3


def test_an_overflow_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples beyond the buffer are forgotten, and that is visible."""
    monkeypatch.setattr(latency_module, "BUFFER_MAX", 4)
    histogram = filled([1, 2, 3, 4, 5])

    assert histogram.snapshot().count == 4
    assert histogram.overflows == 1


def test_the_board_has_the_stages_of_the_path_and_no_others() -> None:
    """A misspelt stage is a fault, not a new one."""
    board = Latency()
    board.stage("decision").record_ns(1_000)

    assert [stage.stage for stage in board.snapshot()] == list(STAGES)
    assert board.snapshot()[STAGES.index("decision")].count == 1
    with pytest.raises(InvariantBroken, match="decison"):
        board.stage("decison")


def test_prometheus_sees_cumulative_buckets_in_seconds() -> None:
    """300 ns, 1 us and 100 s: parsed back by Prometheus' own reader."""
    board = Latency()
    for sample in (300, 1_000, 100 * 10**9):
        board.stage("decision").record_ns(sample)

    families = text_string_to_metric_families(Metrics(board).render().decode())
    (family,) = [each for each in families if each.name == "plan2_stage_latency_seconds"]
    found = [each for each in family.samples if each.labels["stage"] == "decision"]
    buckets = {each.labels["le"]: each.value for each in found if "le" in each.labels}
    totals = {each.name.rpartition("_")[2]: each.value for each in found if "le" not in each.labels}

    assert buckets["2.56e-07"] == 0
    assert buckets["5.12e-07"] == 1
    assert buckets["1.024e-06"] == 2
    assert buckets["17.179869184"] == 2
    assert buckets["+Inf"] == 3
    assert totals == {"count": 3, "sum": pytest.approx(100.0000013)}
