"""Replacing keys while everything goes on: the root key, or one tenant's.

A new key seals from the moment it is there, the old ones still open. What they wrapped is wrapped
again in the background, in small steps that a crash may interrupt anywhere: what is still behind
is seen in the tables, and `carry_on` goes on with it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import Recoverable
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import KeyRotated
from plan2.foundation.ids import IdSource
from plan2.foundation.log import logger
from plan2.foundation.secrets.rotation_table import Level, Rotation, RotationTable
from plan2.foundation.secrets.sealing import KeyGone, KeysUnavailable, SealBroken
from plan2.foundation.secrets.subject_keys import SubjectKeys
from plan2.foundation.secrets.tenant_keys import TenantKeys
from plan2.foundation.values import TenantId

BATCH: Final = 100
SHOWN: Final = 20
RETRY_S: Final = 5.0
SYSTEM: Final = "system"
STREAM: Final = "keys"


class KeyRotations:
    """Begins rotations, carries them through and writes them down.

    Args:
        tenants, subjects: the keys. table: keeps how far each rotation has come.
        record: takes `KeyRotated`. clock: the machine's. ids: name rotations.
    """

    def __init__(
        self,
        tenants: TenantKeys,
        subjects: SubjectKeys,
        table: RotationTable,
        record: Record,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._tenants = tenants
        self._subjects = subjects
        self._table = table
        self._record = record
        self._clock = clock
        self._ids = ids
        self._waiting: dict[TenantId, None] = {}
        self._wake = asyncio.Event()

    async def rotate_tenant(self, tenant: TenantId, by: str) -> Rotation:
        """Give a tenant a new key; what it wrapped follows in the background.

        Raises:
            KeysUnavailable: the provider is away; nothing was changed.
        """
        old, new = await self._tenants.add_version(tenant)
        rotation = await self._begin(tenant, "tenant", old.key_id, new.key_id, by)
        self.ask_for(tenant)
        return rotation

    async def rotate_root(self, tenants: Iterable[TenantId], by: str) -> tuple[str, str]:
        """Make a new root key; the keys of these tenants are wrapped again in the background.

        Returns:
            The old key and the new one. Tenants that are not named follow with `ask_for`.

        Raises:
            KeysUnavailable: the provider is away; nothing was changed.
        """
        old = await self._tenants.provider.current()
        new = await self._tenants.provider.rotate()
        for tenant in tenants:
            await self._begin(tenant, "root", old, new, by)
            self.ask_for(tenant)
        return old, new

    def ask_for(self, tenant: TenantId) -> None:
        """Have `run` look at a tenant: at start, when it is created or resumed."""
        self._waiting[tenant] = None
        self._wake.set()

    async def run(self) -> None:
        """Carry on whatever was asked for, until cancelled; tries again what fails."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            asked, self._waiting = self._waiting, {}
            for tenant in asked:
                if not await self._tried(tenant):
                    self._waiting[tenant] = None
            if self._waiting:
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def carry_on(self, tenant: TenantId) -> None:
        """Finish every open rotation of a tenant, and what was left behind without one.

        Raises:
            KeysUnavailable, StoreBusy: it stays open. KeyGone: the tenant was deleted.
            SealBroken: a key of the tenant does not open any more.
        """
        done: set[Level] = set()
        for rotation in await self.shown(tenant):
            if rotation.finished_ns is None:
                await self._finish(tenant, rotation)
                done.add(rotation.level)
        await self._carry_on_forgotten(tenant, done)

    async def shown(self, tenant: TenantId) -> Sequence[Rotation]:
        """Open rotations and the latest that are finished."""
        return await self._table.read(tenant, SHOWN)

    async def _carry_on_forgotten(self, tenant: TenantId, done: set[Level]) -> None:
        """Wrap again what a crash before the first note, or a suspended tenant, left behind."""
        rows = await self._tenants.table.read(tenant)
        if "root" not in done and rows:
            new = await self._tenants.provider.current()
            old = next((row.wrapped.root_key for row in rows if row.wrapped.root_key != new), None)
            if old is not None:
                await self._finish(tenant, await self._begin(tenant, "root", old, new, SYSTEM))
        if "tenant" not in done and len(rows) > 1:
            replaced = await self._rewrap_people(tenant, None)
            if replaced:
                old, new = rows[-2].key_id, rows[-1].key_id
                rotation = await self._begin(tenant, "tenant", old, new, SYSTEM)
                await self._close(tenant, msgspec.structs.replace(rotation, rewrapped=replaced))

    async def _begin(self, tenant: TenantId, level: Level, old: str, new: str, by: str) -> Rotation:
        rotation = Rotation(
            rotation_id=self._ids.next_id("rotation"),
            level=level,
            old_key=old,
            new_key=new,
            rewrapped=0,
            started_by=by,
            started_ns=self._clock.now_ns(),
            finished_ns=None,
        )
        await self._table.insert(tenant, rotation)
        return rotation

    async def _finish(self, tenant: TenantId, rotation: Rotation) -> None:
        if rotation.level == "root":
            more = await self._tenants.rewrap(tenant)
        else:
            more = await self._rewrap_people(tenant, rotation)
        await self._close(
            tenant, msgspec.structs.replace(rotation, rewrapped=rotation.rewrapped + more)
        )

    async def _close(self, tenant: TenantId, rotation: Rotation) -> None:
        """Write down that it is done; a crash in between writes the fact twice."""
        now_ns = self._clock.now_ns()
        self._record(
            tenant,
            STREAM,
            KeyRotated(
                ts_ns=now_ns,
                level=rotation.level,
                old_key=rotation.old_key,
                new_key=rotation.new_key,
                rewrapped=rotation.rewrapped,
                by=rotation.started_by,
            ),
            actor=rotation.started_by,
        )
        await self._table.update(tenant, msgspec.structs.replace(rotation, finished_ns=now_ns))

    async def _rewrap_people(self, tenant: TenantId, rotation: Rotation | None) -> int:
        after, total = "", 0
        while True:
            after, replaced = await self._subjects.rewrap_some(tenant, after, BATCH)
            total += replaced
            if not after:
                return total
            if rotation is not None:
                far = msgspec.structs.replace(rotation, rewrapped=rotation.rewrapped + total)
                await self._table.update(tenant, far)

    async def _tried(self, tenant: TenantId) -> bool:
        try:
            await self.carry_on(tenant)
        except KeyGone:
            return True
        except SealBroken as error:  # asking again would not mend it
            logger("keys").error("rotation_broken", tenant_id=tenant, reason=str(error))
            return True
        except (KeysUnavailable, Recoverable) as error:
            logger("keys").warning("rotation_waits", tenant_id=tenant, reason=str(error))
            return False
        return True
