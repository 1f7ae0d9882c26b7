"""People: passwords, sessions of tokens, refresh tokens, signing keys.

Addresses and browsers of sessions are not stored. Signing keys lie in the main tenant only, sealed;
refresh tokens as SHA-256. Failed tries are counted in memory.
"""

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0004"
down_revision = "0003"

NEW_OF_USER = (
    "name_key text",
    "is_operator boolean not null default false",
    "password_hash text not null default ''",
    "is_blocked boolean not null default false",
    "created_ns bigint not null default 0",
    "password_ns bigint not null default 0",
)
NEW_OF_SESSION = (
    "via text not null default 'cookie'",
    "parent_id text not null default ''",
    "proven_ns bigint not null default 0",
    "last_seen_ns bigint not null default 0",
)


def upgrade() -> None:
    """Widen people and sessions, and create the tables of tokens."""
    for column in NEW_OF_USER:
        op.execute(f"alter table app_user add column {column}")
    op.execute(
        "update app_user set name_key = lower(name), "
        "created_ns = (extract(epoch from created_at) * 1000000)::bigint * 1000"
    )
    op.execute("alter table app_user alter column name_key set not null")
    op.execute("create unique index app_user_key on app_user (name_key)")
    for column in NEW_OF_SESSION:
        op.execute(f"alter table user_session add column {column}")
    create_tenant_table(
        "refresh_token",
        "token_hash bytea primary key, "
        "session_id text not null references user_session on delete cascade, "
        "issued_ns bigint not null, used_ns bigint not null default 0, "
        "salt text not null default ''",
        app_may="select, insert, update, delete",
    )
    op.execute("create index refresh_token_session on refresh_token (session_id)")
    create_tenant_table(
        "signing_key",
        "key_id text primary key, sealed bytea not null, created_ns bigint not null, "
        "retires_ns bigint not null default 0",
        app_may="select, insert, update, delete",
    )


def downgrade() -> None:
    """Drop what was added."""
    drop_tenant_table("signing_key")
    drop_tenant_table("refresh_token")
    for table, columns in (("user_session", NEW_OF_SESSION), ("app_user", NEW_OF_USER)):
        for column in columns:
            op.execute(f"alter table {table} drop column {column.split()[0]}")
