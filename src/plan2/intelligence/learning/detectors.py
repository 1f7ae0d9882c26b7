"""Detectors of a worse hit rate; each is fed at most one event per horizon and symbol.

`error` is 1.0 for a wrong forecast and 0.0 for a right one. All of them are O(1) per event (ADWIN
O(log n)) and start again at zero after an alarm was dealt with.
"""

import math
from collections import deque

CUSUM_SLACK = 0.05
CUSUM_LIMIT = 16.0
ADWIN_DELTA = 0.05
ADWIN_CLOCK = 32
ADWIN_ROW = 5
PAGE_HINKLEY_SLACK = 0.05
PAGE_HINKLEY_LIMIT = 16.0
PAGE_HINKLEY_LEAST = 30


class Cusum:
    """One-sided CUSUM of error above the validated one (Page 1954): alarm when it exceeds 16.

    S ← max(0, S + error − reference − k) with k = 0.05: half of the ten points that must be found.
    """

    def __init__(
        self, reference: float, slack: float = CUSUM_SLACK, limit: float = CUSUM_LIMIT
    ) -> None:
        self.statistic = 0.0
        self.limit = limit
        self._step = reference + slack

    def update(self, error: float) -> bool:
        """Take one event; whether the alarm is on."""
        self.statistic = max(0.0, self.statistic + error - self._step)
        return self.statistic > self.limit


class PageHinkley:
    """Rise of the mean error over its own running mean (Page–Hinkley): needs no validated error."""

    def __init__(
        self, slack: float = PAGE_HINKLEY_SLACK, limit: float = PAGE_HINKLEY_LIMIT
    ) -> None:
        self.limit = limit
        self._slack = slack
        self._count = 0
        self._mean = self._sum = self._least = 0.0

    @property
    def statistic(self) -> float:
        """How far the cumulated deviation stands above its lowest point."""
        return self._sum - self._least

    def update(self, error: float) -> bool:
        """Take one event; whether the alarm is on."""
        self._count += 1
        self._mean += (error - self._mean) / self._count
        self._sum += error - self._mean - self._slack
        self._least = min(self._least, self._sum)
        return self._count >= PAGE_HINKLEY_LEAST and self.statistic > self.limit


class Adwin:
    """Adaptive window (Bifet and Gavaldà 2007): drops its old part when both halves differ.

    Exponential histogram with at most five buckets of each size; cuts are looked at every 32
    events, with the bound of the paper's implementation (Hoeffding–Bernstein, δ/ln n). For a mean
    that only matters when it rises, an alarm is a cut after which the error is higher.
    """

    def __init__(self, delta: float = ADWIN_DELTA) -> None:
        self.limit = delta
        self._delta = delta
        self._rows: list[deque[tuple[float, float]]] = [deque()]  # (sum, spread), newest first
        self._count = 0
        self._total = 0
        self._sum = self._spread = 0.0

    @property
    def width(self) -> int:
        """Events in the window."""
        return self._count

    @property
    def statistic(self) -> float:
        """Mean error of the window."""
        return self._sum / self._count if self._count else 0.0

    def update(self, error: float) -> bool:
        """Take one event; whether the error rose."""
        self._total += 1
        self._insert(error)
        return self._total % ADWIN_CLOCK == 0 and self._shrink()

    def _insert(self, error: float) -> None:
        if self._count:
            mean = self._sum / self._count
            self._spread += self._count * (error - mean) ** 2 / (self._count + 1)
        self._count += 1
        self._sum += error
        self._rows[0].appendleft((error, 0.0))
        self._compress()

    def _compress(self) -> None:
        for level, row in enumerate(self._rows):
            if len(row) <= ADWIN_ROW:
                return
            if level + 1 == len(self._rows):
                self._rows.append(deque())
            (older_sum, older_spread), (newer_sum, newer_spread) = row.pop(), row.pop()
            size = 1 << level
            gap = (older_sum - newer_sum) / size
            spread = older_spread + newer_spread + size * gap * gap / 2.0
            self._rows[level + 1].appendleft((older_sum + newer_sum, spread))

    def _shrink(self) -> bool:
        """Drop the oldest bucket while a cut separates two different means."""
        rose = False
        while (cut := self._cut()) is not None:
            rose = rose or cut
            self._drop_oldest()
        return rose

    def _cut(self) -> bool | None:
        """Whether the newer part is worse at the first cut that counts; None without one."""
        old_count, old_sum = 0, 0.0
        for level in range(len(self._rows) - 1, -1, -1):
            for bucket_sum, _ in reversed(self._rows[level]):
                old_count += 1 << level
                old_sum += bucket_sum
                new_count = self._count - old_count
                if new_count < ADWIN_ROW:
                    return None
                if old_count < ADWIN_ROW:
                    continue
                difference = (self._sum - old_sum) / new_count - old_sum / old_count
                if abs(difference) > self._bound(old_count, new_count):
                    return difference > 0.0
        return None

    def _bound(self, old_count: int, new_count: int) -> float:
        inverse = 1.0 / old_count + 1.0 / new_count
        logs = math.log(2.0 * math.log(self._count) / self._delta)
        variance = self._spread / self._count
        return math.sqrt(2.0 * inverse * variance * logs) + 2.0 / 3.0 * inverse * logs

    def _drop_oldest(self) -> None:
        level = len(self._rows) - 1
        bucket_sum, bucket_spread = self._rows[level].pop()
        size = 1 << level
        self._count -= size
        self._sum -= bucket_sum
        mean, rest = bucket_sum / size, self._sum / self._count
        self._spread -= bucket_spread + size * self._count * (mean - rest) ** 2 / (
            size + self._count
        )
        self._spread = max(0.0, self._spread)
        while len(self._rows) > 1 and not self._rows[-1]:
            self._rows.pop()
