"""Alembic's entry: runs the revisions on the connection that `database/migrate.py` prepared.

Every revision runs in its own transaction as the owner role inside one tenant's schema, so an
interrupted migration goes on where it stopped. See `tenant_tables.py` for how to make tables.
"""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table=attributes["version_table"],
    version_table_schema=attributes["schema"],
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
