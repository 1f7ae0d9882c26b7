"""What assistants used and what news does, in PostgreSQL: added up, kept, each tenant's own."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import LiveClock
from plan2.foundation.values import TenantId
from plan2.intelligence.assistants.budget import PostgresAssistants, Use
from plan2.intelligence.risk.news import NewsShade

ACME, OTHER = TenantId("words_acme"), TenantId("words_other")


@pytest.fixture
async def table(postgres: Postgres) -> AsyncIterator[PostgresAssistants]:
    """The tables of two fresh tenants."""
    for tenant in (ACME, OTHER):
        postgres.migrator.ensure_tenant(tenant, LiveClock().now_ns())
    database = postgres.open()
    for tenant in (ACME, OTHER):
        async with database.uow(tenant) as uow:
            await uow.raw.execute("delete from news_shade")
    yield PostgresAssistants(database.uow)
    await database.close()


async def test_the_days_use_adds_up(table: PostgresAssistants) -> None:
    """To the last digit of money, and of nobody else."""
    day = f"day-{LiveClock().now_ns()}"
    assert await table.used(ACME, day) == Use()
    await table.book(ACME, day, Use(100, Decimal("0.000123")))
    await table.book(ACME, day, Use(50, Decimal("0.1")))
    assert await table.used(ACME, day) == Use(150, Decimal("0.100123"))
    assert await table.used(OTHER, day) == Use()


async def test_news_holds_until_it_is_over_and_only_gets_stricter(
    table: PostgresAssistants,
) -> None:
    """The same piece told again cannot make itself milder."""
    for factor, until_ns in ((0.5, 100), (0.9, 200)):
        shade = NewsShade(symbol="EURUSD", factor=factor, until_ns=until_ns)
        await table.keep_shade(ACME, "wire-1", shade)
    assert await table.shades(ACME, 150) == [NewsShade(symbol="EURUSD", factor=0.5, until_ns=200)]
    assert await table.shades(ACME, 200) == []
    assert await table.shades(OTHER, 0) == []
