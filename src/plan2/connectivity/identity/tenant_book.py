"""Every tenant in memory: what the gateway asks on each request, and whom it tells of a change."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from plan2.connectivity.identity.directory import Tenant, TenantState
from plan2.foundation.database.registry import Registered

UNDER_WAY: Final = {
    "creating": "It is being made.",
    "deleting": "It is being deleted.",
    "restoring": "It is being restored.",
}


class TenantBook:
    """The directory of tenants; implements `TenantDirectory`.

    A change is visible, and every listener was called, when `put` returns.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Registered] = {}
        self._shown: dict[str, Tenant] = {}
        self._listeners: list[Callable[[Tenant], None]] = []

    def find(self, tenant_id: str) -> Tenant | None:
        """A tenant, or None."""
        return self._shown.get(tenant_id)

    def is_served(self, tenant_id: str) -> bool:
        """Whether its people, programs and accounts may do anything: it is ready."""
        found = self._shown.get(tenant_id)
        return found is not None and found.state is TenantState.READY

    def all(self) -> Sequence[Tenant]:
        """Every tenant, by id, tombstones too."""
        return [self._shown[tenant_id] for tenant_id in sorted(self._shown)]

    def on_change(self, listener: Callable[[Tenant], None]) -> None:
        """Call `listener`, synchronously, whenever a tenant's state changes; it must not fail."""
        self._listeners.append(listener)

    def row(self, tenant_id: str) -> Registered | None:
        """What the registry says about a tenant."""
        return self._rows.get(tenant_id)

    def rows(self) -> Sequence[Registered]:
        """What the registry says about every tenant, by id."""
        return [self._rows[tenant_id] for tenant_id in sorted(self._rows)]

    def put(self, row: Registered) -> None:
        """Show a tenant as it stands now; tells the listeners when its state is another one.

        A listener that fails keeps no other one from being told; its error is raised at the end.
        """
        state, detail = _state_of(row)
        now = Tenant(
            tenant_id=row.tenant_id,
            name=row.name,
            state=state,
            detail=detail,
            created_ns=row.created_ns,
        )
        before = self._shown.get(row.tenant_id)
        self._rows[row.tenant_id], self._shown[row.tenant_id] = row, now
        if before is not None and before.state is state:
            return
        with ExitStack() as calls:
            for listener in reversed(self._listeners):
                calls.callback(listener, now)


def _state_of(row: Registered) -> tuple[TenantState, str]:
    """Where a tenant stands for everybody else, and why."""
    if row.lifecycle == "deleted":
        return TenantState.DELETED, row.reason
    if row.lifecycle in UNDER_WAY:
        if row.detail:
            return TenantState.FAILED, row.detail
        working = TenantState.MIGRATING if row.lifecycle == "creating" else TenantState.SUSPENDED
        return working, UNDER_WAY[row.lifecycle]
    if row.lifecycle == "suspended":
        return TenantState.SUSPENDED, row.reason
    if row.is_current:
        return TenantState.READY, ""
    if row.schema_state == "failed":
        return TenantState.FAILED, row.detail
    return TenantState.MIGRATING, f"Its tables stand at revision {row.revision or 'none'}."
