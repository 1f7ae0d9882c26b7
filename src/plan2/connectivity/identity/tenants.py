"""The life of tenants: made, suspended, exported, deleted, restored; one piece of work at a time.

Suspending acts in memory first, so every channel is closed before the database was asked; resuming
writes first. Work that takes long runs beside the caller and can be watched; what a crash or a
fault interrupted is on record and is taken up at the next start or by `retry`. The tenant of the
installation itself can be neither suspended nor deleted nor restored.
"""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from plan2.connectivity.identity.onboarding import Onboarding, TenantHooks
from plan2.connectivity.identity.tenant_book import TenantBook
from plan2.connectivity.identity.tenant_removal import Removal, returning, source_of
from plan2.connectivity.identity.tenant_requests import (
    Request,
    TenantConflict,
    TenantExists,
    TenantUnknown,
)
from plan2.connectivity.identity.tenant_store import TenantStore, TenantWorkFailed
from plan2.connectivity.identity.tenant_work import Exports, Works
from plan2.foundation.clock import Clock
from plan2.foundation.database.registry import Registered
from plan2.foundation.database.tenancy import MAIN_TENANT, schema_of
from plan2.foundation.database.tenant_archive import Tell, read_manifest
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import TenantChanged
from plan2.foundation.log import logger
from plan2.foundation.values import TenantId

TENANTS_MAX: Final = 200
"""A connection keeps about 16 kB per table it ever touched; above this they grow too large."""
LIVING: Final = frozenset({"served", "suspended"})
IN_SAGA: Final = frozenset({"creating", "deleting", "restoring"})


class Tenants:
    """Makes, changes and removes tenants.

    Args:
        store: registry and schemas. hooks: what others do when tenants come and go.
        exports: where exports are kept. clock: wall time.
        record: writes facts into the main tenant's log.

    Attributes:
        directory: every tenant in memory; what the gateway asks.
        exports: the folder of exported tenants.
        works: what is being done now, and what failed last.
    """

    def __init__(
        self,
        store: TenantStore,
        hooks: TenantHooks,
        exports: Exports,
        clock: Clock,
        record: Record,
        tenants_max: int = TENANTS_MAX,
    ) -> None:
        self.directory = TenantBook()
        self.exports = exports
        self.tenants_max = tenants_max
        self.works = Works(clock, self._write_failure)
        self._store = store
        self._clock = clock
        self._record = record
        self._onboarding, self._place = Onboarding(store, hooks, clock, record), hooks.place
        self._removal = Removal(store, hooks, exports, clock, self._note)
        self._turns: dict[str, asyncio.Lock] = {}

    async def start(self) -> None:
        """Bring every tenant's tables up to date and read the registry; a failing one waits.

        Raises:
            StoreBusy: the database does not answer.
        """
        failed = await self._store.migrate_all(self._clock.now_ns())
        for tenant, reason in failed.items():
            logger("tenants").error("tenant_not_migrated", tenant_id=tenant, reason=reason)
        for row in await self._store.read():
            self.directory.put(row)

    async def resume_unfinished(self) -> None:
        """Take up what an earlier run began: tenants half made, half deleted or half restored."""
        for row in self.directory.rows():
            if row.lifecycle not in IN_SAGA:
                continue
            try:
                await self.retry(Request(tenant_id=row.tenant_id, by="system"))
                await self.works.settled(row.tenant_id)
            except Plan2Error as error:
                logger("tenants").error(
                    "tenant_not_resumed", tenant_id=row.tenant_id, reason=str(error)
                )

    async def create(self, request: Request, name: str, administrator: str) -> str:
        """Make a tenant; returns the one-time link that its first administrator joins with.

        Raises:
            TenantExists: the id is in use, or was.
            InputError: the id is not 1–48 of a–z, 0–9 and underscore, or there are too many.
            Plan2Error: a step failed; the tenant is there as `failed` and can be retried.
        """
        schema_of(TenantId(request.tenant_id))
        self._store.check_writable()
        if self.directory.row(request.tenant_id) is not None:
            raise TenantExists(
                f"The tenant id {request.tenant_id} is taken, or was.", remedy="Use another id."
            )
        if sum(row.lifecycle != "deleted" for row in self.directory.rows()) >= self.tenants_max:
            raise InputError(
                f"There are {self.tenants_max} tenants, as many as one database carries."
            )
        row = Registered(
            tenant_id=TenantId(request.tenant_id),
            name=name,
            lifecycle="creating",
            administrator=administrator,
            reason=request.reason,
            created_ns=self._clock.now_ns(),
        )
        return await self._make("create", row, request)

    async def retry(self, request: Request) -> str:
        """Take up what failed or was interrupted; returns an invitation if one was made now.

        Raises:
            TenantConflict: nothing about it failed that could be taken up.
            Plan2Error: it failed again.
        """
        row = self._idle(request.tenant_id)
        if row.lifecycle == "creating":
            return await self._make("retry", msgspec.structs.replace(row, detail=""), request)
        if row.lifecycle == "deleting":
            self._remove(msgspec.structs.replace(row, detail=""), request.by)
        elif row.lifecycle == "restoring":
            path = self.exports.find(source_of(row))
            self._bring_back(msgspec.structs.replace(row, detail=""), path, request.by)
        elif row.lifecycle in LIVING and not row.is_current:
            work = self.works.begin("retry", row.tenant_id, lambda _: self._migrate(row))
            await asyncio.shield(work)
        else:
            raise TenantConflict(f"Tenant {row.tenant_id} has nothing that could be taken up.")
        return ""

    async def suspend(self, request: Request) -> None:
        """Close every channel of a tenant at once; durable when this returns.

        Raises:
            TenantConflict: it is the main tenant, or is not served.
            TenantWorkFailed: it holds, but could not be written down.
        """
        row = self._other_than_main(request.tenant_id)
        if row.lifecycle not in LIVING:
            raise TenantConflict(f"Tenant {row.tenant_id} is {row.lifecycle}, so not served.")
        self._stand(row.tenant_id, "suspended", request.reason)
        async with self._turn(row.tenant_id):
            if self._known(row.tenant_id).lifecycle not in LIVING:
                return  # it is being deleted meanwhile, so it is closed anyway
            self._stand(row.tenant_id, "suspended", request.reason)
            try:
                await self._store.set_lifecycle(row.tenant_id, "suspended", reason=request.reason)
            except Plan2Error as error:
                raise TenantWorkFailed(
                    f"Tenant {row.tenant_id} is suspended, but only until the next start: "
                    f"{error.message}",
                    remedy=error.remedy,
                ) from error
        self._note(row.tenant_id, "suspended", request.reason, request.by)

    async def resume(self, request: Request) -> None:
        """Serve a suspended tenant again.

        Raises:
            TenantConflict: it is not suspended.
        """
        async with self._turn(self._known(request.tenant_id).tenant_id):
            row = self._known(request.tenant_id)
            if row.lifecycle != "suspended":
                raise TenantConflict(f"Tenant {row.tenant_id} is not suspended.")
            await self._store.set_lifecycle(row.tenant_id, "served")
            if self._known(row.tenant_id).lifecycle == "suspended":
                self._stand(row.tenant_id, "served", "")
        self._note(row.tenant_id, "resumed", request.reason, request.by)

    def export(self, request: Request) -> None:
        """Begin to write a tenant into a file while it goes on; `works` shows how far it is.

        Raises:
            ConfigError: the administrator's address is not set; so raise all that change something.
            TenantConflict: something is being done about it, or it has no tables.
        """
        self._store.check_writable()
        row = self._idle(request.tenant_id)
        if row.lifecycle not in LIVING:
            raise TenantConflict(f"Tenant {row.tenant_id} is {row.lifecycle}: nothing to export.")
        purpose = request.reason or "export"
        self.works.begin(
            "export",
            row.tenant_id,
            lambda tell: self._removal.export(row, request.by, purpose, tell),
            self._place(row.tenant_id),
        )

    def delete(self, request: Request) -> None:
        """Begin to export a tenant and then to remove it for good; it is closed at once.

        Raises:
            TenantConflict: it is the main tenant, is worked on, or has something at its broker.
        """
        self._store.check_writable()
        row = self._idle(self._other_than_main(request.tenant_id).tenant_id)
        self._removal.check_flat(row.tenant_id)
        if row.lifecycle not in {*LIVING, "creating", "restoring"}:
            raise TenantConflict(f"Tenant {row.tenant_id} is {row.lifecycle} already.")
        going = msgspec.structs.replace(row, lifecycle="deleting", reason=request.reason, detail="")
        self._remove(going, request.by)

    def restore(self, request: Request, file: str) -> None:
        """Begin to make a tenant anew from an export; it comes back suspended.

        Raises:
            InputError: there is no such export, or it is another tenant's.
            TenantExists: the tenant is there; only a deleted or unknown one can be restored.
        """
        self._store.check_writable()
        path = self.exports.find(file)
        manifest = read_manifest(path)
        if manifest.tenant_id != request.tenant_id or request.tenant_id == MAIN_TENANT:
            raise InputError(f"{file} holds tenant {manifest.tenant_id}, which it cannot become.")
        there = self.directory.row(request.tenant_id)
        if there is not None and there.lifecycle not in {"deleted", "restoring"}:
            raise TenantExists(
                f"Tenant {request.tenant_id} is there.",
                remedy="Delete it first; its present state is exported then.",
            )
        if there is not None:
            self._idle(request.tenant_id)
        self._bring_back(
            returning(manifest, path.name, request.reason, self._clock.now_ns()), path, request.by
        )

    async def close(self) -> None:
        """Stop; what is under way is taken up at the next start."""
        await self.works.close()

    async def _make(self, kind: str, row: Registered, request: Request) -> str:
        """Run the saga to its end even when the caller goes away."""
        self.directory.put(row)

        async def saga(tell: Tell) -> str:
            invitation = await self._onboarding.run(row, request.by, tell)
            self._note(row.tenant_id, "created", request.reason or row.reason, request.by)
            await self._refresh(row.tenant_id)
            return invitation

        return await asyncio.shield(self.works.begin(kind, row.tenant_id, saga))

    def _remove(self, row: Registered, by: str) -> None:
        self.directory.put(row)

        async def removal(tell: Tell) -> str:
            async with self._turn(row.tenant_id):
                await self._store.set_lifecycle(row.tenant_id, "deleting", reason=row.reason)
            await self._removal.delete(row, by, tell)
            return await self._refresh(row.tenant_id)

        self.works.begin("delete", row.tenant_id, removal)

    def _bring_back(self, row: Registered, path: Path, by: str) -> None:
        self.directory.put(row)

        async def restore(tell: Tell) -> str:
            await self._removal.restore(row, path, by, tell)
            return await self._refresh(row.tenant_id)

        self.works.begin("restore", row.tenant_id, restore)

    async def _migrate(self, row: Registered) -> str:
        try:
            await self._store.migrate(row.tenant_id)
            await self._store.make_months(row.tenant_id, self._clock.now_ns())
        finally:
            await self._refresh(row.tenant_id)
        return ""

    async def _refresh(self, tenant: TenantId) -> str:
        """Show what the registry says now; a suspension that is not written down yet stays."""
        shown = self._known(tenant)
        for fresh in await self._store.read():
            if fresh.tenant_id == tenant:
                if shown.lifecycle == "suspended":
                    fresh = msgspec.structs.replace(
                        fresh, lifecycle="suspended", reason=shown.reason
                    )
                self.directory.put(fresh)
        return ""

    async def _write_failure(self, tenant: TenantId, error: Plan2Error) -> None:
        """Show and write down why a saga stopped, and how far it came."""
        row = self._known(tenant)
        if row.lifecycle in IN_SAGA:
            self.directory.put(msgspec.structs.replace(row, detail=str(error)))
            await self._store.set_lifecycle(
                tenant, row.lifecycle, reason=row.reason, detail=str(error)
            )
            await self._refresh(tenant)

    def _stand(self, tenant: TenantId, lifecycle: str, reason: str) -> None:
        row = self._known(tenant)
        self.directory.put(msgspec.structs.replace(row, lifecycle=lifecycle, reason=reason))

    def _note(self, tenant: TenantId, change: str, reason: str, by: str) -> None:
        event = TenantChanged(
            ts_ns=self._clock.now_ns(), tenant=tenant, change=change, reason=reason, by=by
        )
        self._record(MAIN_TENANT, f"tenant:{tenant}", event, actor=by)

    def _turn(self, tenant: TenantId) -> asyncio.Lock:
        return self._turns.setdefault(tenant, asyncio.Lock())

    def _known(self, tenant_id: str) -> Registered:
        row = self.directory.row(tenant_id)
        if row is None:
            raise TenantUnknown(f"There is no tenant {tenant_id!r}.")
        return row

    def _idle(self, tenant_id: str) -> Registered:
        row = self._known(tenant_id)
        work = self.works.on(tenant_id)
        if work is not None:
            raise TenantConflict(
                f"Tenant {tenant_id} is busy: {work.kind} is under way.", remedy="Wait for its end."
            )
        return row

    def _other_than_main(self, tenant_id: str) -> Registered:
        row = self._known(tenant_id)
        if tenant_id == MAIN_TENANT:
            raise TenantConflict(
                f"Tenant {MAIN_TENANT} is the installation's own: it can be neither suspended nor "
                "deleted.",
                remedy="Stop `plan2 serve` to end all service.",
            )
        return row
