"""The list of tenants in the control schema: read as the application, written as the owner.

Every call blocks and opens a connection of its own; they are rare.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psycopg
from sqlalchemy import URL

from plan2.foundation.database.migrate import newest_revision
from plan2.foundation.database.roles import Access, connect
from plan2.foundation.database.tenancy import OWNER_ROLE, schema_of
from plan2.foundation.errors import ConfigError
from plan2.foundation.values import TenantId


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's row in the registry.

    Attributes:
        lifecycle: where it stands as a customer: see `control.LIFECYCLES`.
        schema_state: where its schema stands: `migrating`, `ready` or `failed`.
        is_current: the schema is ready at the newest revision.
        detail: what went wrong last with schema or saga; "" when nothing did.
        steps_done: the steps of the saga under way that need not be repeated.
        administrator: name of the person to be invited first.
        reason: why it was suspended or deleted.
    """

    tenant_id: TenantId
    name: str
    lifecycle: str
    schema_state: str = "migrating"
    revision: str = ""
    is_current: bool = False
    detail: str = ""
    steps_done: tuple[str, ...] = ()
    administrator: str = ""
    reason: str = ""
    created_ns: int = 0


SELECT = (
    "select tenant_id, name, lifecycle, state, actual_revision, detail, steps_done, "
    "administrator, reason, created_ns from plan2.tenant "
)


def admin_of(access: Access) -> URL:
    """The administrator's address.

    Raises:
        ConfigError: there is none, so tenants can neither be made nor changed.
    """
    if access.admin is None:
        raise ConfigError(
            "Tenants cannot be made, changed or exported: database.admin_url is not set.",
            remedy="Set database.admin_url to a role that may become p2_owner, and start again.",
        )
    return access.admin


def read_tenants(access: Access) -> list[Registered]:
    """Every tenant ever registered, by id, tombstones too."""
    newest = newest_revision()
    with connect(access.app) as connection:
        rows = connection.execute(SELECT + "order by tenant_id").fetchall()
    return [
        Registered(
            tenant_id=TenantId(row[0]),
            name=row[1],
            lifecycle=row[2],
            schema_state=row[3],
            revision=row[4],
            is_current=(row[3], row[4]) == ("ready", newest),
            detail=row[5],
            steps_done=tuple(row[6]),
            administrator=row[7],
            reason=row[8],
            created_ns=row[9],
        )
        for row in rows
    ]


def register_tenant(access: Access, tenant: Registered) -> None:
    """Write down a new tenant, or one that takes the place of its tombstone; the rest stays."""
    with as_owner(access) as connection:
        connection.execute(
            """insert into plan2.tenant (tenant_id, schema_name, state, target_revision, name,
                   lifecycle, steps_done, administrator, reason, created_ns)
               values (%s, %s, 'migrating', %s, %s, %s, %s, %s, %s, %s)
               on conflict (tenant_id) do update set name = excluded.name, detail = '',
                   lifecycle = excluded.lifecycle, steps_done = excluded.steps_done,
                   administrator = excluded.administrator, reason = excluded.reason,
                   created_ns = excluded.created_ns, updated_at = now()""",
            (
                tenant.tenant_id,
                schema_of(tenant.tenant_id),
                newest_revision(),
                tenant.name,
                tenant.lifecycle,
                list(tenant.steps_done),
                tenant.administrator,
                tenant.reason,
                tenant.created_ns,
            ),
        )


def note_step(access: Access, tenant: TenantId, step: str) -> None:
    """Write down that a step of the saga under way need not be repeated."""
    with as_owner(access) as connection:
        connection.execute(
            "update plan2.tenant set steps_done = steps_done || %s::text, updated_at = now() "
            "where tenant_id = %s and not %s = any(steps_done)",
            (step, tenant, step),
        )


def set_lifecycle(
    access: Access, tenant: TenantId, lifecycle: str, *, reason: str = "", detail: str = ""
) -> None:
    """Write down where a tenant stands as a customer, why, and what went wrong."""
    with as_owner(access) as connection:
        connection.execute(
            "update plan2.tenant set lifecycle = %s, reason = %s, detail = %s, updated_at = now() "
            "where tenant_id = %s",
            (lifecycle, reason, detail, tenant),
        )


def bury_tenant(access: Access, tenant: TenantId, reason: str) -> None:
    """Leave nothing of a tenant but its id, when it was there, and why it is not any more."""
    with as_owner(access) as connection:
        connection.execute(
            """update plan2.tenant set lifecycle = 'deleted', state = 'ready', name = '',
                   actual_revision = '', detail = '', administrator = '', steps_done = '{}',
                   reason = %s, updated_at = now()
               where tenant_id = %s""",
            (reason, tenant),
        )


@contextmanager
def as_owner(access: Access) -> Iterator[psycopg.Connection]:
    """A transaction of the owner of the control schema.

    Raises:
        ConfigError: there is no administrator's address.
        StoreBusy: the administrator cannot log in.
    """
    with connect(admin_of(access)) as connection:
        connection.execute(f"set local role {OWNER_ROLE}")
        yield connection
