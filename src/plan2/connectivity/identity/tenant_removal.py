"""The long journeys of a tenant's data: out into a file, away for good, and back again.

Deleting keeps its order on record: drained, exported, forgotten by everybody else, dropped, buried.
An interrupted one goes on with what is left to do; an export that is there is not made again. An
interrupted restore begins anew from the same file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from plan2.connectivity.identity.onboarding import STEPS, TenantHooks
from plan2.connectivity.identity.tenant_requests import TenantConflict
from plan2.connectivity.identity.tenant_store import TenantStore
from plan2.connectivity.identity.tenant_work import Exports
from plan2.foundation.clock import Clock
from plan2.foundation.database.registry import Registered
from plan2.foundation.database.tenant_archive import Errand, Manifest, Tell
from plan2.foundation.values import TenantId

EXPORTED: Final = "exported"
SOURCE: Final = "from:"
"""How the step begins that names the export which a tenant comes back from."""


def returning(manifest: Manifest, file: str, reason: str, now_ns: int) -> Registered:
    """The row of a tenant that comes back from an export, and remembers which one."""
    return Registered(
        tenant_id=TenantId(manifest.tenant_id),
        name=manifest.name,
        lifecycle="restoring",
        steps_done=(*STEPS, SOURCE + file),
        reason=reason,
        created_ns=now_ns,
    )


def source_of(row: Registered) -> str:
    """The export that a tenant comes back from; empty when it does not say."""
    named = (step.removeprefix(SOURCE) for step in row.steps_done if step.startswith(SOURCE))
    return next(named, "")


Note = Callable[[TenantId, str, str, str], None]
"""Writes (tenant, change, reason, by) into the main tenant's log."""


class Removal:
    """Exports, deletes and restores.

    Args:
        store: registry and schemas. hooks: what others do when a tenant goes.
        exports: where the files are. clock: wall time. note: writes the facts down.
    """

    def __init__(
        self, store: TenantStore, hooks: TenantHooks, exports: Exports, clock: Clock, note: Note
    ) -> None:
        self._store = store
        self._hooks = hooks
        self._exports = exports
        self._clock = clock
        self._note = note

    def check_flat(self, tenant: TenantId) -> None:
        """Refuse to remove a tenant whose broker account would be left alone with what it holds.

        Raises:
            TenantConflict: something is open there, or it cannot be told.
        """
        still_open = self._hooks.still_open(tenant)
        if still_open:
            raise TenantConflict(
                f"Tenant {tenant} cannot be deleted now: {still_open}.",
                remedy="Suspend it: that closes everything at its broker. Delete it once "
                "`plan2 tenant broker show` says that nothing is open there.",
            )

    async def export(self, row: Registered, by: str, purpose: str, tell: Tell) -> str:
        """Write a tenant into a file; returns the file's name.

        Raises:
            TenantWorkFailed: the database or the disk would not.
        """
        now_ns = self._clock.now_ns()
        target = self._exports.path_for(row.tenant_id, now_ns)
        errand = Errand(
            tenant_id=row.tenant_id, name=row.name, purpose=purpose, by=by, made_ns=now_ns
        )
        manifest = await self._store.export(errand, target, tell)
        rows = sum(table.rows for table in manifest.tables)
        self._note(row.tenant_id, "exported", f"{rows} rows into {target.name} ({purpose})", by)
        return target.name

    async def delete(self, row: Registered, by: str, tell: Tell) -> str:
        """Export a tenant that is closed already, and leave nothing but its tombstone.

        Raises:
            Plan2Error: a step failed; those before it stay done.
        """
        tenant = row.tenant_id
        tell("ending what runs", 0, 0)
        await self._hooks.drain(tenant)
        if row.revision and EXPORTED not in row.steps_done:
            await self.export(row, by, "delete", tell)
            await self._store.note_step(tenant, EXPORTED)
        tell("forgetting", 0, 0)
        for forget in self._hooks.forget:
            await forget(tenant)
        tell("dropping the tables", 0, 0)
        await self._store.drop(tenant)
        await self._store.bury(tenant, row.reason)
        self._note(tenant, "deleted", row.reason, by)
        return ""

    async def restore(self, row: Registered, path: Path, by: str, tell: Tell) -> str:
        """Make a tenant anew from an export; it waits as suspended for a person's look.

        Raises:
            Plan2Error: the file is damaged, or the database would not; only `delete` and another
                `restore` are possible then.
        """
        tenant = row.tenant_id
        await self._store.register(row)
        await self._store.restore(path, self._clock.now_ns(), tell)
        tell("putting right what changed since", 0, 0)
        for put_right in self._hooks.restored:
            await put_right(tenant)
        await self._store.set_lifecycle(
            tenant, "suspended", reason=f"Restored from {path.name}; resume it after a look."
        )
        self._note(tenant, "restored", row.reason, by)
        return ""
