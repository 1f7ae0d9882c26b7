"""Keys of tenants: made on first use, kept wrapped by the root key, remembered for a while.

While the provider of the root key is away, what is remembered goes on working until its time is
over; then everything that needs a key is refused. Nothing is ever stored in clear instead.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from plan2.foundation.clock import Clock
from plan2.foundation.errors import Plan2Error, Recoverable
from plan2.foundation.health import Health, Status
from plan2.foundation.ids import IdSource
from plan2.foundation.log import logger
from plan2.foundation.secrets.envelope import KEY_BYTES, DataKey, RandomBytes, framed
from plan2.foundation.secrets.key_tables import TenantKeyRow, TenantKeyTable
from plan2.foundation.secrets.keys import KeyProvider
from plan2.foundation.secrets.sealing import KeyGone, KeysUnavailable, SealBroken
from plan2.foundation.values import NS_PER_SECOND, TenantId

REFRESHES: Final = 4
"""How often the provider is asked again within the time that keys are remembered."""
PAUSE_NS: Final = NS_PER_SECOND
"""For how long a provider that failed is not asked again."""


class TenantKeyRing:
    """The versions of one tenant's key, in memory until a time."""

    __slots__ = ("by_id", "current", "good_until_ns")

    def __init__(self, by_id: Mapping[str, DataKey], current: DataKey, good_until_ns: int) -> None:
        self.by_id = by_id
        self.current = current
        self.good_until_ns = good_until_ns


class TenantKeys:
    """Finds and makes the keys of tenants.

    Args:
        provider: wraps them. table: keeps them wrapped.
        clock: the machine's. ids, random_bytes: for new keys.
        remember_s: how long a key stays in memory without the provider having been reached.
    """

    def __init__(
        self,
        provider: KeyProvider,
        table: TenantKeyTable,
        clock: Clock,
        ids: IdSource,
        random_bytes: RandomBytes,
        remember_s: int,
    ) -> None:
        self.provider = provider
        self.table = table
        self._clock = clock
        self._ids = ids
        self._random = random_bytes
        self._remember_s = remember_s
        self._rings: dict[TenantId, TenantKeyRing] = {}
        self._locks: dict[TenantId, asyncio.Lock] = {}
        self._failed: dict[TenantId, tuple[int, Plan2Error]] = {}
        self._destroyed: set[TenantId] = set()

    async def current(self, tenant: TenantId) -> DataKey:
        """The version that seals from now on; made when there is none.

        Raises:
            KeysUnavailable: the provider is away and nothing is remembered any more.
            KeyGone: the tenant was deleted.
        """
        return (await self._ring(tenant)).current

    async def find(self, tenant: TenantId, key_id: str) -> DataKey:
        """The version with this id.

        Raises:
            SealBroken: the tenant never had it. KeyGone, KeysUnavailable: see `current`.
        """
        found = (await self._ring(tenant)).by_id.get(key_id)
        if found is None:
            raise SealBroken(f"Tenant {tenant} has no key {key_id}; another one sealed this.")
        return found

    def is_available(self, tenant: TenantId) -> bool:
        """Whether the tenant's keys are in memory; new orders are refused where they are not."""
        return self._live_ring(tenant) is not None

    async def refresh(self, tenant: TenantId) -> bool:
        """Ask the provider again, so that the keys are remembered for longer; whether it answered.

        Also loads them for the first time: at start, and when a tenant is created or comes back
        from an export.
        """
        self._destroyed.discard(tenant)
        return await self._ask_again(tenant)

    async def _ask_again(self, tenant: TenantId) -> bool:
        async with self._lock(tenant):
            try:
                await self._load(tenant)
            except (KeysUnavailable, KeyGone, SealBroken, Recoverable) as error:
                logger("keys").warning("keys_not_refreshed", tenant_id=tenant, reason=str(error))
                return False
            return True

    async def run(self) -> None:
        """Ask the provider again, regularly, for every tenant that is remembered or waited for."""
        while True:
            await asyncio.sleep(self._remember_s / REFRESHES)
            for tenant in self.known():
                await self._ask_again(tenant)  # `refresh` would bring back one destroyed meanwhile

    def known(self) -> tuple[TenantId, ...]:
        """Tenants whose keys were ever asked for and not destroyed."""
        return tuple(self._locks.keys() - self._destroyed)

    async def add_version(self, tenant: TenantId) -> tuple[DataKey, DataKey]:
        """Make a new version that seals from now on; the old ones still open. (old, new)."""
        async with self._lock(tenant):
            old = (await self._load(tenant)).current
            rows = await self.table.read(tenant)
            await self._create(tenant, rows[-1].version + 1)
            return old, (await self._load(tenant)).current

    async def rewrap(self, tenant: TenantId) -> int:
        """Wrap every version with the current root key; how many were behind."""
        current = await self.provider.current()
        behind = [row for row in await self.table.read(tenant) if row.wrapped.root_key != current]
        for row in behind:
            wrapped = await self.provider.rewrap(row.wrapped, _bound_to(tenant, row.key_id))
            await self.table.rewrap(tenant, row.version, wrapped)
        return len(behind)

    async def destroy(self, tenant: TenantId) -> None:
        """Delete a tenant's keys for good, with those of its people; KeyGone ever after."""
        async with self._lock(tenant):
            await self.table.delete(tenant)
            self._destroyed.add(tenant)
            self._rings.pop(tenant, None)
            self._failed.pop(tenant, None)

    def health(self) -> Health:
        """DEGRADED while the provider fails, DOWN when keys are no longer remembered."""
        missing = [tenant for tenant in self.known() if not self.is_available(tenant)]
        metrics = {"tenants": float(len(self._rings)), "missing": float(len(missing))}
        if missing:
            detail = f"The keys of {len(missing)} tenants cannot be had: {self._reason(missing)}"
            return Health(Status.DOWN, detail, metrics)
        failed = [tenant for tenant in self._failed if tenant not in self._destroyed]
        if failed:
            until_ns = min(self._rings[tenant].good_until_ns for tenant in failed)
            left_s = (until_ns - self._clock.now_ns()) // NS_PER_SECOND
            detail = f"New orders are refused in {left_s} s: {self._reason(failed)}"
            return Health(Status.DEGRADED, detail, metrics)
        return Health(Status.OK, "", metrics)

    def _reason(self, tenants: Iterable[TenantId]) -> str:
        reasons = (str(self._failed[each][1]) for each in tenants if each in self._failed)
        return next(reasons, "they were not asked for yet.")

    def _live_ring(self, tenant: TenantId) -> TenantKeyRing | None:
        ring = self._rings.get(tenant)
        if ring is not None and self._clock.now_ns() >= ring.good_until_ns:
            del self._rings[tenant]
            return None
        return ring

    async def _ring(self, tenant: TenantId) -> TenantKeyRing:
        ring = self._live_ring(tenant)
        if ring is None:
            async with self._lock(tenant):
                ring = self._live_ring(tenant)
                if ring is None:
                    self._check_pause(tenant)
                    ring = await self._load(tenant)
        return ring

    def _check_pause(self, tenant: TenantId) -> None:
        failed_ns, error = self._failed.get(tenant, (0, None))
        if error is not None and self._clock.now_ns() - failed_ns < PAUSE_NS:
            raise KeysUnavailable(error.message, remedy=error.remedy)

    async def _load(self, tenant: TenantId) -> TenantKeyRing:
        """Read and unwrap; the lock is held."""
        if tenant in self._destroyed:
            raise KeyGone(f"Tenant {tenant} was deleted, and its keys with it.")
        asked_ns = self._clock.now_ns()
        try:
            ring = await self._unwrapped(tenant, asked_ns + self._remember_s * NS_PER_SECOND)
        except (KeysUnavailable, SealBroken) as error:
            self._failed[tenant] = (self._clock.now_ns(), error)
            raise
        self._failed.pop(tenant, None)
        self._rings[tenant] = ring
        return ring

    async def _unwrapped(self, tenant: TenantId, good_until_ns: int) -> TenantKeyRing:
        rows = await self.table.read(tenant)
        if not rows:
            await self._create(tenant, 1)
            rows = await self.table.read(tenant)
        keys = [
            DataKey(
                row.key_id,
                await self.provider.unwrap(row.wrapped, _bound_to(tenant, row.key_id)),
            )
            for row in rows
        ]
        return TenantKeyRing({key.key_id: key for key in keys}, keys[-1], good_until_ns)

    async def _create(self, tenant: TenantId, version: int) -> None:
        """Make a version, unless another process has just made it."""
        key_id = self._ids.next_id("tenant_key")
        wrapped = await self.provider.wrap(self._random(KEY_BYTES), _bound_to(tenant, key_id))
        row = TenantKeyRow(
            version=version, key_id=key_id, wrapped=wrapped, created_ns=self._clock.now_ns()
        )
        await self.table.insert(tenant, row)

    def _lock(self, tenant: TenantId) -> asyncio.Lock:
        return self._locks.setdefault(tenant, asyncio.Lock())


def _bound_to(tenant: TenantId, key_id: str) -> bytes:
    return framed("tenant key", tenant, key_id)
