"""Keys for programs in the tenant's own schema (migration 0005); a key is kept as its SHA-256."""

from typing import Any, Final

from plan2.connectivity.identity.api_keys import ApiKey, StoredKey
from plan2.connectivity.identity.rights import Role, Scope
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId

# What lives ends last or not at all, so a limit only ever cuts off what ended long ago.
SELECT: Final = (
    "select key_id, environment, user_id, role, label, scopes, networks, created_ns, created_by, "
    "expires_ns, last_used_ns, revoked_ns, revoked_reason, secret_hash from api_key "
    "order by revoked_ns desc nulls first, expires_ns desc limit %s"
)
INSERT: Final = (
    "insert into api_key (key_id, environment, user_id, role, label, scopes, networks, "
    "created_ns, created_by, expires_ns, secret_hash) "
    "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


class PostgresApiKeys:
    """Implements `KeyTable`."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def load(self, tenant_id: TenantId, limit: int) -> list[StoredKey]:
        """A tenant's keys, those that live first; at most so many."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(SELECT, (limit,))
            return [_stored(tenant_id, row) for row in await cursor.fetchall()]

    async def insert(self, stored: StoredKey) -> None:
        """Keep a new key; durable when this returns."""
        key = stored.key
        values = (
            key.key_id,
            key.environment,
            key.user_id,
            str(key.role),
            key.label,
            sorted(map(str, key.scopes)),
            list(key.networks),
            key.created_ns,
            key.created_by,
            key.expires_ns,
            stored.secret_hash,
        )
        async with self._unit(TenantId(key.tenant_id)) as uow:
            await uow.raw.execute(INSERT, values)

    async def end(self, key: ApiKey) -> None:
        """Keep that a key was revoked, when and why."""
        async with self._unit(TenantId(key.tenant_id)) as uow:
            await uow.raw.execute(
                "update api_key set revoked_ns = %s, revoked_reason = %s "
                "where key_id = %s and revoked_ns is null",
                (key.revoked_ns, key.revoked_reason, key.key_id),
            )

    async def write_uses(self, tenant_id: TenantId, used_ns: dict[str, int]) -> None:
        """Keep when keys were last used, UTC ns."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute(
                "update api_key set last_used_ns = used.at_ns "
                "from unnest(%s::text[], %s::bigint[]) as used (key_id, at_ns) "
                "where api_key.key_id = used.key_id",
                (list(used_ns), list(used_ns.values())),
            )


def _stored(tenant_id: TenantId, row: tuple[Any, ...]) -> StoredKey:  # values of several SQL types
    key = ApiKey(
        key_id=row[0],
        tenant_id=tenant_id,
        environment=row[1],
        user_id=row[2],
        role=Role(row[3]),
        label=row[4],
        scopes=frozenset(map(Scope, row[5])),
        networks=tuple(row[6]),
        created_ns=row[7],
        created_by=row[8],
        expires_ns=row[9],
        last_used_ns=row[10],
        revoked_ns=row[11],
        revoked_reason=row[12],
    )
    return StoredKey(key=key, secret_hash=bytes(row[13]))
