"""What a tenant's schema takes, asked from a real PostgreSQL."""

from integration.postgres_fixture import Postgres
from plan2.connectivity.ratelimit.storage import StorageMeter, schema_bytes
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId

ROWS = 2_000
LABEL_BYTES = 1_000


async def test_the_size_of_a_schema_grows_with_what_is_written(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """Two megabytes of rows are two megabytes or more; another tenant's size stays as it was."""
    other = postgres.new_tenant()
    ask = schema_bytes(database.uow)
    before, others_before = await ask(tenant), await ask(other)
    async with database.uow(tenant) as uow:
        await uow.execute(
            "insert into terminal_key (tenant_id, key_id, account_id, label, secret_hash,"
            " created_ns) select :tenant, n::text, 'live',"
            " (select string_agg(md5(n::text || m::text), '') from generate_series(1, 32) m),"
            " sha256(n::text::bytea), 1 from generate_series(1, :rows) n",
            {"tenant": tenant, "rows": ROWS},
        )
    grown = await ask(tenant) - before

    assert before > 0
    assert ROWS * LABEL_BYTES <= grown <= 3 * ROWS * LABEL_BYTES
    assert await ask(other) == others_before

    meter = StorageMeter(lambda: [tenant], ask, lambda _: [])
    await meter.measure()
    assert meter.used_mb(tenant) == round((before + grown) / 2**20, 1)
