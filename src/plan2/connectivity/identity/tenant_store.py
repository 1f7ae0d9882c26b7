"""What the life of tenants needs from the database: the port, and PostgreSQL behind it.

Every call is blocking work of the administrator and runs in a thread. A fault of the database, of
a migration or of the disk comes back as `TenantWorkFailed` with its reason, so that a saga can
write it down and be taken up again.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

import psycopg
import sqlalchemy as sa

from plan2.foundation.database import registry
from plan2.foundation.database.migrate import Migrator
from plan2.foundation.database.registry import Registered, admin_of
from plan2.foundation.database.roles import Access
from plan2.foundation.database.tenant_archive import Errand, Manifest, Tell, export_tenant
from plan2.foundation.database.tenant_restore import restore_tenant
from plan2.foundation.errors import Recoverable
from plan2.foundation.values import TenantId

T = TypeVar("T")
FAULTS: Final = (sa.exc.SQLAlchemyError, psycopg.Error, OSError)
REASON_MAX: Final = 500


class TenantWorkFailed(Recoverable):
    """A step of making, changing or removing a tenant failed; it may be tried again."""

    code = "tenant_work_failed"


class TenantStore(Protocol):
    """The registry of tenants and their schemas; each call is durable when it returns.

    Raises (every call): TenantWorkFailed, StoreBusy; what changes something ConfigError, when the
    administrator's address is not set.
    """

    def check_writable(self) -> None:
        """Refuse at once what would be refused in the middle.

        Raises:
            ConfigError: the administrator's address is not set.
        """
        ...

    async def read(self) -> list[Registered]:
        """Every tenant ever registered, by id."""
        ...

    async def register(self, tenant: Registered) -> None:
        """Write down a new tenant, or one in place of its tombstone."""
        ...

    async def note_step(self, tenant: TenantId, step: str) -> None:
        """Write down that a step of the saga under way is done."""
        ...

    async def set_lifecycle(
        self, tenant: TenantId, lifecycle: str, *, reason: str = "", detail: str = ""
    ) -> None:
        """Write down where a tenant stands."""
        ...

    async def migrate_all(self, now_ns: int) -> dict[TenantId, str]:
        """Bring every living tenant up to date; returns what went wrong, by tenant."""
        ...

    async def migrate(self, tenant: TenantId) -> None:
        """Make a tenant's schema, or bring it up to date."""
        ...

    async def make_months(self, tenant: TenantId, now_ns: int) -> None:
        """Make the partitions of this month and the next ones."""
        ...

    async def export(self, errand: Errand, target: Path, tell: Tell) -> Manifest:
        """Write a tenant into a file; `tell` is called from another thread."""
        ...

    async def restore(self, path: Path, now_ns: int, tell: Tell) -> Manifest:
        """Make a tenant's schema anew from its export."""
        ...

    async def drop(self, tenant: TenantId) -> None:
        """Drop a tenant's schema; harmless when there is none."""
        ...

    async def bury(self, tenant: TenantId, reason: str) -> None:
        """Leave nothing in the registry but the tombstone."""
        ...


class PostgresTenantStore:
    """Tenants in PostgreSQL.

    Args:
        access: the addresses; without the administrator's one tenants can be read only.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def check_writable(self) -> None:
        """See `TenantStore.check_writable`."""
        admin_of(self._access)

    async def read(self) -> list[Registered]:
        """See `TenantStore.read`."""
        return await _in_thread(lambda: registry.read_tenants(self._access))

    async def register(self, tenant: Registered) -> None:
        """See `TenantStore.register`."""
        await _in_thread(lambda: registry.register_tenant(self._access, tenant))

    async def note_step(self, tenant: TenantId, step: str) -> None:
        """See `TenantStore.note_step`."""
        await _in_thread(lambda: registry.note_step(self._access, tenant, step))

    async def set_lifecycle(
        self, tenant: TenantId, lifecycle: str, *, reason: str = "", detail: str = ""
    ) -> None:
        """See `TenantStore.set_lifecycle`."""
        await _in_thread(
            lambda: registry.set_lifecycle(
                self._access, tenant, lifecycle, reason=reason, detail=detail
            )
        )

    async def migrate_all(self, now_ns: int) -> dict[TenantId, str]:
        """See `TenantStore.migrate_all`; without an administrator nothing can be migrated."""
        if self._access.admin is None:
            return {}
        return await self._migrating(lambda migrator: migrator.migrate_all(now_ns))

    async def migrate(self, tenant: TenantId) -> None:
        """See `TenantStore.migrate`."""
        await self._migrating(lambda migrator: migrator.migrate(tenant))

    async def make_months(self, tenant: TenantId, now_ns: int) -> None:
        """See `TenantStore.make_months`."""
        await self._migrating(lambda migrator: migrator.ensure_months(tenant, now_ns))

    async def export(self, errand: Errand, target: Path, tell: Tell) -> Manifest:
        """See `TenantStore.export`."""
        return await _in_thread(lambda: export_tenant(self._access, errand, target, tell))

    async def restore(self, path: Path, now_ns: int, tell: Tell) -> Manifest:
        """See `TenantStore.restore`."""
        return await _in_thread(lambda: restore_tenant(self._access, path, now_ns, tell))

    async def drop(self, tenant: TenantId) -> None:
        """See `TenantStore.drop`."""
        await self._migrating(lambda migrator: migrator.drop(tenant))

    async def bury(self, tenant: TenantId, reason: str) -> None:
        """See `TenantStore.bury`."""
        await _in_thread(lambda: registry.bury_tenant(self._access, tenant, reason))

    async def _migrating(self, work: Callable[[Migrator], T]) -> T:
        def run() -> T:
            migrator = Migrator(admin_of(self._access))
            try:
                return work(migrator)
            finally:
                migrator.close()

        return await _in_thread(run)


async def _in_thread(work: Callable[[], T]) -> T:
    """Run blocking work beside the loop; a caller that goes away leaves it to its end."""
    try:
        return await asyncio.to_thread(work)
    except FAULTS as error:
        reason = str(getattr(error, "orig", None) or error).strip()[:REASON_MAX]
        raise TenantWorkFailed(f"{type(error).__name__}: {reason}") from error
