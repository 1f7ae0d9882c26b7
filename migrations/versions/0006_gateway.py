"""Answers of unsafe requests by idempotency key."""

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table; without status a request is under way, or was broken off."""
    create_tenant_table(
        "kept_answer",
        "user_id text not null, key_hash bytea not null, fingerprint bytea not null, "
        "claimed_ns bigint not null, status int, headers json, body bytea, "
        "is_whole boolean not null default true, primary key (user_id, key_hash)",
        app_may="select, insert, update, delete",
    )
    op.execute("create index kept_answer_claimed on kept_answer (claimed_ns)")


def downgrade() -> None:
    """Drop it."""
    drop_tenant_table("kept_answer")
