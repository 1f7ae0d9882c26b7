"""Jobs: long work of a tenant, how far it is, how it ended, and what it wrote."""

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    create_tenant_table(
        "job",
        "job_id text primary key, kind text not null, parameters json not null, "
        "state text not null check (state in "
        "('waiting', 'running', 'done', 'failed', 'cancelled', 'interrupted')), "
        "asked_by text not null, asked_ns bigint not null, "
        "started_ns bigint not null default 0, ended_ns bigint not null default 0, "
        "fraction double precision not null default 0 check (fraction between 0 and 1), "
        "message text not null default '', result json, failure json, "
        "log json not null default '[]', log_dropped int not null default 0",
        app_may="select, insert, update, delete",
    )
    op.execute("create index job_asked on job (asked_ns desc)")


def downgrade() -> None:
    """Drop it."""
    drop_tenant_table("job")
