"""Text that means something to a shell, a database, a page or a template is only text here.

What is typed comes back as it was, or is refused; it is never a fault, and nothing of it is run.
"""

from pathlib import Path

from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.tables import PostgresIdentity
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from unit.foreign_strings import foreign_strings
from unit.whole_stage import WholeStage

WORDS = [
    "'; drop table app_user; --",
    "' or '1'='1",
    '") union select password_hash from app_user --',
    "$$; select pg_sleep(9); $$",
    "%s %(name)s {0} {name} ${jndi:ldap://127.0.0.1/a}",
    "{{7*7}} {% raw %} <%= 7*7 %> #{7*7}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "$(touch /tmp/run) `touch /tmp/run` | touch /tmp/run ; touch /tmp/run",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "line one\r\nSet-Cookie: p2_session=stolen",
    "\u202eright to left\u202c",
    "Ω≈ç√∫ 田中さん 👩‍👩‍👧‍👦 ̡͓̞ͅ Z̮̞̠͙͔ͅa̭l̗g̩o",
    "\ufeff\u200b\u00a0",
    "NaN Infinity -0 1e999 0x10 null undefined true",
    "AUX CON NUL COM1",
]


RULE = {"condition": {"kind": "price", "symbol": "EURUSD", "test": "above", "level": 1.0}}


async def test_names_come_back_from_the_gateway_as_they_were_typed(tmp_path: Path) -> None:
    """Or are refused as a problem; the list holds exactly what was taken."""
    stage = await WholeStage.open(tmp_path)
    taken: list[str] = []
    async with await stage.signed_in() as client:
        for number, word in enumerate(WORDS):
            key = {"idempotency-key": f"foreign-word-{number:04}"}
            answer = await client.post(
                "/api/v1/alerts/rules", json={"name": word, **RULE}, headers=key
            )
            assert answer.status_code in {201, 400, 422}, answer.text
            if answer.status_code == 201:
                taken.append(word)
                assert answer.json()["name"] == word
            else:
                assert answer.headers["content-type"] == "application/problem+json"
        listed = await client.get("/api/v1/alerts/rules")
    await stage.tenants.close()
    assert sorted(rule["name"] for rule in listed.json()["items"]) == sorted(taken)
    assert len(taken) > len(WORDS) // 2
    assert (listed.headers["content-type"], listed.headers["x-content-type-options"]) == (
        "application/json",
        "nosniff",
    )


async def test_words_come_back_from_the_database_as_they_were_written(
    database: Database, tenant: TenantId
) -> None:
    """As the name of a person and inside an event; every table is where it was."""
    people = PostgresIdentity(database.uow)
    for number, word in enumerate(WORDS):
        user = User(user_id=f"u{number}", name=word, tenant_id=tenant, role=Role.ANALYST)
        assert await people.insert_person(Person(user=user, created_ns=1))
    events = [
        NewEvent(
            stream_id=f"s{number}",
            event=OrderSent(ts_ns=1, order_id=word, account_id=word, symbol="EURUSD"),
            event_id=derived_id("word", number),
        )
        for number, word in enumerate(WORDS)
    ]
    await database.store.append(tenant, events)
    assert {each.user.name for each in await people.load_people(tenant)} == set(WORDS)
    stored = await database.store.tail(tenant, 0, 100)
    assert [each.data["order_id"] for each in stored] == WORDS


async def test_thousands_of_texts_come_back_from_the_log_byte_for_byte(
    database: Database, tenant: TenantId
) -> None:
    """All but those with NUL, which the gateway refuses: PostgreSQL has no such text."""
    words = [word for word in foreign_strings() if "\0" not in word]
    events = [
        NewEvent(
            stream_id=f"s{number}",
            event=OrderSent(ts_ns=1, order_id=word, account_id="a", symbol="EURUSD"),
            event_id=derived_id("foreign", number),
        )
        for number, word in enumerate(words)
    ]
    for first in range(0, len(events), 500):
        await database.store.append(tenant, events[first : first + 500])
    stored = await database.store.read_all(tenant, after=0, limit=len(events))
    assert [each.data["order_id"] for each in stored] == words
