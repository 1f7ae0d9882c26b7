"""What tenants use of their quotas: counted here, asked from its owner, or measured by a job."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from plan2.connectivity.ratelimit.notices import Notices
from plan2.connectivity.ratelimit.quota import COUNTS, RATES, UNITS, QuotaOf
from plan2.foundation.config.schema import Quota
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND

PERIOD_NS: Final[dict[str, int]] = {
    "requests_per_second": NS_PER_SECOND,
    "orders_per_minute": NS_PER_MINUTE,
}

NAMES: Final[Sequence[str]] = (*RATES, *COUNTS)
HELD_HERE: Final = frozenset({"sockets"})
"""Counts that `hold` and `release` keep; the others are asked from their owners."""

Source = Callable[[str], float | None]
"""How much of something a tenant has now; None when that is not known yet."""


class QuotaUse(msgspec.Struct, frozen=True, kw_only=True):
    """One quota of a tenant; `used` None when it was not measured yet, `refused` since the start.

    Attributes:
        unit: of `used` and `limit`. refused_last_us: UTC, 0 never.
    """

    quota: str
    unit: str
    used: float | None
    limit: float
    refused: int
    refused_last_us: int


class QuotaFull(msgspec.Struct, frozen=True, kw_only=True):
    """A count that is used up: nothing more until something is given back."""

    quota: str
    used: float
    limit: float

    @property
    def message(self) -> str:
        """One sentence for the person."""
        return f"The quota {self.quota} of this tenant is used up: {self.used:g} of {self.limit:g}."


class SlidingCount:
    """How many there were in the last period: the current one, and the part of the one before."""

    __slots__ = ("_before", "_count", "_number", "_period_ns")

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._number = 0
        self._count = 0
        self._before = 0

    def add(self, now_ns: int) -> None:
        """Count one; monotonic nanoseconds."""
        if now_ns // self._period_ns != self._number:
            self._turn(now_ns // self._period_ns)
        self._count += 1

    def value(self, now_ns: int) -> float:
        """The count of the last period, as if the one before had been even."""
        if now_ns // self._period_ns != self._number:
            self._turn(now_ns // self._period_ns)
        left = 1.0 - now_ns % self._period_ns / self._period_ns
        return self._count + self._before * left

    def _turn(self, number: int) -> None:
        self._before = self._count if number == self._number + 1 else 0
        self._count = 0
        self._number = number


class Usage:
    """What every tenant uses, and whether there is room for more.

    Args:
        quota_of: limits. notices: where refusals are told. now_ns: monotonic.
    """

    def __init__(self, quota_of: QuotaOf, notices: Notices, now_ns: Callable[[], int]) -> None:
        self.quota_of = quota_of
        self.notices = notices
        self._now_ns = now_ns
        self._rates: dict[tuple[str, str], SlidingCount] = {}
        self._held: dict[tuple[str, str], int] = {}
        self._sources: dict[str, Source] = {}

    def follow(self, quota: str, source: Source) -> None:
        """Ask `source` how much of a quota is used; part of the wiring."""
        self._sources[quota] = source

    def count(self, tenant_id: str, quota: str, now_ns: int) -> None:
        """Count one request or order; monotonic nanoseconds."""
        found = self._rates.get((tenant_id, quota))
        if found is None:
            found = self._rates[(tenant_id, quota)] = SlidingCount(PERIOD_NS[quota])
        found.add(now_ns)

    def hold(self, tenant_id: str, quota: str) -> QuotaFull | None:
        """Take one of a count (a socket) until `release`; None when it was taken."""
        limit = float(getattr(self.quota_of(tenant_id), quota))
        held = self._held.get((tenant_id, quota), 0)
        if held >= limit:
            return self._full(tenant_id, quota, held, limit)
        self._held[(tenant_id, quota)] = held + 1
        return None

    def release(self, tenant_id: str, quota: str) -> None:
        """Give back what `hold` took."""
        left = self._held[(tenant_id, quota)] - 1
        if left:
            self._held[(tenant_id, quota)] = left
        else:
            del self._held[(tenant_id, quota)]

    def room(self, tenant_id: str, quota: str, more: float = 1.0) -> QuotaFull | None:
        """Whether a tenant may have `more` of something whose owner counts it; None = it may.

        What was never measured has room.
        """
        used = self.used(tenant_id, quota)
        limit = float(getattr(self.quota_of(tenant_id), quota))
        if used is None or used + more <= limit:
            return None
        return self._full(tenant_id, quota, used, limit)

    def used(self, tenant_id: str, quota: str) -> float | None:
        """What a tenant uses of a quota now."""
        if quota in RATES:
            counted = self._rates.get((tenant_id, quota))
            return round(counted.value(self._now_ns()), 1) if counted is not None else 0.0
        source = self._sources.get(quota)
        if source is not None:
            return source(tenant_id)
        return float(self._held.get((tenant_id, quota), 0)) if quota in HELD_HERE else None

    def report(self, tenant_id: str) -> list[QuotaUse]:
        """Every quota of a tenant with its use."""
        quota: Quota = self.quota_of(tenant_id)
        return [self._line(tenant_id, name, float(getattr(quota, name))) for name in NAMES]

    def forget(self, tenant_id: str) -> None:
        """Drop what is known of a tenant that is gone."""
        self.notices.forget(tenant_id)
        for key in [key for key in self._rates if key[0] == tenant_id]:
            del self._rates[key]

    def held(self) -> Mapping[tuple[str, ...], float]:
        """What is held now by quota over all tenants, for a gauge."""
        totals: dict[tuple[str, ...], float] = {}
        for (_, quota), held in self._held.items():
            totals[(quota,)] = totals.get((quota,), 0.0) + held
        return totals

    def _line(self, tenant_id: str, name: str, limit: float) -> QuotaUse:
        refused = self.notices.refused(tenant_id, name)
        return QuotaUse(
            quota=name,
            unit=UNITS.get(name, "1"),
            used=self.used(tenant_id, name),
            limit=limit,
            refused=refused.total,
            refused_last_us=refused.last_ns // 1_000,
        )

    def _full(self, tenant_id: str, quota: str, used: float, limit: float) -> QuotaFull:
        self.notices.refuse(tenant_id, quota, value=used, limit=limit)
        return QuotaFull(quota=quota, used=used, limit=limit)
