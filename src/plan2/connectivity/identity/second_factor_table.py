"""Seeds and backup codes in the tenant's own schema (migration 0005)."""

from plan2.connectivity.identity.second_factor import Seed
from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId


class PostgresFactors:
    """Implements `FactorTable`."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def enrolled(self, tenant_id: TenantId) -> dict[str, int]:
        """Everybody with a confirmed seed, and since when, UTC ns."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select user_id, confirmed_ns from second_factor where confirmed_ns is not null"
            )
            return {row[0]: row[1] for row in await cursor.fetchall()}

    async def find(self, tenant_id: TenantId, user_id: str, *, is_confirmed: bool) -> Seed | None:
        """A person's seed in force, or the one that waits for its first code."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select factor_id, seed, begun_ns, confirmed_ns from second_factor "
                "where user_id = %s and (confirmed_ns is not null) = %s",
                (user_id, is_confirmed),
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        return Seed(
            factor_id=row[0],
            user_id=user_id,
            sealed=bytes(row[1]),
            begun_ns=row[2],
            confirmed_ns=row[3],
        )

    async def begin(self, tenant_id: TenantId, seed: Seed) -> None:
        """Keep a seed that waits, in place of one that waited before."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute(
                "insert into second_factor (factor_id, user_id, seed, begun_ns) "
                "values (%s, %s, %s, %s) on conflict (user_id) where confirmed_ns is null "
                "do update set factor_id = excluded.factor_id, seed = excluded.seed, "
                "begun_ns = excluded.begun_ns",
                (seed.factor_id, seed.user_id, seed.sealed, seed.begun_ns),
            )

    async def confirm(
        self, tenant_id: TenantId, seed: Seed, step: int, hashes: tuple[bytes, ...]
    ) -> bool:
        """Put a waiting seed in force with its step used up, and backup codes beside it.

        False when it does not wait any more.
        """
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select 1 from second_factor where factor_id = %s and confirmed_ns is null "
                "for update",
                (seed.factor_id,),
            )
            if await cursor.fetchone() is None:
                return False
            await uow.raw.execute(
                "delete from second_factor where user_id = %s and confirmed_ns is not null",
                (seed.user_id,),
            )
            await uow.raw.execute(
                "update second_factor set confirmed_ns = %s, last_step = %s where factor_id = %s",
                (seed.confirmed_ns, step, seed.factor_id),
            )
            await _put_codes(uow, seed.user_id, hashes)
        return True

    async def use_step(self, tenant_id: TenantId, factor_id: str, step: int) -> bool:
        """Use up a step; False when it or a later one was used before."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "update second_factor set last_step = %s where factor_id = %s and last_step < %s",
                (step, factor_id, step),
            )
            return cursor.rowcount == 1

    async def use_code(self, tenant_id: TenantId, user_id: str, hash_: bytes, at_ns: int) -> bool:
        """Use up a backup code; False when it is unknown or used."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "update backup_code set used_ns = %s "
                "where code_hash = %s and user_id = %s and used_ns is null",
                (at_ns, hash_, user_id),
            )
            return cursor.rowcount == 1

    async def codes_left(self, tenant_id: TenantId, user_id: str) -> int:
        """How many backup codes are unused."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select count(*) from backup_code where user_id = %s and used_ns is null",
                (user_id,),
            )
            row = await cursor.fetchone()
        return int(row[0]) if row is not None else 0

    async def replace_codes(
        self, tenant_id: TenantId, user_id: str, hashes: tuple[bytes, ...]
    ) -> bool:
        """Put new backup codes in the place of all old ones; False without a confirmed seed."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "select 1 from second_factor where user_id = %s and confirmed_ns is not null "
                "for update",
                (user_id,),
            )
            if await cursor.fetchone() is None:
                return False
            await _put_codes(uow, user_id, hashes)
        return True

    async def remove(self, tenant_id: TenantId, user_id: str) -> bool:
        """Take seeds and backup codes away; False when there was no seed in force."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute("delete from backup_code where user_id = %s", (user_id,))
            cursor = await uow.raw.execute(
                "delete from second_factor where user_id = %s returning confirmed_ns", (user_id,)
            )
            gone = await cursor.fetchall()
        return any(row[0] is not None for row in gone)


async def _put_codes(uow: UnitOfWork, user_id: str, hashes: tuple[bytes, ...]) -> None:
    await uow.raw.execute("delete from backup_code where user_id = %s", (user_id,))
    async with uow.raw.cursor() as cursor:
        await cursor.executemany(
            "insert into backup_code (code_hash, user_id) values (%s, %s)",
            [(hash_, user_id) for hash_ in hashes],
        )
