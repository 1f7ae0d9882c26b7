"""Names of tenants, schemas and roles, and the guard that keeps a task inside its tenant.

A tenant's id appears in SQL as part of a schema name, so its alphabet is closed here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from plan2.foundation.errors import InputError, require
from plan2.foundation.values import TenantId

OWNER_ROLE = "p2_owner"
APP_ROLE = "p2_app"
ADMIN_JOB_ROLE = "p2_admin_job"
CONTROL_SCHEMA = "plan2"
DATABASE = "plan2"

MAIN_TENANT = TenantId("default")
"""The tenant of an installation that serves one party."""

TENANT_PATTERN = re.compile(r"[a-z0-9_]{1,48}")

IN_CONTEXT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')"
"""True for rows of the tenant of this transaction; outside one the setting reads ''."""

_scope: ContextVar[TenantId | None] = ContextVar("plan2_tenant", default=None)


def schema_of(tenant: TenantId) -> str:
    """The schema that holds a tenant's tables.

    Raises:
        InputError: the id is not 1–48 of a–z, 0–9 and underscore.
    """
    if not TENANT_PATTERN.fullmatch(tenant):
        raise InputError(
            f"Tenant id {tenant!r} is not usable: 1 to 48 characters a-z, 0-9 or _ are expected."
        )
    return f"t_{tenant}"


def protection(table: str) -> tuple[str, ...]:
    """The statements that force row-level security on a table with a `tenant_id`."""
    return (
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy only_own_tenant on {table} using ({IN_CONTEXT}) with check ({IN_CONTEXT})",
    )


@contextmanager
def tenant_scope(tenant: TenantId) -> Iterator[None]:
    """Bind the current task (and tasks started inside) to one tenant.

    Raises:
        InvariantBroken: the task is bound to another tenant already.
    """
    checked_tenant(tenant)
    token = _scope.set(tenant)
    try:
        yield
    finally:
        _scope.reset(token)


def checked_tenant(tenant: TenantId | None) -> TenantId:
    """The tenant to work for: the one named, if the task may, or else the task's own.

    Raises:
        InvariantBroken: none is named and the task has none, or it is bound to another one.
    """
    bound = _scope.get()
    if tenant is None:
        require(bound is not None, "a unit of work needs a tenant, and this task is bound to none")
        return TenantId(str(bound))
    require(
        bound is None or bound == tenant,
        f"a task of tenant {bound} must not touch tenant {tenant}",
    )
    return tenant
