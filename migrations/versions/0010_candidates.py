"""The life of candidates: who they are, every change of their state, and who holds which alias.

A state changes by writing a move down and in no other way: a move must be one of
`candidate_step`, and must begin at the state that the candidate has. The program may not set a
state by itself, nor add steps. Who holds an alias is said by its newest row in `candidate_seat`.
Moves and seats are never changed or removed.
"""

from pathlib import Path
from typing import Final

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0010"
down_revision = "0009"

SQL: Final = Path(__file__).parents[1] / "sql" / "0010_candidate_move.sql"
STEPS: Final = (
    ("draft", "trained rejected"),
    ("trained", "validated champion rejected"),
    ("validated", "shadow champion retired rejected"),
    ("shadow", "canary suspended retired rejected"),
    ("canary", "champion shadow suspended retired rejected"),
    ("champion", "retired suspended"),
    ("retired", "champion"),
    ("suspended", "shadow retired"),
)
"""From which state to which others; `rejected` is the end."""
TABLES: Final = ("candidate_seat", "candidate_move", "candidate", "candidate_step")


def upgrade() -> None:
    """Create the tables and what guards them."""
    create_tenant_table(
        "candidate_step",
        "from_state text not null, to_state text not null, primary key (from_state, to_state)",
        app_may="select",
    )
    pairs = ", ".join(f"('{begin}', '{end}')" for begin, ends in STEPS for end in ends.split())
    op.execute(f"insert into candidate_step (from_state, to_state) values {pairs}")
    create_tenant_table(
        "candidate",
        "home text not null check (home in ('simulated', 'recorded')), candidate_id text not null, "
        "symbols text[] not null check (cardinality(symbols) > 0), "
        "model_ids text[] not null check (cardinality(model_ids) > 0), schema_id text not null, "
        "state text not null default 'draft', created_ns bigint not null, since_ns bigint not null,"
        "verdict text not null, flags text[] not null, metrics jsonb not null, "
        "parent text not null, primary key (home, candidate_id)",
        app_may="select, insert (home, candidate_id, symbols, model_ids, schema_id, created_ns, "
        "since_ns, verdict, flags, metrics, parent), update (state, since_ns)",
    )
    create_tenant_table(
        "candidate_move",
        "move_id bigint generated always as identity primary key, home text not null, "
        "candidate_id text not null, from_state text not null, to_state text not null, "
        "actor text not null check (actor <> ''), reason text not null check (reason <> ''), "
        "evidence text[] not null, is_override boolean not null, at_ns bigint not null, "
        "foreign key (home, candidate_id) references candidate, "
        "foreign key (from_state, to_state) references candidate_step",
        app_may="select, insert",
    )
    op.execute("create index candidate_move_of on candidate_move (home, candidate_id, move_id)")
    create_tenant_table(
        "candidate_seat",
        "seat_id bigint generated always as identity primary key, home text not null, "
        "symbol text not null, "
        "alias text not null check (alias in ('champion', 'challenger', 'last_good')), "
        "candidate_id text, before text not null, actor text not null, reason text not null, "
        "is_rollback boolean not null, at_ns bigint not null, "
        "foreign key (home, candidate_id) references candidate",
        app_may="select, insert",
    )
    op.execute("create index candidate_seat_of on candidate_seat (home, symbol, alias, seat_id)")
    op.execute(SQL.read_text("utf-8"))


def downgrade() -> None:
    """Drop them."""
    for name in TABLES:
        drop_tenant_table(name)
    op.execute("drop function move_candidate, refuse_state_by_hand, refuse_candidate_change")
