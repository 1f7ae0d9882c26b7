"""Facts about refusals: counted always, written down at most once a minute per tenant and quota."""

from collections.abc import Mapping
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import LimitExceeded
from plan2.foundation.values import NS_PER_MINUTE

EVERY_NS: Final = NS_PER_MINUTE


class RefusedSoFar(msgspec.Struct):
    """What one quota of one tenant refused: since the start, and since the last event."""

    total: int = 0
    unwritten: int = 0
    last_ns: int = 0
    written_ns: int = -EVERY_NS
    value: float = 0.0
    limit: float = 0.0
    subject: str = ""


class Notices:
    """Counts refusals and writes `LimitExceeded`.

    Args:
        record: takes the facts. clock: UTC.
        home: the tenant in whose log stands what happened to nobody's requests.
    """

    def __init__(self, record: Record, clock: Clock, home: str) -> None:
        self._record = record
        self._home = home
        self._clock = clock
        self._refused: dict[tuple[str, str], RefusedSoFar] = {}

    def refuse(
        self, tenant_id: str, quota: str, *, value: float, limit: float, subject: str = ""
    ) -> None:
        """Count a refusal; the first of a minute is written down at once."""
        key = (tenant_id, quota)
        found = self._refused.get(key)
        if found is None:
            found = self._refused[key] = RefusedSoFar()
        found.total += 1
        found.unwritten += 1
        found.last_ns = now_ns = self._clock.now_ns()
        found.value, found.limit, found.subject = value, limit, subject
        if now_ns - found.written_ns >= EVERY_NS:
            self._write(key, found)

    def tell(self, tenant_id: str, quota: str, *, value: float, limit: float) -> None:
        """Write down that a quota is exceeded that refuses nothing."""
        now_ns = self._clock.now_ns()
        event = LimitExceeded(
            ts_ns=now_ns, quota=quota, value=value, limit=limit, subject="", refused=0
        )
        self._record(tenant_id, f"tenant:{tenant_id}", event)

    def flush(self) -> None:
        """Write what was counted and not written for a minute; called by a job and at the end."""
        now_ns = self._clock.now_ns()
        for key, found in self._refused.items():
            if found.unwritten and now_ns - found.written_ns >= EVERY_NS:
                self._write(key, found)

    def refused(self, tenant_id: str, quota: str) -> RefusedSoFar:
        """What a quota of a tenant refused so far."""
        return self._refused.get((tenant_id, quota)) or RefusedSoFar()

    def totals(self) -> Mapping[tuple[str, ...], float]:
        """Refusals by quota over all tenants, for a gauge; tenants are no label, they are many."""
        totals: dict[tuple[str, ...], float] = {}
        for (_, quota), found in self._refused.items():
            totals[(quota,)] = totals.get((quota,), 0.0) + found.total
        return totals

    def forget(self, tenant_id: str) -> None:
        """Drop what is known of a tenant that is gone."""
        for key in [key for key in self._refused if key[0] == tenant_id]:
            del self._refused[key]

    def _write(self, key: tuple[str, str], found: RefusedSoFar) -> None:
        tenant_id = key[0] or self._home
        event = LimitExceeded(
            ts_ns=found.last_ns,
            quota=key[1],
            value=found.value,
            limit=found.limit,
            subject=found.subject,
            refused=found.unwritten,
        )
        found.unwritten = 0
        found.written_ns = self._clock.now_ns()
        self._record(tenant_id, f"tenant:{tenant_id}", event)
