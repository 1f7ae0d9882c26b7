"""Keys of people: made on first use, kept sealed by the tenant's key, destroyed by erasure.

A person is erased by deleting their key. Whatever it sealed, anywhere and in any copy of the log,
is noise from then on; and no new key is ever made for them.
"""

import asyncio
from collections import OrderedDict
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.ids import IdSource
from plan2.foundation.log import logger
from plan2.foundation.secrets.envelope import KEY_BYTES, DataKey, RandomBytes, framed
from plan2.foundation.secrets.key_tables import SubjectKeyRow, SubjectKeyTable
from plan2.foundation.secrets.sealing import KeyGone, SealBroken
from plan2.foundation.secrets.tenant_keys import TenantKeys
from plan2.foundation.values import TenantId

REMEMBERED_MAX: Final = 20_000
"""People whose keys stay in memory; the least used are read again."""


class SubjectKeys:
    """Finds, makes and destroys the keys of people; what is remembered lives as the tenant's key.

    Args:
        tenants: whose keys seal these. table: keeps them sealed.
        clock: the machine's. ids, random_bytes: for new keys.
    """

    def __init__(
        self,
        tenants: TenantKeys,
        table: SubjectKeyTable,
        clock: Clock,
        ids: IdSource,
        random_bytes: RandomBytes,
    ) -> None:
        self._tenants = tenants
        self.table = table
        self._clock = clock
        self._ids = ids
        self._random = random_bytes
        self._remembered: OrderedDict[tuple[TenantId, str], DataKey] = OrderedDict()
        self._locks: dict[TenantId, asyncio.Lock] = {}

    async def for_sealing(self, tenant: TenantId, subject: str) -> DataKey:
        """A person's key; made when there is none.

        Raises:
            KeyGone: the person was erased. KeysUnavailable: see `TenantKeys.current`.
        """
        found = await self._found(tenant, subject)
        if found is not None:
            return found
        async with self._lock(tenant):
            found = await self._read(tenant, subject) or await self._create(tenant, subject)
        if found is None:
            raise _gone(subject)
        return found

    async def for_opening(self, tenant: TenantId, subject: str) -> DataKey:
        """A person's key.

        Raises:
            KeyGone: there is none, or none any more. KeysUnavailable: see `TenantKeys.current`.
        """
        found = await self._found(tenant, subject)
        if found is None:
            async with self._lock(tenant):
                found = await self._read(tenant, subject)
        if found is None:
            raise _gone(subject)
        return found

    async def destroy(self, tenant: TenantId, subject: str) -> bool:
        """Delete a person's key for good; whether there was one. Repeating it is harmless."""
        async with self._lock(tenant):
            self._remembered.pop((tenant, subject), None)
            return await self.table.erase(tenant, subject, self._clock.now_ns())

    def forget(self, tenant: TenantId) -> None:
        """Drop what is remembered of a tenant's people, when it is deleted."""
        for place in [each for each in self._remembered if each[0] == tenant]:
            del self._remembered[place]

    async def rewrap_some(self, tenant: TenantId, after: str, limit: int) -> tuple[str, int]:
        """Seal up to `limit` keys of people beyond `after` with the tenant's current key.

        A key that was destroyed meanwhile stays destroyed: rows are replaced, never written anew.

        Returns:
            The last person that was looked at ("" at the end), and how many keys were replaced.
        """
        current = await self._tenants.current(tenant)
        rows = await self.table.behind(tenant, current.key_id, after, limit)
        replaced = 0
        for row in rows:
            try:
                key = await self._opened(tenant, row)
            except SealBroken as error:
                logger("keys").error("subject_key_broken", tenant_id=tenant, reason=str(error))
                continue
            renewed = msgspec.structs.replace(
                row, tenant_key=current.key_id, wrapped=self._wrapped(tenant, key, row, current)
            )
            replaced += await self.table.rewrap(tenant, row, renewed)
        return (rows[-1].subject if rows else ""), replaced

    async def _found(self, tenant: TenantId, subject: str) -> DataKey | None:
        """What is remembered, as long as the tenant's own key is to be had."""
        await self._tenants.current(tenant)
        found = self._remembered.get((tenant, subject))
        if found is not None:
            self._remembered.move_to_end((tenant, subject))
        return found

    async def _read(self, tenant: TenantId, subject: str) -> DataKey | None:
        row = await self.table.read(tenant, subject)
        return self._remember(tenant, subject, await self._opened(tenant, row)) if row else None

    async def _create(self, tenant: TenantId, subject: str) -> DataKey | None:
        """Make a key, unless the person was erased; another process may have been faster."""
        key = DataKey(self._ids.next_id("subject_key"), self._random(KEY_BYTES))
        current = await self._tenants.current(tenant)
        row = SubjectKeyRow(
            subject=subject,
            key_id=key.key_id,
            tenant_key=current.key_id,
            wrapped=b"",
            created_ns=self._clock.now_ns(),
        )
        row = msgspec.structs.replace(row, wrapped=self._wrapped(tenant, key, row, current))
        if await self.table.insert(tenant, row):
            return self._remember(tenant, subject, key)
        return await self._read(tenant, subject)

    async def _opened(self, tenant: TenantId, row: SubjectKeyRow) -> DataKey:
        wrapping = await self._tenants.find(tenant, row.tenant_key)
        return DataKey(row.key_id, wrapping.open(row.wrapped, _bound_to(tenant, row)))

    def _wrapped(
        self, tenant: TenantId, key: DataKey, row: SubjectKeyRow, wrapping: DataKey
    ) -> bytes:
        return wrapping.seal(key.reveal(), _bound_to(tenant, row), self._random)

    def _remember(self, tenant: TenantId, subject: str, key: DataKey) -> DataKey:
        self._remembered[(tenant, subject)] = key
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return key

    def _lock(self, tenant: TenantId) -> asyncio.Lock:
        return self._locks.setdefault(tenant, asyncio.Lock())


def _bound_to(tenant: TenantId, row: SubjectKeyRow) -> bytes:
    return framed("subject key", tenant, row.subject, row.key_id)


def _gone(subject: str) -> KeyGone:
    return KeyGone(f"The key of {subject} was destroyed; what it sealed is erased for good.")
