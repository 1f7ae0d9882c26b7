"""People and their sessions; the read models of the interface.

Read models keep the item that pages show as JSON; the columns beside it are what queries filter
and page by. Secrets are kept as SHA-256 of 256 random bits.
"""

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0002"
down_revision = "0001"

ALL = "select, insert, update, delete"
TABLES = (
    "equity_view",
    "position_view",
    "fill_view",
    "order_view",
    "decision_view",
    "user_session",
    "signin_token",
    "app_user",
)


def upgrade() -> None:
    """Create identity tables and view tables."""
    _create_identity()
    _create_views()


def downgrade() -> None:
    """Drop everything."""
    for name in TABLES:
        drop_tenant_table(name)


def _create_identity() -> None:
    create_tenant_table(
        "app_user",
        "user_id text primary key, name text not null unique, role text not null, "
        "created_at timestamptz not null default now()",
        app_may="select, insert, update",
    )
    create_tenant_table(
        "signin_token",
        "token_hash bytea primary key, user_id text not null references app_user, "
        "expires_ns bigint not null, used_ns bigint",
        app_may=ALL,
    )
    create_tenant_table(
        "user_session",
        "session_id text primary key, secret_hash bytea not null unique, "
        "user_id text not null references app_user, created_ns bigint not null, "
        "expires_ns bigint not null, revoked_ns bigint",
        app_may=ALL,
    )


def _create_views() -> None:
    create_tenant_table(
        "decision_view",
        "pos bigint primary key, decision_id text not null unique, symbol text not null, "
        "outcome text not null, reason text not null, item json not null",
        app_may=ALL,
    )
    op.execute("create index decision_view_symbol on decision_view (symbol, pos)")
    op.execute("create index decision_view_outcome on decision_view (outcome, pos)")
    create_tenant_table(
        "order_view",
        "order_id text primary key, first_pos bigint not null unique, decision_id text not null, "
        "item json not null",
        app_may=ALL,
        options="with (fillfactor = 80)",
    )
    op.execute("create index order_view_decision on order_view (decision_id)")
    create_tenant_table(
        "fill_view",
        "fill_id text primary key, pos bigint not null unique, order_id text not null, "
        "position_id text not null, item json not null",
        app_may=ALL,
    )
    op.execute("create index fill_view_order on fill_view (order_id)")
    create_tenant_table(
        "position_view",
        "position_id text primary key, first_pos bigint not null unique, "
        "decision_id text not null, is_open boolean not null, item json not null",
        app_may=ALL,
        options="with (fillfactor = 80)",
    )
    op.execute("create index position_view_open on position_view (is_open, first_pos)")
    op.execute("create index position_view_decision on position_view (decision_id)")
    create_tenant_table(
        "equity_view",
        "pos bigint primary key, account_id text not null, time_us bigint not null, "
        "balance numeric not null, equity numeric not null",
        app_may=ALL,
    )
