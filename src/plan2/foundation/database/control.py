"""The schema above the tenants: who they are, where they stand, and who crossed their fences.

`ensure_control` runs at every start. Each statement may be repeated, so a database that an earlier
version made is brought up to date without a history of revisions. Only the owner writes here; the
application's role reads the list of tenants.
"""

from typing import Final

import psycopg
from psycopg import sql

from plan2.foundation.database.tenancy import (
    ADMIN_JOB_ROLE,
    APP_ROLE,
    CONTROL_SCHEMA,
    OWNER_ROLE,
)

LIFECYCLES: Final = ("creating", "served", "suspended", "deleting", "deleted", "restoring")
"""Where a tenant stands as a customer; `state` says where its schema stands."""

NOW_NS: Final = "(extract(epoch from clock_timestamp()) * 1000000)::bigint * 1000"

TABLES: Final = (
    f"""create table if not exists {CONTROL_SCHEMA}.tenant (
        tenant_id text primary key,
        schema_name text not null unique,
        state text not null
            check (state in ('migrating', 'ready', 'failed', 'suspended')),
        target_revision text not null,
        actual_revision text not null default '',
        detail text not null default '',
        updated_at timestamptz not null default now())""",
    f"""alter table {CONTROL_SCHEMA}.tenant
        add column if not exists name text not null default '',
        add column if not exists lifecycle text not null default 'served'
            check (lifecycle in ('{"', '".join(LIFECYCLES)}')),
        add column if not exists steps_done text[] not null default '{{}}',
        add column if not exists administrator text not null default '',
        add column if not exists reason text not null default '',
        add column if not exists created_ns bigint not null default {NOW_NS}""",
    # Where a tenant stood as a customer was once a state of its schema, which migrating forgot.
    """update plan2.tenant
        set lifecycle = 'suspended', state = 'ready' where state = 'suspended'""",
    f"""create table if not exists {CONTROL_SCHEMA}.admin_use (
        use_id bigint generated always as identity primary key,
        at timestamptz not null default clock_timestamp(),
        role_name text not null,
        tenant_id text not null,
        purpose text not null,
        used_by text not null)""",
    f"grant select on {CONTROL_SCHEMA}.tenant to {APP_ROLE}",
)
LOCK_KEY: Final = "plan2 prepares its control schema"


def ensure_control(connection: psycopg.Connection) -> None:
    """Create the control schema, or bring it up to date; commits with the caller's transaction.

    Args:
        connection: of a role that may become the owner, in the database of Plan2.
    """
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [LOCK_KEY])
    if connection.execute("select to_regnamespace(%s)", [CONTROL_SCHEMA]).fetchone() == (None,):
        _close_database(connection)
    connection.execute(f"set local role {OWNER_ROLE}")
    for statement in TABLES:
        connection.execute(statement)
    connection.execute("set local role none")


def _close_database(connection: psycopg.Connection) -> None:
    """Take away what everybody may do in a new database, and make the schema."""
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("revoke all on database {} from public").format(database))
    connection.execute(
        sql.SQL("grant connect on database {} to {}, {}").format(
            database, sql.Identifier(APP_ROLE), sql.Identifier(OWNER_ROLE)
        )
    )
    connection.execute(
        sql.SQL("grant create on database {} to {}").format(database, sql.Identifier(OWNER_ROLE))
    )
    connection.execute("revoke all on schema public from public")
    connection.execute(f"create schema {CONTROL_SCHEMA} authorization {OWNER_ROLE}")
    connection.execute(f"grant usage on schema {CONTROL_SCHEMA} to {APP_ROLE}")


def may_read_as_admin_job(connection: psycopg.Connection) -> bool:
    """Whether this connection may become the role that reads across tenants."""
    row = connection.execute(
        "select pg_has_role(session_user, oid, 'MEMBER') from pg_roles where rolname = %s",
        [ADMIN_JOB_ROLE],
    ).fetchone()
    return row == (True,)
