"""Consent, months of the log that were archived, and legal holds that keep months from it.

Consent is a list of facts: nothing in it is changed. What an archived month leaves behind is what
the rest of the log's chain and Merkle tree start from.
"""

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0008"
down_revision = "0007"

TABLES = ("legal_hold", "archived_month", "consent")


def upgrade() -> None:
    """Create the tables."""
    create_tenant_table(
        "consent",
        "consent_id bigint generated always as identity primary key, user_id text not null, "
        "purpose text not null, version int not null check (version > 0), "
        "is_given boolean not null, at_ns bigint not null, actor text not null",
        app_may="select, insert",
    )
    create_tenant_table(
        "archived_month",
        "month text primary key, first_pos bigint not null, last_pos bigint not null unique, "
        "last_at timestamptz not null, last_hash bytea not null, frontier bytea not null, "
        "events bigint not null, file_name text not null, file_sha256 text not null, "
        "archived_ns bigint not null",
        app_may="select",
    )
    create_tenant_table(
        "legal_hold",
        "hold_id text primary key, reason text not null, placed_by text not null, "
        "placed_ns bigint not null, lifted_by text not null default '', lifted_ns bigint",
        app_may="select, insert, update",
    )


def downgrade() -> None:
    """Drop them."""
    for name in TABLES:
        drop_tenant_table(name)
