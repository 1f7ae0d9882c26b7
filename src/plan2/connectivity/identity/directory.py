"""What the gateway and the composition root ask about tenants, from memory, on every request."""

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from plan2.foundation.values import TenantId


class TenantState(enum.StrEnum):
    """Where a tenant stands."""

    MIGRATING = "migrating"
    READY = "ready"
    FAILED = "failed"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    """Only its tombstone is left."""


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant as the registry shows it."""

    tenant_id: TenantId
    name: str
    state: TenantState
    detail: str
    created_ns: int


class TenantDirectory(Protocol):
    """Every tenant of this installation, always up to date in memory."""

    def find(self, tenant_id: str) -> Tenant | None:
        """A tenant, or None."""
        ...

    def is_served(self, tenant_id: str) -> bool:
        """Whether its people, programs and accounts may do anything: it is ready."""
        ...

    def all(self) -> Sequence[Tenant]:
        """Every tenant, by id."""
        ...

    def on_change(self, listener: Callable[[Tenant], None]) -> None:
        """Call `listener`, synchronously, whenever a tenant's state changes."""
        ...
