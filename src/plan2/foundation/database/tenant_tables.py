"""How a migration makes a table that no other tenant can read or write.

Use it in a revision like this; `tenant_id` is filled in by itself and never needs to be named:

    from plan2.foundation.database.tenant_tables import create_tenant_table, drop_tenant_table

    def upgrade() -> None:
        create_tenant_table(
            "trade_view",
            "position_id text primary key, symbol text not null, profit numeric not null",
            app_may="select, insert, update, delete",
        )
        op.execute("create index on trade_view (symbol)")

    def downgrade() -> None:
        drop_tenant_table("trade_view")

Three fences stand around each row: the schema, forced row-level security, and a CHECK that holds
even where row security is off. A view must say `with (security_invoker = on)`.
"""

from alembic import op

from plan2.foundation.database.tenancy import APP_ROLE, protection


def tenant_column() -> str:
    """The column definition that ties each row of a table to the tenant being migrated."""
    tenant = op.get_bind().exec_driver_sql("select current_setting('app.tenant_id')").scalar_one()
    return f"tenant_id text not null default '{tenant}' check (tenant_id = '{tenant}')"


def create_tenant_table(name: str, columns: str, *, app_may: str, options: str = "") -> None:
    """Create a table with `tenant_id`, its CHECK, forced row security, and the app's rights.

    Args:
        name: table name, in the tenant's schema.
        columns: column and constraint definitions as SQL.
        app_may: privileges of the application's role, such as "select, insert"; "" for none.
        options: what follows the closing parenthesis: storage parameters, partitioning.
    """
    op.execute(f"create table {name} ({tenant_column()}, {columns}) {options}")
    protect(name)
    if app_may:
        op.execute(f"grant {app_may} on {name} to {APP_ROLE}")


def protect(name: str) -> None:
    """Force row-level security on a table that has a `tenant_id`; partitions need it as well."""
    for statement in protection(name):
        op.execute(statement)


def drop_tenant_table(name: str) -> None:
    """Drop a table with its policy and rights."""
    op.execute(f"drop table {name}")
