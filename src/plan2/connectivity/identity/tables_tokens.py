"""Refresh tokens of each tenant, and the signing keys in the main one (migration 0004)."""

from typing import Any, Final

from plan2.connectivity.identity.refresh import RefreshRow, Use
from plan2.connectivity.identity.signing_keys import SigningKeyRow
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import NS_PER_DAY, TenantId

KEPT_RETIRED_NS: Final = 30 * NS_PER_DAY


class PostgresTokens:
    """Implements `RefreshTable` and `SigningKeyTable`."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def insert_refresh(self, tenant_id: TenantId, row: RefreshRow) -> None:
        """Keep the first token of a family."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute(
                "insert into refresh_token (token_hash, session_id, issued_ns) values (%s, %s, %s)",
                (row.token_hash, row.session_id, row.issued_ns),
            )

    async def use_refresh(self, tenant_id: TenantId, use: Use) -> RefreshRow | None:
        """Use a token up and keep its successor, in one step, unless it was used before.

        Returns the token as it was before; None when there is no such token.
        """
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select token_hash, session_id, issued_ns, used_ns, salt from refresh_token "
                "where token_hash = %s for update",
                (use.token_hash,),
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            before = _refresh(row)
            if before.used_ns == 0:
                await uow.raw.execute(
                    "update refresh_token set used_ns = %s, salt = %s where token_hash = %s",
                    (use.used_ns, use.salt, use.token_hash),
                )
                await uow.raw.execute(
                    "insert into refresh_token (token_hash, session_id, issued_ns) "
                    "values (%s, %s, %s)",
                    (use.successor_hash, before.session_id, use.used_ns),
                )
            return before

    async def is_unused(self, tenant_id: TenantId, token_hash: bytes) -> bool:
        """Whether a token is there and good."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select 1 from refresh_token where token_hash = %s and used_ns = 0", (token_hash,)
            )
            return await cursor.fetchone() is not None

    async def load_keys(self, home: TenantId) -> list[SigningKeyRow]:
        """Every key, oldest first."""
        async with self._unit(home) as uow:
            cursor = await uow.raw.execute(
                "select key_id, sealed, created_ns, retires_ns from signing_key "
                "order by created_ns, key_id"
            )
            return [
                SigningKeyRow(
                    key_id=row[0], sealed=bytes(row[1]), created_ns=row[2], retires_ns=row[3]
                )
                for row in await cursor.fetchall()
            ]

    async def add_key(self, home: TenantId, row: SigningKeyRow, retires_ns: int) -> None:
        """Keep a new key; those that sign until now retire then. Retired ones go after a month."""
        async with self._unit(home) as uow:
            await uow.raw.execute(
                "update signing_key set retires_ns = %s where retires_ns = 0 or retires_ns > %s",
                (retires_ns, retires_ns),
            )
            await uow.raw.execute(
                "delete from signing_key where retires_ns <= %s",
                (row.created_ns - KEPT_RETIRED_NS,),
            )
            await uow.raw.execute(
                "insert into signing_key (key_id, sealed, created_ns, retires_ns) "
                "values (%s, %s, %s, %s)",
                (row.key_id, row.sealed, row.created_ns, row.retires_ns),
            )


def _refresh(row: tuple[Any, ...]) -> RefreshRow:  # values of several SQL types
    return RefreshRow(
        token_hash=bytes(row[0]),
        session_id=row[1],
        issued_ns=row[2],
        used_ns=row[3],
        salt=row[4],
    )
