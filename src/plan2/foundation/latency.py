"""Latency per stage of the tick's way, always on: recording costs less than a Python call.

`record_ns` is the append of a bounded buffer, nothing else. A fold, ten times a second, moves the
buffer into log-linear buckets (32 per power of two, so a percentile is at most 3.2 % too high).
All of it belongs to one thread, the event loop's.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
import numpy as np
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from plan2.foundation.errors import require
from plan2.foundation.values import Int64Array

SUB_BITS: Final = 5
SUBS: Final = 1 << SUB_BITS
"""Buckets per power of two; durations below 32 ns have one bucket each."""
BUCKETS: Final = (64 - SUB_BITS) * SUBS
BUFFER_MAX: Final = 32_768
"""Samples between two folds; beyond it the oldest are forgotten and `overflows` counts that."""
EXPORT_ROWS: Final = range(3, 30)
"""Prometheus bounds: 256 ns to 17 s, one per power of two."""

STAGES: Final = (
    "quality",
    "features",
    "forecast",
    "decision",
    "journal",
    "tick_to_decision",
    "decision_to_terminal",
    "publish",
)
"""The stages of the tick's and the order's way that are measured."""


class Bucket(msgspec.Struct, frozen=True):
    """How many samples were below `le_us` microseconds but in no bucket before this one."""

    le_us: float
    count: int


class StageLatency(msgspec.Struct, frozen=True):
    """One stage since the start of the process; microseconds, zeros when nothing was recorded."""

    stage: str
    count: int
    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float
    buckets: list[Bucket]


class LatencyHistogram:
    """The durations of one stage.

    Attributes:
        record_ns: call it with a duration in nanoseconds; the append of the buffer itself, because
            a Python function around it would cost three times as much.
        overflows: folds that found the buffer full, so that samples may be missing.
    """

    __slots__ = ("_buffer", "_counts", "_max_ns", "_sum_ns", "overflows", "record_ns", "stage")

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.overflows = 0
        self._buffer: deque[int] = deque(maxlen=BUFFER_MAX)
        self.record_ns: Callable[[int], None] = self._buffer.append
        self._counts: Int64Array = np.zeros(BUCKETS, dtype=np.int64)
        self._sum_ns = 0
        self._max_ns = 0

    def fold(self) -> None:
        """Move the buffered samples into the buckets; a negative duration counts as zero."""
        if not self._buffer:
            return
        self.overflows += len(self._buffer) == BUFFER_MAX
        samples: Int64Array = np.array(self._buffer, dtype=np.int64)
        self._buffer.clear()
        np.maximum(samples, 0, out=samples)
        self._counts += np.bincount(_bucket_of(samples), minlength=BUCKETS)
        self._sum_ns += int(samples.sum())
        self._max_ns = max(self._max_ns, int(samples.max()))

    def snapshot(self) -> StageLatency:
        """Count, percentiles and power-of-two buckets of everything recorded so far."""
        self.fold()
        cumulative = np.cumsum(self._counts)
        p50, p95, p99 = (self._quantile_us(cumulative, q) for q in (0.50, 0.95, 0.99))
        return StageLatency(
            stage=self.stage,
            count=int(cumulative[-1]),
            p50_us=p50,
            p95_us=p95,
            p99_us=p99,
            max_us=self._max_ns / 1e3,
            buckets=self._octaves(),
        )

    def export(self) -> tuple[list[tuple[str, float]], float]:
        """Prometheus buckets (bound in seconds, samples below it) and the sum in seconds."""
        self.fold()
        cumulative = np.cumsum(self._per_octave()).tolist()
        bounds = [(repr(_bound_ns(row) / 1e9), float(cumulative[row])) for row in EXPORT_ROWS]
        return [*bounds, ("+Inf", float(cumulative[-1]))], self._sum_ns / 1e9

    def _quantile_us(self, cumulative: Int64Array, quantile: float) -> float:
        total = int(cumulative[-1])
        if total == 0:
            return 0.0
        bucket = int(np.searchsorted(cumulative, quantile * total, side="left"))
        return min(_highest_ns(bucket), self._max_ns) / 1e3

    def _per_octave(self) -> Int64Array:
        """Samples per power of two; row k holds those below `_bound_ns(k)`."""
        rows: Int64Array = self._counts.reshape(-1, SUBS).sum(axis=1)
        return rows

    def _octaves(self) -> list[Bucket]:
        rows = self._per_octave()
        used = np.flatnonzero(rows).tolist()
        if not used:
            return []
        counts = rows.tolist()
        return [Bucket(_bound_ns(row) / 1e3, counts[row]) for row in range(used[0], used[-1] + 1)]


class Latency(Collector):
    """The board of all stages; a Prometheus collector of `plan2_stage_latency_seconds`."""

    def __init__(self, stages: Iterable[str] = STAGES) -> None:
        self._stages = {stage: LatencyHistogram(stage) for stage in stages}

    def stage(self, name: str) -> LatencyHistogram:
        """The histogram of a stage; keep its `record_ns` in a local name on the hot path.

        Raises:
            InvariantBroken: no such stage.
        """
        found = self._stages.get(name)
        require(found is not None, f"latency stage {name!r} is not one of {list(self._stages)}")
        return self._stages[name]

    def fold(self) -> None:
        """Fold every stage; the loop monitor calls it ten times a second."""
        for histogram in self._stages.values():
            histogram.fold()

    def snapshot(self) -> list[StageLatency]:
        """Every stage, in the order of the tick's way."""
        return [histogram.snapshot() for histogram in self._stages.values()]

    def collect(self) -> Iterable[Metric]:
        """The histograms as Prometheus metrics."""
        seconds = HistogramMetricFamily(
            "plan2_stage_latency_seconds", "Time spent in a stage.", labels=["stage"]
        )
        overflows = CounterMetricFamily(
            "plan2_stage_latency_overflows", "Folds that may have lost samples.", labels=["stage"]
        )
        for name, histogram in self._stages.items():
            buckets, total_s = histogram.export()
            seconds.add_metric([name], buckets=buckets, sum_value=total_s)
            overflows.add_metric([name], histogram.overflows)
        return [seconds, overflows]


def _bucket_of(samples: Int64Array) -> Int64Array:
    """The bucket of each non-negative sample: its own value below 32, else octave and top bits."""
    exponents = np.frexp(samples.astype(np.float64))[1].astype(np.int64)
    # Above 2**53 ns (104 days) a float may round up to the next power of two: one bucket off.
    shift = np.maximum(exponents - 1 - SUB_BITS, 0)
    buckets: Int64Array = (shift << SUB_BITS) + (samples >> shift)
    return buckets


def _bound_ns(row: int) -> int:
    """The duration that ends a power-of-two row: 32, 64, 128 … nanoseconds."""
    return SUBS << row


def _highest_ns(bucket: int) -> int:
    """The largest duration that falls into a bucket, nanoseconds."""
    shift = max((bucket >> SUB_BITS) - 1, 0)
    return ((bucket - (shift << SUB_BITS) + 1) << shift) - 1
