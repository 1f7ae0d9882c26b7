"""The broker account that a tenant other than the first is bound to; at most one at a time.

`sealed` is the sealed name of the account: login and server.
"""

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table."""
    create_tenant_table(
        "tenant_broker",
        "slot boolean primary key default true check (slot), account_id text not null, "
        "mode text not null check (mode in ('demo', 'contest', 'real')), sealed bytea not null, "
        "bound_by text not null, bound_ns bigint not null",
        app_may="select, insert, delete",
    )


def downgrade() -> None:
    """Drop it."""
    drop_tenant_table("tenant_broker")
