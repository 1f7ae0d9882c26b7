"""How much room each tenant takes, in the database and on disk; measured by a job, shown at once.

The measuring reads catalogues and walks folders, so it is done one tenant after the other and the
walking in a thread. A tenant that could not be measured keeps its last figure.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from plan2.connectivity.ratelimit.use import Usage
from plan2.foundation.errors import Recoverable
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.health import Health, Status
from plan2.foundation.log import logger
from plan2.foundation.values import TenantId

MEBIBYTE: Final = 1 << 20
QUOTA: Final = "storage_mb"

SCHEMA_BYTES: Final = """
select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'm', 'S')
"""
"""Tables with indexes and TOAST, partitions one by one (their parents have no storage)."""

SchemaBytes = Callable[[str], Awaitable[int]]
FoldersOf = Callable[[str], Iterable[Path]]


def schema_bytes(open_unit: OpenUnit) -> SchemaBytes:
    """A function that asks the database how large a tenant's schema is."""

    async def asked(tenant_id: str) -> int:
        async with open_unit(TenantId(tenant_id)) as uow:
            return int((await uow.execute(SCHEMA_BYTES)).scalar_one())

    return asked


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder; 0 when there is none. Links are not followed."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(parent) / name).st_size
            except FileNotFoundError:  # gone since it was listed
                continue
    return total


def _bytes_below(folders: Iterable[Path]) -> int:
    return sum(map(folder_bytes, folders))


class StorageMeter:
    """The last measured size of every tenant.

    Args:
        tenants: whom to measure. in_database, folders_of: where a tenant's data lies.
    """

    def __init__(
        self,
        tenants: Callable[[], Iterable[str]],
        in_database: SchemaBytes,
        folders_of: FoldersOf,
    ) -> None:
        self._tenants = tenants
        self._in_database = in_database
        self._folders_of = folders_of
        self._used_mb: dict[str, float] = {}
        self._log = logger("storage")

    async def measure(self) -> None:
        """Measure every tenant; the scheduler's job."""
        tenants = list(self._tenants())
        self._used_mb = {who: mb for who, mb in self._used_mb.items() if who in tenants}
        for tenant_id in tenants:
            try:
                stored = await self._in_database(tenant_id)
            except Recoverable as error:
                self._log.warning("storage_not_measured", tenant_id=tenant_id, reason=str(error))
                continue
            on_disk = await asyncio.to_thread(_bytes_below, list(self._folders_of(tenant_id)))
            self._used_mb[tenant_id] = round((stored + on_disk) / MEBIBYTE, 1)

    def used_mb(self, tenant_id: str) -> float | None:
        """Mebibytes at the last measurement; None before the first."""
        return self._used_mb.get(tenant_id)

    def measured(self) -> Mapping[str, float]:
        """Mebibytes of every tenant at the last measurement."""
        return self._used_mb


class StorageWatch:
    """Tells when a tenant takes more room than its quota says; nothing is refused, trading goes on.

    A log that stopped because of its size would stop trading, and deleting is no answer either: a
    person has to raise the quota, or move old months out.
    """

    def __init__(self, meter: StorageMeter, usage: Usage) -> None:
        self._meter = meter
        self._usage = usage
        self._told: set[str] = set()

    async def measure(self) -> None:
        """Measure every tenant and write down who went above the quota; the scheduler's job."""
        await self._meter.measure()
        above = self._above()
        for tenant_id, used, limit in above:
            if tenant_id not in self._told:
                self._usage.notices.tell(tenant_id, QUOTA, value=used, limit=limit)
        self._told = {tenant_id for tenant_id, _, _ in above}

    def check(self) -> Health:
        """DEGRADED while anybody is above the quota, with whom and how much."""
        above = self._above()
        metrics = {"above_quota": float(len(above))}
        if not above:
            return Health(Status.OK, "", metrics)
        tenant_id, used, limit = above[0]
        more = f", and {len(above) - 1} more" if len(above) > 1 else ""
        text = f"Tenant {tenant_id} takes {used:g} of {limit:g} MB{more}; nothing is refused."
        return Health(Status.DEGRADED, text, metrics)

    def _above(self) -> list[tuple[str, float, float]]:
        """Tenant, use and limit, the fullest first."""
        found = [
            (tenant_id, used, float(self._usage.quota_of(tenant_id).storage_mb))
            for tenant_id, used in self._meter.measured().items()
        ]
        above = [each for each in found if each[1] > each[2]]
        return sorted(above, key=lambda each: each[2] - each[1])
