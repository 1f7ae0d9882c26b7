"""Settings and flags of tenants and people; sealed keys.

`tenant_key` and `subject_key` hold keys only wrapped: a tenant's by the root key, a person's by the
tenant's. A person is erased by deleting their row and naming them in `erased_subject` for good.
"""

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables."""
    create_tenant_table(
        "setting",
        "scope text not null check (scope in ('global', 'tenant', 'user')), "
        "subject text not null, key text not null, value text, "
        "is_locked boolean not null default false, changed_ns bigint not null, "
        "changed_by text not null, reason text not null, primary key (scope, subject, key), "
        "check (value is not null or is_locked)",
        app_may="select, insert, update, delete",
    )
    create_tenant_table(
        "tenant_key",
        "version integer primary key, key_id text not null unique, root_key text not null, "
        "wrapped bytea not null, created_ns bigint not null",
        app_may="select, insert, update, delete",
    )
    create_tenant_table(
        "subject_key",
        "subject text primary key, key_id text not null unique, tenant_key text not null, "
        "wrapped bytea not null, created_ns bigint not null",
        app_may="select, insert, update, delete",
    )
    create_tenant_table(
        "erased_subject",
        "subject text primary key, erased_ns bigint not null",
        app_may="select, insert",
    )
    create_tenant_table(
        "key_rotation",
        "rotation_id text primary key, level text not null check (level in ('root', 'tenant')), "
        "old_key text not null, new_key text not null, rewrapped integer not null default 0, "
        "started_by text not null, started_ns bigint not null, finished_ns bigint",
        app_may="select, insert, update",
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("key_rotation", "erased_subject", "subject_key", "tenant_key", "setting"):
        drop_tenant_table(name)
