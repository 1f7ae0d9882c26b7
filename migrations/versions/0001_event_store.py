"""The event store of a tenant: log, streams, snapshots, checkpoints.

`log_head` is one row; its lock gives events their gap-free positions and their order of commit.
`event` is partitioned by month, so it cannot carry a unique (stream, version): `stream_head`
decides who appends next, and `seen_event` makes a repeated append harmless. The payload is `json`
and not `jsonb` because the hash covers the very bytes that were written.
"""

from pathlib import Path

from alembic import op

from plan2.foundation.database.tenant_tables import (
    create_tenant_table,
    drop_tenant_table,
    protect,
)

revision = "0001"
down_revision = None

SQL = Path(__file__).parents[1] / "sql"
FUNCTIONS = ("append_events", "ensure_month")
TABLES = (
    "parked_event",
    "checkpoint",
    "snapshot",
    "seen_event",
    "event",
    "stream_head",
    "log_head",
)


def upgrade() -> None:
    """Create tables, rights, guards and the append function."""
    create_tenant_table(
        "log_head",
        "is_head boolean primary key default true check (is_head), pos bigint not null default 0, "
        "hash bytea not null default '\\x', last_at timestamptz not null default 'epoch'",
        app_may="select, update",
        options="with (fillfactor = 50)",
    )
    op.execute("insert into log_head default values")
    create_tenant_table(
        "stream_head",
        "stream_id text primary key, version int not null, last_event_id uuid not null",
        app_may="select, insert, update",
        options="with (fillfactor = 70)",
    )
    _create_event()
    create_tenant_table(
        "seen_event",
        "event_id uuid primary key, pos bigint not null, at timestamptz not null",
        app_may="select, insert",
    )
    create_tenant_table(
        "snapshot",
        "stream_id text not null, version int not null, pos bigint not null, "
        "at timestamptz not null, schema_ver int not null, state bytea not null, "
        "hash bytea not null, primary key (stream_id, version)",
        app_may="select, insert, update, delete",
    )
    create_tenant_table(
        "checkpoint",
        "projection text primary key, pos bigint not null, at timestamptz not null, "
        "code_fingerprint text not null, updated_at timestamptz not null default now()",
        app_may="select, insert, update, delete",
        options="with (fillfactor = 50)",
    )
    create_tenant_table(
        "parked_event",
        "projection text not null, pos bigint not null, at timestamptz not null, "
        "reason text not null, attempts int not null, "
        "parked_at timestamptz not null default now(), primary key (projection, pos)",
        app_may="select, insert, update, delete",
    )
    for name in FUNCTIONS:
        op.execute((SQL / f"0001_{name}.sql").read_text("utf-8"))


def _create_event() -> None:
    create_tenant_table(
        "event",
        "pos bigint not null, at timestamptz not null, stream_id text not null, "
        "version int not null, event_id uuid not null, type text not null, "
        "schema_ver int not null, actor text not null, correlation_id text not null, "
        "causation_id text not null, source_ts bigint not null, payload json not null, "
        "sealed bytea, key_id text not null, prev bytea not null, hash bytea not null, "
        "primary key (pos, at)",
        app_may="select, insert",
        options="partition by range (at)",
    )
    op.execute("create index event_stream on event (stream_id, version)")
    op.execute("create index event_at on event using brin (at)")
    op.execute("create table event_default partition of event default")
    protect("event_default")


def downgrade() -> None:
    """Drop everything."""
    op.execute(
        "drop function append_events, ensure_month, framed, us_of, at_of, refuse_change cascade"
    )
    for name in TABLES:
        drop_tenant_table(name)
