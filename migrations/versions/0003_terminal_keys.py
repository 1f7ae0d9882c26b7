"""Keys of terminals on other machines; a key is kept as SHA-256 of 256 random bits."""

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    create_tenant_table(
        "terminal_key",
        "key_id text primary key, secret_hash bytea not null unique, account_id text not null, "
        "label text not null, created_ns bigint not null, revoked_ns bigint",
        app_may="select, insert, update",
    )


def downgrade() -> None:
    """Drop it."""
    drop_tenant_table("terminal_key")
