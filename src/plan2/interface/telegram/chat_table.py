"""Pairings in the tenant's own schema (migration 0012)."""

from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId
from plan2.interface.telegram.pairing import StoredChat


class PostgresChats:
    """Implements `ChatTable`."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def load(self, tenant_id: TenantId) -> list[StoredChat]:
        """Every pairing of a tenant, oldest first."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select pairing_id, user_id, sealed, paired_ns from telegram_chat "
                "order by paired_ns, pairing_id"
            )
            return [
                StoredChat(
                    pairing_id=row[0], user_id=row[1], sealed=bytes(row[2]), paired_ns=row[3]
                )
                for row in await cursor.fetchall()
            ]

    async def insert(self, tenant_id: TenantId, stored: StoredChat) -> None:
        """Keep a pairing; durable when this returns."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute(
                "insert into telegram_chat (pairing_id, user_id, sealed, paired_ns) "
                "values (%s, %s, %s, %s)",
                (stored.pairing_id, stored.user_id, stored.sealed, stored.paired_ns),
            )

    async def remove(self, tenant_id: TenantId, pairing_id: str) -> None:
        """Forget a pairing; harmless when it is gone."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute("delete from telegram_chat where pairing_id = %s", (pairing_id,))
