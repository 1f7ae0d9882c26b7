"""Telegram: which chat is whose, sealed with the person's key."""

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table."""
    create_tenant_table(
        "telegram_chat",
        "pairing_id text primary key, user_id text not null references app_user, "
        "sealed bytea not null, paired_ns bigint not null",
        app_may="select, insert, delete",
    )
    op.execute("create index telegram_chat_user on telegram_chat (user_id)")


def downgrade() -> None:
    """Drop it."""
    drop_tenant_table("telegram_chat")
