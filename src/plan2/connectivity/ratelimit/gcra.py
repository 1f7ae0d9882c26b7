"""Rate limiting by GCRA, the generic cell rate algorithm (ITU-T I.371): one integer per key.

A meter keeps the instant at which it is full again (the "theoretical arrival time"). A request
moves it on by one interval; it may never lie further ahead than the whole burst. That is a token
bucket of `burst` tokens, without anything that has to be refilled. Integers only; the time comes
in with every call, monotonic nanoseconds. A meter whose instant has passed is as good as a new one,
so forgetting it loses nothing.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final

import msgspec

from plan2.foundation.errors import require
from plan2.foundation.values import NS_PER_SECOND

PERMILLE: Final = 1_000
SWEEP_STEP: Final = 64
"""Meters that are looked at whenever a new one is made."""
GRACE_NS: Final = NS_PER_SECOND
"""A meter is forgotten this long after it was full again: not while a request still holds it."""


class Rate(msgspec.Struct, frozen=True):
    """One request per `interval_ns` in the long run, and `burst` of them at once; both at least 1.

    `name` is what a refusal calls it.
    """

    name: str
    interval_ns: int
    burst: int

    @property
    def span_ns(self) -> int:
        """How long a spent meter takes until it is full again."""
        return self.interval_ns * self.burst


def rate_of(name: str, count: float, period_s: float, burst: int) -> Rate:
    """A rate of `count` per `period_s` seconds; never a nanosecond faster.

    Raises:
        InvariantBroken: a count, period or burst that is not above zero.
    """
    require(count > 0 and period_s > 0 and burst > 0, f"rate {name}: {count} in {period_s} s")
    interval_ns = -int(-period_s * NS_PER_SECOND // count)
    return Rate(name, max(interval_ns, 1), burst)


class Meter:
    """What one key has used of one rate.

    Attributes:
        full_ns: when nothing counts any more; a meter that was never charged is full already.
    """

    __slots__ = ("full_ns", "rate")

    def __init__(self, rate: Rate, now_ns: int) -> None:
        self.rate = rate
        self.full_ns = now_ns

    def change(self, rate: Rate, now_ns: int) -> None:
        """Go on with another rate; as many requests as before count against it."""
        ahead_ns = max(self.full_ns - now_ns, 0)
        self.full_ns = now_ns + ahead_ns * rate.interval_ns // self.rate.interval_ns
        self.rate = rate

    def wait_ns(self, now_ns: int, permille: int = PERMILLE) -> int:
        """How long until a request that weighs `permille` thousandths fits; 0 = now.

        A request that weighs more than the whole burst fits into a full meter.
        """
        rate = self.rate
        weight_ns = rate.interval_ns * permille // PERMILLE
        room_ns = max(rate.span_ns - weight_ns, 0)
        return max(self.full_ns - room_ns - now_ns, 0)

    def remaining(self, now_ns: int) -> int:
        """How many requests would fit now."""
        ahead_ns = max(self.full_ns - now_ns, 0)
        return max((self.rate.span_ns - ahead_ns) // self.rate.interval_ns, 0)

    def used(self, now_ns: int) -> int:
        """How many requests still count against the burst."""
        return self.rate.burst - self.remaining(now_ns)


class Refused(msgspec.Struct, frozen=True):
    """The limit that said no, and when to come again."""

    limit: str
    burst: int
    remaining: int
    wait_ns: int


def charge(meters: Sequence[Meter], now_ns: int, permille: int = PERMILLE) -> Refused | None:
    """Charge a request to every meter, or, when one has no room, to none.

    Args:
        meters: all that the request counts against.
        now_ns: monotonic nanoseconds.
        permille: what the request weighs; 1000 is one request.

    Returns:
        None when it was charged, else the meter that has to be waited for longest.
    """
    for meter in meters:
        if meter.full_ns > now_ns and meter.wait_ns(now_ns, permille):
            return _refusal(meters, now_ns, permille)
    for meter in meters:
        begin_ns = max(now_ns, meter.full_ns)
        meter.full_ns = begin_ns + meter.rate.interval_ns * permille // PERMILLE
    return None


def _refusal(meters: Iterable[Meter], now_ns: int, permille: int) -> Refused:
    wait_ns, meter = max(
        ((meter.wait_ns(now_ns, permille), meter) for meter in meters), key=lambda pair: pair[0]
    )
    return Refused(meter.rate.name, meter.rate.burst, meter.remaining(now_ns), wait_ns)


class Meters:
    """The meters of many keys, in bounded memory.

    Idle meters are forgotten little by little, as new keys come. When all `capacity` meters are
    busy, further keys share one meter per rate: strangers with a million addresses get one
    stranger's rate, and nobody's count is forgotten for them.
    """

    def __init__(self, now_ns: Callable[[], int], capacity: int = 50_000) -> None:
        self._now_ns = now_ns
        self._capacity = capacity
        self._meters: dict[Hashable, Meter] = {}
        self._shared: dict[str, Meter] = {}

    def __len__(self) -> int:
        return len(self._meters)

    def meter(self, key: Hashable, rate: Rate) -> Meter:
        """The meter of a key; when its rate has changed, what was used stays used."""
        found = self._meters.get(key)
        if found is None:
            found = self._add(key, rate)
        if found.rate is not rate:
            found.change(rate, self._now_ns())
        return found

    def find(self, key: Hashable) -> Meter | None:
        """The meter of a key that was charged lately."""
        return self._meters.get(key)

    def forget(self, key: Hashable) -> None:
        """Let a key begin with a full meter; one that shares its meter goes on with that."""
        self._meters.pop(key, None)

    def _add(self, key: Hashable, rate: Rate) -> Meter:
        now_ns = self._now_ns()
        self._sweep(now_ns)
        made = Meter(rate, now_ns)
        if len(self._meters) >= self._capacity:
            return self._shared.setdefault(rate.name, made)
        self._meters[key] = made
        return made

    def _sweep(self, now_ns: int) -> None:
        """Look at the oldest few: forget the idle, put the busy to the end."""
        for key in [key for key, _ in zip(self._meters, range(SWEEP_STEP), strict=False)]:
            meter = self._meters.pop(key)
            if meter.full_ns + GRACE_NS > now_ns:
                self._meters[key] = meter
