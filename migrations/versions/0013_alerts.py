"""Alerts: the rules that people declare, what was raised, and the channels it is told on.

Assistants: what a tenant used of its daily budget, and what tagged news does to entries.

`alert_channel.target` is a sealed address or URL, `secret` the sealed key that signs webhooks.
"""

from typing import Final

from alembic import op

from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

revision = "0013"
down_revision = "0012"

TABLES: Final = ("assistant_use", "news_shade", "alert_channel", "alert", "alert_rule")
ALL: Final = "select, insert, update, delete"


def upgrade() -> None:
    """Create the tables."""
    create_tenant_table(
        "alert_rule",
        "rule_id text primary key, name text not null unique, rule json not null, "
        "memory json not null, changed_by text not null, changed_ns bigint not null",
        app_may=ALL,
    )
    create_tenant_table(
        "alert",
        "alert_id text primary key, rule_id text not null, raised_ns bigint not null, "
        "state text not null check (state in ('open', 'acknowledged', 'snoozed', 'closed')), "
        "acted_by text not null, alert json not null",
        app_may=ALL,
    )
    op.execute("create index alert_newest on alert (raised_ns desc, alert_id)")
    op.execute("create index alert_waiting on alert (state) where state in ('open', 'snoozed')")
    create_tenant_table(
        "alert_channel",
        "name text primary key, way text not null check (way in ('email', 'webhook')), "
        "user_id text not null, target bytea not null, secret bytea, created_ns bigint not null",
        app_may=ALL,
    )
    create_tenant_table(
        "assistant_use",
        "day text primary key, tokens bigint not null, cost numeric not null",
        app_may="select, insert, update",
    )
    create_tenant_table(
        "news_shade",
        "symbol text not null, source_id text not null, factor double precision not null "
        "check (factor >= 0 and factor <= 1), until_ns bigint not null, "
        "primary key (symbol, source_id)",
        app_may=ALL,
    )


def downgrade() -> None:
    """Drop them."""
    for name in TABLES:
        drop_tenant_table(name)
