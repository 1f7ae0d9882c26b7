"""Alerts in PostgreSQL: rules with their memory, alerts, sealed channels; each tenant's own."""

from collections.abc import AsyncIterator

import pytest

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import LiveClock
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.intelligence.alerts import store
from plan2.intelligence.alerts.store import NEWEST, PostgresAlerts
from plan2.interface.alerts.channel_book import ChannelBook, PostgresChannels
from unit.alert_fixtures import AlertRoom, price, rule
from unit.sealing_fixtures import MemorySealer

ACME, OTHER = TenantId("alerts_acme"), TenantId("alerts_other")


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    """Two fresh tenants."""
    for tenant in (ACME, OTHER):
        postgres.migrator.ensure_tenant(tenant, LiveClock().now_ns())
    database = postgres.open()
    for tenant in (ACME, OTHER):
        async with database.uow(tenant) as uow:
            for table in ("alert_rule", "alert", "alert_channel"):
                await uow.raw.execute(f"delete from {table}")
    yield database
    await database.close()


async def fired(times: int) -> AlertRoom:
    """A desk whose rule has fired so often; the first alert is acknowledged."""
    room = AlertRoom()
    await room.desk.put(rule(price("above", 1.1), note="ünï"), "user:ann")
    for _ in range(times):
        room.see(1.2)
        room.see(1.0)
    room.desk.acknowledge(next(iter(room.desk.waiting)), "user:ann")
    return room


async def test_rules_and_alerts_come_back_as_they_were_kept(database: Database) -> None:
    """With what they remember, in their states, and nothing of them for another tenant."""
    table, room = PostgresAlerts(database.uow), await fired(3)
    [kept] = room.desk.rules.values()
    alerts = list({each.alert.alert_id: each.alert for each in room.told}.values())
    known = [room.desk._dirty_alerts[each.alert_id] for each in alerts]
    await table.save(ACME, [kept], known)
    await table.save(ACME, [kept], known[:1])
    assert await table.rules(ACME) == [kept]
    assert await table.waiting(ACME) == known[1:]
    assert await table.history(ACME, NEWEST, "", 10) == known[::-1]
    assert await table.history(ACME, known[1].raised_ns, "acknowledged", 10) == known[:1]
    assert await table.rules(OTHER) == []
    assert await table.history(OTHER, NEWEST, "", 10) == []
    await table.remove(ACME, kept.rule_id)
    assert await table.rules(ACME) == []


async def test_the_oldest_that_nobody_waits_for_make_room(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits stays, however old."""
    monkeypatch.setattr(store, "ALERTS_KEPT", 1)
    table, room = PostgresAlerts(database.uow), await fired(3)
    known = list(room.desk._dirty_alerts.values())
    await table.save(ACME, [], known)
    assert [each.state for each in await table.history(ACME, NEWEST, "", 10)] == ["open", "open"]


async def test_channels_open_only_where_they_lie(database: Database) -> None:
    """A row that was copied to another name does not open there."""
    sealer = MemorySealer()
    book = ChannelBook(ACME, PostgresChannels(database.uow), sealer)
    row, key = await book.add("desk", "webhook", "https://hooks.example/x", "u1", 1)
    mail, _ = await book.add("anna", "email", "anna@example.com", "u1", 2)
    again = ChannelBook(ACME, PostgresChannels(database.uow), sealer)
    await again.load()
    assert again.rows == {"anna": mail, "desk": row}
    assert (await again.endpoint(row)).key.reveal() == key
    assert await again.address(mail) == "anna@example.com"
    await again.remove("desk")
    await book.load()
    assert set(book.rows) == {"anna"}
