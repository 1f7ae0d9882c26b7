"""Rows of the benchmark table: a figure, what it is measured against, and the limit."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from plan2.foundation.clock import stopwatch_ns


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line; durations in microseconds. `ratio` compares with `peer` inside the same run."""

    what: str
    p50_us: float | None = None
    p99_us: float | None = None
    worst_us: float | None = None
    per_second: float | None = None
    peer: str = ""
    ratio: float | None = None
    limit: str = ""
    holds: bool | None = None


def percentiles(durations_ns: Sequence[int]) -> tuple[float, float, float]:
    """p50, p99 and the worst, in microseconds."""
    values = np.asarray(durations_ns, dtype=np.float64) / 1000.0
    p50, p99 = np.percentile(values, [50.0, 99.0])
    return round(float(p50), 2), round(float(p99), 2), round(float(values.max()), 2)


def timed(work: Callable[[int], object], calls: int) -> list[int]:
    """Nanoseconds of each call of `work(n)`."""
    durations = [0] * calls
    for number in range(calls):
        started = stopwatch_ns()
        work(number)
        durations[number] = stopwatch_ns() - started
    return durations


def text_of(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    head = (
        f"{'what':<44}{'p50 µs':>10}{'p99 µs':>10}{'worst µs':>11}{'per s':>11}{'ratio':>8}  limit"
    )
    lines = [head, "-" * len(head)]
    for row in rows:
        figures = (
            f"{_number(row.p50_us):>10}{_number(row.p99_us):>10}{_number(row.worst_us):>11}"
            f"{_number(row.per_second, 0):>11}{_number(row.ratio):>8}"
        )
        mark = "" if row.holds is None else (" ok" if row.holds else " MISSED")
        lines.append(f"{row.what:<44}{figures}  {row.limit}{mark}")
        if row.peer:
            lines.append(f"    beside: {row.peer}")
    return "\n".join(lines)


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
