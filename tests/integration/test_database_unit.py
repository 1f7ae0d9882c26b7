"""The unit of work: nothing of one tenant ever reaches another, whatever goes wrong."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import sqlalchemy as sa

from integration.postgres_fixture import Postgres
from plan2.foundation.database.tenancy import tenant_scope
from plan2.foundation.errors import InputError, InvariantBroken, StoreBusy
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.record import Encoded, NewEvent, encode
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId

TASKS = 1_500
CONNECTIONS = 3


@pytest.fixture
async def narrow(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database with as few connections as the leak test wants, and time to wait for them."""
    monkeypatch.setattr("plan2.foundation.database.engine.POOL_WAIT_S", 300.0)
    opened = postgres.open(pool_size=CONNECTIONS)
    yield opened
    await opened.close()


async def head_owner(database: Database, tenant: TenantId) -> list[str]:
    """Whose log_head rows a transaction of `tenant` sees."""
    async with database.uow(tenant) as uow:
        return [row[0] for row in await uow.execute("select tenant_id from log_head")]


async def test_it_commits_and_rolls_back(database: Database, tenant: TenantId) -> None:
    """A clean end keeps, an error undoes, in both connections' eyes."""
    insert = (
        "insert into stream_head (stream_id, version, last_event_id) "
        "values (:s, 0, gen_random_uuid())"
    )
    async with database.uow(tenant) as uow:
        await uow.execute(insert, {"s": "kept"})
        with pytest.raises(sa.exc.IntegrityError):
            async with uow.savepoint():
                await uow.execute(insert, {"s": "kept"})
        await uow.raw.execute("select 1 from stream_head where stream_id = %s", ("kept",))

    async def fail() -> None:
        async with database.uow(tenant) as uow:
            await uow.execute(insert, {"s": "undone"})
            await uow.execute("select 1 / 0")

    with pytest.raises(sa.exc.DataError):
        await fail()
    async with database.uow(tenant) as uow:
        rows = await uow.execute("select stream_id, tenant_id from stream_head")
        assert rows.all() == [("kept", tenant)]


async def test_without_a_tenant_there_is_nothing(database: Database, tenant: TenantId) -> None:
    """R-054: no context, no rows, no writes, even with the schema's name spelled out."""
    async with database.engine.connect() as connection:
        for value in ("reset app.tenant_id", "set local app.tenant_id = ''"):
            await connection.execute(sa.text(value))
            rows = await connection.execute(sa.text(f"select * from t_{tenant}.log_head"))
            assert rows.all() == []
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            await connection.execute(
                sa.text(
                    f"insert into t_{tenant}.stream_head (stream_id, version, last_event_id) "
                    "values ('x', 0, gen_random_uuid())"
                )
            )


async def test_a_wrong_schema_does_not_help(postgres: Postgres, database: Database) -> None:
    """R-051: a transaction of one tenant neither reads nor writes the other's schema."""
    mine, theirs = postgres.new_tenant(), postgres.new_tenant()
    async with database.uow(mine) as uow:
        assert (await uow.execute(f"select * from t_{theirs}.log_head")).all() == []
        changed = await uow.execute(f"update t_{theirs}.log_head set pos = 9")
        assert changed.rowcount == 0
    with pytest.raises(sa.exc.DBAPIError, match=r"row-level security|check constraint"):
        async with database.uow(mine) as uow:
            await uow.execute(
                f"insert into t_{theirs}.stream_head (stream_id, version, last_event_id) "
                "values ('x', 0, gen_random_uuid())"
            )


async def test_connections_never_carry_a_tenant_over(postgres: Postgres, narrow: Database) -> None:
    """R-053, R-060: 1,500 tasks, 3 connections, errors, cancellations, no context: 0 leaks."""
    tenants = [postgres.new_tenant(), postgres.new_tenant()]
    numbers = np.random.default_rng(20_260).random((TASKS, 2))
    seen: list[tuple[str, list[str]]] = []

    async def request(n: int) -> None:
        tenant = tenants[n % 2]
        if numbers[n, 0] < 0.03:  # a code path that forgot to say whose request it is
            async with narrow.engine.connect() as connection:
                rows = [
                    row
                    for each in tenants
                    for row in await connection.execute(
                        sa.text(f"select tenant_id from t_{each}.log_head")
                    )
                ]
                seen.append(("", [row[0] for row in rows]))
            return
        async with narrow.uow(tenant) as uow:
            rows = (await uow.execute("select tenant_id from log_head")).all()
            seen.append((tenant, [row[0] for row in rows]))
            if numbers[n, 0] < 0.2:
                await uow.execute("select 1/0")
            if numbers[n, 0] < 0.4:
                await uow.raw.execute("select pg_sleep(0.002)")

    tasks = [asyncio.create_task(request(n)) for n in range(TASKS)]
    for n in np.flatnonzero(numbers[:, 1] < 0.2):
        await narrow_pause(seen, n)
        tasks[n].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    kinds = {type(each) for each in outcomes if each is not None}
    assert kinds <= {sa.exc.DataError, asyncio.CancelledError}
    assert sum(isinstance(each, asyncio.CancelledError) for each in outcomes) > 100
    assert len(seen) > TASKS / 2
    assert [(owner, rows) for owner, rows in seen if rows not in ([owner], [])] == []
    assert all(rows == [owner] for owner, rows in seen if owner)
    assert [await head_owner(narrow, each) for each in tenants] == [[each] for each in tenants]
    assert narrow.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def narrow_pause(seen: list[tuple[str, list[str]]], until: int) -> None:
    """Let the tasks run until about `until` of them have asked, or nothing moves any more."""
    for _ in range(200):
        if len(seen) >= 0.7 * until:
            return
        await asyncio.sleep(0)


async def test_a_task_stays_in_its_tenant(postgres: Postgres, database: Database) -> None:
    """R-058: inside the scope of A, a unit of work for B is refused, and in child tasks too."""
    mine, theirs = postgres.new_tenant(), postgres.new_tenant()
    with tenant_scope(mine):
        assert await head_owner(database, mine) == [mine]
        with pytest.raises(InvariantBroken, match=f"task of tenant {mine} must not"):
            await head_owner(database, theirs)
        with pytest.raises(InvariantBroken):
            await asyncio.create_task(head_owner(database, theirs))
    async with database.uow(mine):
        with pytest.raises(InvariantBroken):
            await head_owner(database, theirs)
    assert await head_owner(database, theirs) == [theirs]


async def test_a_task_without_a_tenant_fails_closed(database: Database, tenant: TenantId) -> None:
    """R-059: without a name and without a scope there is no transaction; threads carry none."""
    with pytest.raises(InvariantBroken, match="bound to none"):
        async with database.uow():
            pytest.fail("no tenant, no unit of work")
    with tenant_scope(tenant):
        async with database.uow() as uow:
            assert uow.tenant == tenant
        with pytest.raises(InvariantBroken, match="bound to none"):
            await asyncio.get_running_loop().run_in_executor(None, _enter_in_thread, database)


def _enter_in_thread(database: Database) -> None:
    """A pool thread has no context of its own."""

    async def enter() -> None:
        async with database.uow():
            pytest.fail("the thread was never bound to a tenant")

    asyncio.run(enter())


async def test_bad_names_never_reach_sql(database: Database) -> None:
    """A tenant id that is not one is refused before a connection is taken."""
    with pytest.raises(InputError):
        async with database.uow(TenantId("x; drop schema plan2")):
            pytest.fail("not a tenant")


async def test_an_exhausted_pool_says_so(
    postgres: Postgres, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When every connection is taken, the answer is StoreBusy after the wait, not for ever."""
    monkeypatch.setattr("plan2.foundation.database.engine.POOL_WAIT_S", 0.05)
    database = postgres.open(pool_size=1)
    async with database.uow(tenant):
        with pytest.raises(StoreBusy):
            await head_owner(database, tenant)
    await database.close()


async def test_commits_are_durable_by_setting(database: Database, tenant: TenantId) -> None:
    """R-030: synchronous_commit is on, and an append under any other setting is refused."""
    async with database.uow(tenant) as uow:
        rows = await uow.execute("select current_setting('synchronous_commit')")
        assert rows.scalar_one() == "on"
        await uow.execute("set local synchronous_commit = off")
        with pytest.raises(InvariantBroken, match="durably"):
            await database.store.append_in(uow, [_any_event()])


def _any_event() -> Encoded:
    """Some event, ready to be stored."""
    event = OrderSent(ts_ns=0, order_id="o", account_id="a", symbol="EURUSD")
    return encode(NewEvent(stream_id="s", event=event, event_id=derived_id("unit")))
