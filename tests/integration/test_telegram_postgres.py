"""Paired chats in a real database: sealed, found again after a restart, gone when unpaired."""

import sqlalchemy as sa

from integration.postgres_fixture import Postgres
from integration.test_credentials_postgres import StoredStage
from plan2.connectivity.identity.principal import Via
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.interface.telegram.chat_table import PostgresChats
from plan2.interface.telegram.pairing import Pairings
from unit.chat_fixtures import memory_pairings

CHAT = 987_654_321_012


def pairings_of(stage: StoredStage) -> Pairings:
    """Pairings on the tables of a stage, with nothing in memory yet."""
    made = memory_pairings(stage)
    made._table, made._sealer = PostgresChats(stage.database.uow), stage.sealer
    return made


async def test_a_pairing_is_sealed_and_survives_a_restart(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """The table knows neither the chat nor the name; another tenant sees nothing of it."""
    stage = StoredStage(database, tenant, postgres.new_tenant())
    await stage.start()
    ann = await stage.member("ann")
    first = pairings_of(stage)
    assert await first.redeem("WRONG-CODE", CHAT, "Ann") is None
    chat = await first.redeem(first.new_code(ann).code, CHAT, "Ann <Lim>")
    assert chat is not None
    dumped = await stage.dump("telegram_chat")
    assert str(CHAT) not in dumped
    assert "Lim" not in dumped
    assert b"Lim".hex() not in dumped
    question = sa.text(f"select count(*) from t_{stage.home}.telegram_chat")
    async with database.uow(stage.other) as uow:
        assert (await uow.execute(question)).scalar_one() == 0
    again = pairings_of(stage)
    for tenant_id in stage.tenants:
        await again.load(tenant_id)
    found = again.chat(CHAT)
    assert found == chat
    session = again.session(found)
    assert session is not None
    assert (session.user, session.via) == (ann, Via.TELEGRAM)
    assert again.of_tenant(stage.other) == []
    await again.unpair(found, "user:ann")
    assert again.session(found) is None
    third = pairings_of(stage)
    await third.load(tenant)
    assert third.chat(CHAT) is None
    stage.passwords.close()
