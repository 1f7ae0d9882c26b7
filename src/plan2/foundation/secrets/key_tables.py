"""Where wrapped keys lie: the tables of a tenant (migration 0007), and what they must offer."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.secrets.keys import Wrapped
from plan2.foundation.values import TenantId

OpenUnit = Callable[[TenantId], AbstractAsyncContextManager[UnitOfWork]]

TENANT_COLUMNS = "version, key_id, root_key, wrapped, created_ns"
SUBJECT_COLUMNS = "subject, key_id, tenant_key, wrapped, created_ns"


class TenantKeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a tenant's key, wrapped by the root key."""

    version: int
    key_id: str
    wrapped: Wrapped
    created_ns: int


class SubjectKeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person's key, sealed by the version of the tenant's key that is named."""

    subject: str
    key_id: str
    tenant_key: str
    wrapped: bytes
    created_ns: int


class TenantKeyTable(Protocol):
    """Versions of tenants' keys; durable when a method returns."""

    async def read(self, tenant: TenantId) -> list[TenantKeyRow]:
        """Every version, oldest first."""
        ...

    async def insert(self, tenant: TenantId, row: TenantKeyRow) -> bool:
        """Keep a new version; False when there is one of that number already."""
        ...

    async def rewrap(self, tenant: TenantId, version: int, wrapped: Wrapped) -> None:
        """Replace what a version is wrapped in."""
        ...

    async def delete(self, tenant: TenantId) -> None:
        """Delete every version for good."""
        ...


class SubjectKeyTable(Protocol):
    """Keys of the people of a tenant; durable when a method returns."""

    async def read(self, tenant: TenantId, subject: str) -> SubjectKeyRow | None:
        """A person's key; None when there is none, or none any more."""
        ...

    async def insert(self, tenant: TenantId, row: SubjectKeyRow) -> bool:
        """Keep a new key; False when the person has one already, or was erased."""
        ...

    async def erase(self, tenant: TenantId, subject: str, at_ns: int) -> bool:
        """Delete a key and refuse any other for this person; whether there was one."""
        ...

    async def behind(
        self, tenant: TenantId, tenant_key: str, after: str, limit: int
    ) -> list[SubjectKeyRow]:
        """Keys that another version of the tenant's key wraps, of people beyond `after`."""
        ...

    async def rewrap(self, tenant: TenantId, old: SubjectKeyRow, new: SubjectKeyRow) -> bool:
        """Replace what a key is wrapped in, if it is still there as read; whether it was."""
        ...

    async def count(self, tenant: TenantId) -> int:
        """How many people have a key."""
        ...


class PostgresTenantKeys:
    """The table `tenant_key` of each tenant."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def read(self, tenant: TenantId) -> list[TenantKeyRow]:
        """See `TenantKeyTable.read`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                f"select {TENANT_COLUMNS} from tenant_key order by version"  # noqa: S608 - our own
            )
            return [_tenant_row(row) for row in await cursor.fetchall()]

    async def insert(self, tenant: TenantId, row: TenantKeyRow) -> bool:
        """See `TenantKeyTable.insert`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                f"insert into tenant_key ({TENANT_COLUMNS}) "  # noqa: S608 - our own
                "values (%s, %s, %s, %s, %s) on conflict do nothing",
                (row.version, row.key_id, row.wrapped.root_key, row.wrapped.blob, row.created_ns),
            )
            return cursor.rowcount == 1

    async def rewrap(self, tenant: TenantId, version: int, wrapped: Wrapped) -> None:
        """See `TenantKeyTable.rewrap`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute(
                "update tenant_key set root_key = %s, wrapped = %s where version = %s",
                (wrapped.root_key, wrapped.blob, version),
            )

    async def delete(self, tenant: TenantId) -> None:
        """See `TenantKeyTable.delete`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute("delete from subject_key")
            await uow.raw.execute("delete from tenant_key")


class PostgresSubjectKeys:
    """The tables `subject_key` and `erased_subject` of each tenant."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def read(self, tenant: TenantId, subject: str) -> SubjectKeyRow | None:
        """See `SubjectKeyTable.read`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                f"select {SUBJECT_COLUMNS} from subject_key where subject = %s",  # noqa: S608
                (subject,),
            )
            row = await cursor.fetchone()
            return _subject_row(row) if row else None

    async def insert(self, tenant: TenantId, row: SubjectKeyRow) -> bool:
        """See `SubjectKeyTable.insert`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                f"insert into subject_key ({SUBJECT_COLUMNS}) "  # noqa: S608 - our own
                "select %s, %s, %s, %s, %s "
                "where not exists (select from erased_subject where subject = %s) "
                "on conflict do nothing",
                (row.subject, row.key_id, row.tenant_key, row.wrapped, row.created_ns, row.subject),
            )
            return cursor.rowcount == 1

    async def erase(self, tenant: TenantId, subject: str, at_ns: int) -> bool:
        """See `SubjectKeyTable.erase`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute(
                "insert into erased_subject (subject, erased_ns) values (%s, %s) "
                "on conflict do nothing",
                (subject, at_ns),
            )
            cursor = await uow.raw.execute("delete from subject_key where subject = %s", (subject,))
            return cursor.rowcount == 1

    async def behind(
        self, tenant: TenantId, tenant_key: str, after: str, limit: int
    ) -> list[SubjectKeyRow]:
        """See `SubjectKeyTable.behind`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                f"select {SUBJECT_COLUMNS} from subject_key "  # noqa: S608 - our own
                "where tenant_key <> %s and subject > %s order by subject limit %s",
                (tenant_key, after, limit),
            )
            return [_subject_row(row) for row in await cursor.fetchall()]

    async def rewrap(self, tenant: TenantId, old: SubjectKeyRow, new: SubjectKeyRow) -> bool:
        """See `SubjectKeyTable.rewrap`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "update subject_key set tenant_key = %s, wrapped = %s "
                "where subject = %s and wrapped = %s",
                (new.tenant_key, new.wrapped, old.subject, old.wrapped),
            )
            return cursor.rowcount == 1

    async def count(self, tenant: TenantId) -> int:
        """See `SubjectKeyTable.count`."""
        async with self._unit(tenant) as uow:
            row = await (await uow.raw.execute("select count(*) from subject_key")).fetchone()
            return int(row[0]) if row else 0


def _tenant_row(row: tuple[Any, ...]) -> TenantKeyRow:  # values of several SQL types
    return TenantKeyRow(
        version=row[0], key_id=row[1], wrapped=Wrapped(row[2], bytes(row[3])), created_ns=row[4]
    )


def _subject_row(row: tuple[Any, ...]) -> SubjectKeyRow:  # values of several SQL types
    return SubjectKeyRow(
        subject=row[0], key_id=row[1], tenant_key=row[2], wrapped=bytes(row[3]), created_ns=row[4]
    )
