"""How strained the process is, and what each class of requests may still use of its limits.

Two figures decide: how late the event loop runs, and how long a tick takes to its decision; each
as a share of what is tolerable, the worse one counts. Analytics go first, trading goes last, and
what lowers risk never goes at all (`route_policy`). A level is entered after two readings in a row
and left, one level at a time, after five that lie clearly below it: a figure around a border does
not make it flap, and nothing that it refuses is needed to measure that the strain is over.
"""

import asyncio
import enum
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from plan2.connectivity.identity.rights import RateClass
from plan2.foundation.clock import Clock
from plan2.foundation.health import Health, Status
from plan2.foundation.latency import Bucket


class Level(enum.IntEnum):
    """How strained the process is."""

    CALM = 0
    BUSY = 1
    STRAINED = 2
    OVERLOADED = 3


FACTORS: Final[dict[RateClass, tuple[float, float, float, float]]] = {
    RateClass.ANALYTICS: (1.0, 0.25, 0.0, 0.0),
    RateClass.ADMINISTRATION: (1.0, 0.5, 0.25, 0.1),
    RateClass.READING: (1.0, 1.0, 0.5, 0.2),
    RateClass.SIGN_IN: (1.0, 1.0, 0.5, 0.25),
    RateClass.TRADING: (1.0, 1.0, 1.0, 0.5),
    RateClass.FREE: (1.0, 1.0, 1.0, 1.0),
}
"""What is left of each class's limits per level; 0 refuses the class."""

ENTER_SCORE: Final = (0.0, 1.0, 2.0, 4.0)
"""Score from which each level may be entered."""
LEAVE_PART: Final = 0.7
"""A level is left below this part of its entry score."""
ENTER_AFTER: Final = 2
LEAVE_AFTER: Final = 5
READ_EVERY_S: Final = 1.0
WINDOW_READINGS: Final = 10
"""Readings over which the recent p99 of decisions is taken."""
FEW: Final = 20
"""With fewer decisions in the window its p99 says nothing."""
RETRY_AFTER_S: Final = 10
"""When somebody who was shed may come again; leaving a level takes five readings."""


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as a score of one; milliseconds. The defaults are those of the configuration."""

    loop_lag_ms: float = 100.0
    decision_ms: float = 25.0


class LoadState(msgspec.Struct, frozen=True, kw_only=True):
    """The load as pages show it; factors by class, `since_us` UTC."""

    level: str
    score: float
    since_us: int
    factors: dict[str, float]


class Load:
    """Turns two latencies into a level, once a second.

    Args:
        loop_lag_ms: recent p90 of how late the loop runs.
        decision_ms: recent p99 of tick to decision; 0.0 when there were none.
        clock: when the level last changed.
    """

    def __init__(
        self,
        loop_lag_ms: Callable[[], float],
        decision_ms: Callable[[], float],
        clock: Clock,
        tolerance: Tolerance | None = None,
    ) -> None:
        self._loop_lag_ms = loop_lag_ms
        self._decision_ms = decision_ms
        self._clock = clock
        self._tolerance = tolerance or Tolerance()
        self._above = 0
        self._below = 0
        self._since_ns = clock.now_ns()
        self.level = Level.CALM
        self.score = 0.0
        self.permille = _permille(Level.CALM)

    async def run(self) -> None:
        """Read once a second until cancelled."""
        while True:
            self.read()
            await asyncio.sleep(READ_EVERY_S)

    def read(self) -> None:
        """Take one reading."""
        tolerance = self._tolerance
        lag = self._loop_lag_ms() / tolerance.loop_lag_ms
        self.score = max(lag, self._decision_ms() / tolerance.decision_ms)
        reached = max(level for level in Level if self.score >= ENTER_SCORE[level])
        self._above = self._above + 1 if reached > self.level else 0
        is_below = self.score < ENTER_SCORE[self.level] * LEAVE_PART
        self._below = self._below + 1 if is_below else 0
        if self._above >= ENTER_AFTER:
            self._change(reached)
        elif self._below >= LEAVE_AFTER:
            self._change(Level(self.level - 1))

    def state(self) -> LoadState:
        """Level, score and factors now."""
        return LoadState(
            level=self.level.name.lower(),
            score=round(self.score, 3),
            since_us=self._since_ns // 1_000,
            factors={str(kind): factors[self.level] for kind, factors in FACTORS.items()},
        )

    def check(self) -> Health:
        """DEGRADED while anything is held back, with what and why; each change is an event."""
        metrics = {"level": float(self.level), "score": round(self.score, 3)}
        if self.level is Level.CALM:
            return Health(Status.OK, "", metrics)
        held = [f"{kind} {f[self.level]:.0%}" for kind, f in FACTORS.items() if f[self.level] < 1]
        text = f"The load is {self.level.name.lower()}; of their limits have {', '.join(held)}."
        return Health(Status.DEGRADED, text, metrics)

    def readings(self) -> Mapping[tuple[str, ...], float]:
        """What is left of each class's limits, for a gauge with the label `class`."""
        return {(str(kind),): factors[self.level] for kind, factors in FACTORS.items()}

    def _change(self, level: Level) -> None:
        self.level = level
        self.permille = _permille(level)
        self._above = self._below = 0
        self._since_ns = self._clock.now_ns()


class RecentP99:
    """The p99 of a histogram's newest samples; the histogram itself counts from the start.

    Args:
        buckets: samples per power of two so far (`LatencyHistogram.snapshot().buckets`).
    """

    def __init__(self, buckets: Callable[[], Sequence[Bucket]]) -> None:
        self._buckets = buckets
        self._past: deque[dict[float, int]] = deque(maxlen=WINDOW_READINGS)

    def __call__(self) -> float:
        """Milliseconds: upper bound of the bucket in which the p99 lies; call it once a second."""
        now = {bucket.le_us: bucket.count for bucket in self._buckets()}
        before = self._past[0] if self._past else now
        self._past.append(now)
        return _p99_us(sorted((le, count - before.get(le, 0)) for le, count in now.items())) / 1e3


def _p99_us(buckets: Iterable[tuple[float, int]]) -> float:
    counted = list(buckets)
    total = sum(count for _, count in counted)
    if total < FEW:
        return 0.0
    seen = 0
    for le_us, count in counted:
        seen += count
        if seen >= 0.99 * total:
            return le_us
    return 0.0


def _permille(level: Level) -> dict[str, int]:
    """What a request of each class weighs at a level, in thousandths; 0 = it is refused."""
    return {
        kind.value: round(1_000 / factors[level]) if factors[level] else 0
        for kind, factors in FACTORS.items()
    }
