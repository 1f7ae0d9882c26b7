"""The life of flows: their versions, every change of a state, and which one trades.

A version's text is never changed. A state changes by writing a move down and in no other way: a
move must be one of `flow_step`, and must begin at the state that the version has. Of the versions
of a flow at most one trades at a time. Moves are never changed or removed.
"""

from pathlib import Path
from typing import Final

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0011"
down_revision = "0010"

SQL: Final = Path(__file__).parents[1] / "sql" / "0011_flow_move.sql"
STEPS: Final = (
    ("draft", "backtested retired"),
    ("backtested", "paper retired"),
    ("paper", "live paused retired"),
    ("live", "paper paused retired"),
    ("paused", "paper live retired"),
)
"""From which state to which others; `retired` is the end."""
TABLES: Final = ("flow_move", "flow_version", "flow_step")


def upgrade() -> None:
    """Create the tables and what guards them."""
    create_tenant_table(
        "flow_step",
        "from_state text not null, to_state text not null, primary key (from_state, to_state)",
        app_may="select",
    )
    pairs = ", ".join(f"('{begin}', '{end}')" for begin, ends in STEPS for end in ends.split())
    op.execute(f"insert into flow_step (from_state, to_state) values {pairs}")
    create_tenant_table(
        "flow_version",
        "name text not null check (name <> 'main'), version integer not null check (version > 0), "
        "digest text not null, body text not null, symbol text not null, "
        "actor text not null check (actor <> ''), created_ns bigint not null, "
        "state text not null default 'draft', account_id text not null default '', "
        "since_ns bigint not null, primary key (name, version), unique (name, digest)",
        app_may="select, insert (name, version, digest, body, symbol, actor, created_ns, "
        "since_ns), update (state, account_id, since_ns)",
    )
    op.execute(
        "create unique index flow_trading on flow_version (name) "
        "where state in ('paper', 'live', 'paused')"
    )
    create_tenant_table(
        "flow_move",
        "move_id bigint generated always as identity primary key, name text not null, "
        "version integer not null, from_state text not null, to_state text not null, "
        "account_id text not null, actor text not null check (actor <> ''), "
        "reason text not null check (reason <> ''), evidence text[] not null, "
        "is_override boolean not null, at_ns bigint not null, "
        "foreign key (name, version) references flow_version, "
        "foreign key (from_state, to_state) references flow_step",
        app_may="select, insert",
    )
    op.execute("create index flow_move_of on flow_move (name, version, move_id)")
    op.execute(SQL.read_text("utf-8"))


def downgrade() -> None:
    """Drop them."""
    for name in TABLES:
        drop_tenant_table(name)
    op.execute("drop function move_flow, refuse_flow_by_hand, refuse_flow_change")
