"""One-time links in the tenant's own schema (migration 0005); a token is kept as its SHA-256."""

from plan2.connectivity.identity.invitations import Link, Purpose
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId


class PostgresInvitations:
    """Implements `InvitationTable`."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def put(self, tenant_id: TenantId, link: Link) -> None:
        """Keep a new link in the place of all others for the same person."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute("delete from invitation where user_id = %s", (link.user_id,))
            await uow.raw.execute(
                "insert into invitation (token_hash, user_id, purpose, expires_ns) "
                "values (%s, %s, %s, %s)",
                (link.token_hash, link.user_id, str(link.purpose), link.expires_ns),
            )

    async def find(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> Link | None:
        """A link that is still good."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select user_id, purpose, expires_ns from invitation "
                "where token_hash = %s and used_ns is null and expires_ns > %s",
                (token_hash, now_ns),
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        return Link(
            token_hash=token_hash, user_id=row[0], purpose=Purpose(row[1]), expires_ns=row[2]
        )

    async def use(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> bool:
        """Use a link up; False when it is no good any more."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "update invitation set used_ns = %s "
                "where token_hash = %s and used_ns is null and expires_ns > %s",
                (now_ns, token_hash, now_ns),
            )
            return cursor.rowcount == 1

    async def invited(self, tenant_id: TenantId, now_ns: int) -> set[str]:
        """Everybody with a link that is still good."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select user_id from invitation where used_ns is null and expires_ns > %s",
                (now_ns,),
            )
            return {row[0] for row in await cursor.fetchall()}
