"""Second factors, API keys, invitations, approvals.

No secret lies here in the clear: seeds are sealed and bound to their row; backup codes (120 random
bits), keys and invitations (256) are kept as SHA-256.
"""

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0005"
down_revision = "0004"

ALL = "select, insert, update, delete"
TABLES = ("approval", "invitation", "api_key", "backup_code", "second_factor")


def upgrade() -> None:
    """Create the tables."""
    create_tenant_table(
        "second_factor",
        "factor_id text primary key, user_id text not null references app_user, "
        "seed bytea not null, begun_ns bigint not null, confirmed_ns bigint, "
        "last_step bigint not null default -1",
        app_may=ALL,
    )
    for name, state in (("waiting", "null"), ("confirmed", "not null")):
        op.execute(
            f"create unique index second_factor_{name} on second_factor (user_id) "
            f"where confirmed_ns is {state}"
        )
    create_tenant_table(
        "backup_code",
        "code_hash bytea primary key, user_id text not null references app_user, used_ns bigint",
        app_may=ALL,
    )
    op.execute("create index backup_code_user on backup_code (user_id)")
    _create_keys()
    _create_approvals()


def _create_keys() -> None:
    create_tenant_table(
        "api_key",
        "key_id text primary key, secret_hash bytea not null unique, environment text not null, "
        "user_id text not null references app_user, role text not null, label text not null, "
        "scopes text[] not null, networks text[] not null, created_ns bigint not null, "
        "created_by text not null, expires_ns bigint not null, last_used_ns bigint, "
        "revoked_ns bigint, revoked_reason text not null default ''",
        app_may="select, insert, update",
    )
    create_tenant_table(
        "invitation",
        "token_hash bytea primary key, user_id text not null references app_user, "
        "purpose text not null, expires_ns bigint not null, used_ns bigint",
        app_may=ALL,
    )
    op.execute("create index invitation_user on invitation (user_id)")


def _create_approvals() -> None:
    create_tenant_table(
        "approval",
        "approval_id text primary key, kind text not null, payload text not null, "
        "summary text not null, content_hash text not null, ask_reason text not null, "
        "proposed_by text not null, proposed_ns bigint not null, expires_ns bigint not null, "
        "state text not null, decided_by text not null default '', decided_ns bigint, "
        "reason text not null default '', outcome text not null default ''",
        app_may="select, insert, update",
    )
    op.execute("create index approval_proposed on approval (proposed_ns)")
    op.execute("create index approval_open on approval (expires_ns) where state = 'open'")


def downgrade() -> None:
    """Drop them."""
    for name in TABLES:
        drop_tenant_table(name)
