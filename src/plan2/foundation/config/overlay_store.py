"""Where overridden settings and flags are kept: the table `setting` of each tenant.

What holds for the whole installation lies with the main tenant, in the same schema as the log that
records its changes.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from plan2.foundation.config.overlay_keys import SettingScope
from plan2.foundation.config.overlay_merge import Entry
from plan2.foundation.values import TenantId

Place = tuple[SettingScope, str, str]
"""Scope, person ("" for the wider scopes), key."""


class Rows(Protocol):
    """What a query found."""

    def all(self) -> Sequence[Any]:  # rows with values of several SQL types
        """Every row."""
        ...


class Unit(Protocol):
    """What we need of a unit of work."""

    async def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Run a statement with `:name` parameters."""
        ...


OpenUnit = Callable[[TenantId], AbstractAsyncContextManager[Unit]]


class OverlayStore(Protocol):
    """Keeps what was set; durable when a method returns."""

    async def read(self, tenant: TenantId) -> dict[Place, Entry]:
        """Everything that was set in a tenant's tables."""
        ...

    async def put(self, tenant: TenantId, place: Place, entry: Entry | None) -> None:
        """Replace what was set in a place; None takes it away."""
        ...

    async def remove_person(self, tenant: TenantId, user_id: str) -> int:
        """Take away what a person has set; how many keys."""
        ...


class PostgresOverlay:
    """The table `setting` (migration 0007)."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def read(self, tenant: TenantId) -> dict[Place, Entry]:
        """See `OverlayStore.read`."""
        async with self._unit(tenant) as uow:
            rows = await uow.execute(
                "select scope, subject, key, value, is_locked, changed_ns, changed_by, reason "
                "from setting order by scope, subject, key"
            )
            return {
                (SettingScope(row[0]), row[1], row[2]): Entry(
                    value=row[3],
                    is_locked=row[4],
                    changed_ns=row[5],
                    changed_by=row[6],
                    reason=row[7],
                )
                for row in rows.all()
            }

    async def put(self, tenant: TenantId, place: Place, entry: Entry | None) -> None:
        """See `OverlayStore.put`."""
        scope, subject, key = place
        where = {"scope": scope.value, "subject": subject, "key": key}
        async with self._unit(tenant) as uow:
            if entry is None:
                await uow.execute(
                    "delete from setting "
                    "where scope = :scope and subject = :subject and key = :key",
                    where,
                )
                return
            await uow.execute(
                "insert into setting "
                "(scope, subject, key, value, is_locked, changed_ns, changed_by, reason) values "
                "(:scope, :subject, :key, :value, :is_locked, :changed_ns, :changed_by, :reason) "
                "on conflict (scope, subject, key) do update set value = excluded.value, "
                "is_locked = excluded.is_locked, changed_ns = excluded.changed_ns, "
                "changed_by = excluded.changed_by, reason = excluded.reason",
                {
                    **where,
                    "value": entry.value,
                    "is_locked": entry.is_locked,
                    "changed_ns": entry.changed_ns,
                    "changed_by": entry.changed_by,
                    "reason": entry.reason,
                },
            )

    async def remove_person(self, tenant: TenantId, user_id: str) -> int:
        """See `OverlayStore.remove_person`."""
        async with self._unit(tenant) as uow:
            rows = await uow.execute(
                "delete from setting where scope = 'user' and subject = :subject returning key",
                {"subject": user_id},
            )
            return len(rows.all())
