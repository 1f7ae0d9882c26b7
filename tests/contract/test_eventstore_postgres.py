"""What only a real database can show: order under load, the chain against a vandal, plans."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Database as DatabaseSettings
from plan2.foundation.database.engine import make_engine
from plan2.foundation.database.roles import connect
from plan2.foundation.database.unit_of_work import UnitOfWork, unit_of_work
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.audit import verify_chain
from plan2.foundation.eventstore.record import NewEvent, StoredEvent, encode
from plan2.foundation.eventstore.store import SELECT, PostgresEventStore
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, TenantId

WRITERS = 8
EVENTS = 1_600
START_NS = 1_700_000_000 * NS_PER_SECOND
REST = (
    "stream_id, version, event_id, type, schema_ver, actor, correlation_id, causation_id, "
    "source_ts, payload, sealed, key_id, prev, hash"
)
MUTATIONS = {
    "payload": "payload = overlay(payload::text placing :letter "
    "from position('EURUSD' in payload::text) + :byte % 6 for 1)::json",
    "actor": "actor = actor || 'x'",
    "type": "type = 'OrderAccepted'",
    "stream_id": "stream_id = stream_id || 'x'",
    "at": "at = at + interval '1 microsecond'",
    "version": "version = version + 1",
    "schema_ver": "schema_ver = 2",
    "source_ts": "source_ts = source_ts + 1",
    "event_id": "event_id = gen_random_uuid()",
    "correlation_id": "correlation_id = 'x'",
    "causation_id": "causation_id = 'x'",
    "key_id": "key_id = 'x'",
    "sealed": "sealed = '\\x00'",
    "prev": "prev = set_byte(prev, :byte, get_byte(prev, :byte) # 1)",
    "hash": "hash = set_byte(hash, :byte, get_byte(hash, :byte) # 1)",
}


def sent(n: int, stream: str = "s") -> NewEvent:
    """The n-th event of a test."""
    event = OrderSent(ts_ns=n, order_id=f"order {n}", account_id="a", symbol="EURUSD")
    return NewEvent(stream_id=stream, event=event, event_id=derived_id("pg", n), actor="tester")


async def test_positions_have_no_gaps_and_tails_miss_nothing(
    postgres: Postgres, tenant: TenantId
) -> None:
    """R-004, R-005: eight writers with stalls and roll-backs; two tails see each event once."""
    database = postgres.open(pool_size=WRITERS + 2)
    luck = np.random.default_rng(7).random(EVENTS)
    finished = asyncio.Event()

    async def write(writer: int) -> None:
        for n in range(writer, EVENTS, WRITERS):
            try:
                async with database.uow(tenant) as uow:
                    await database.store.append_in(uow, [encode(sent(n, f"w{writer}"))])
                    if luck[n] < 0.02:  # holds the tenant's log for 3 ms
                        await uow.raw.execute("select pg_sleep(0.003)")
                    if luck[n] > 0.99:
                        await uow.execute("select 1 / 0")
            except sa.exc.DataError:
                continue

    async def tail() -> list[StoredEvent]:
        seen: list[StoredEvent] = []
        while True:
            was_finished = finished.is_set()
            last = seen[-1] if seen else None
            page = await database.store.tail(
                tenant, last.position if last else 0, 50, since_us=last.at_us if last else 0
            )
            seen += page
            if not page and was_finished:
                return seen

    tails = [asyncio.create_task(tail()) for _ in range(2)]
    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    finished.set()
    seen = await asyncio.gather(*tails)
    expected = [derived_id("pg", n) for n in range(EVENTS) if luck[n] <= 0.99]
    for each in seen:
        assert [event.position for event in each] == list(range(1, len(expected) + 1))
        assert {event.event_id for event in each} == set(expected)
    await database.close()


async def test_heads_are_updated_once_per_batch(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """R-007: 200 events of 4 streams in 2 batches cost 2 updates of log_head."""
    await database.store.append(tenant, [sent(n, f"s{n % 4}") for n in range(100)])
    await database.store.append(tenant, [sent(n, f"s{n % 4}") for n in range(100, 200)])
    await database.close()  # a backend reports its statistics at the latest when it ends
    with _admin(postgres) as connection:
        for _ in range(200):
            updates = dict(
                connection.execute(
                    "select relname, n_tup_upd from pg_stat_user_tables "
                    "where schemaname = %s and relname in ('log_head', 'stream_head')",
                    [f"t_{tenant}"],
                ).fetchall()
            )
            if updates.get("stream_head"):
                break
            connection.execute("select pg_sleep(0.02), pg_stat_clear_snapshot()")
    assert updates == {"log_head": 2, "stream_head": 4}


async def test_any_changed_byte_is_found_and_located(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """R-019: 200 changes by a superuser, in random columns of random events: 200 located."""
    count = 25
    await database.store.append(tenant, [sent(n) for n in range(count)])
    dice = np.random.default_rng(19)
    async with _vandal(postgres, tenant) as vandal:
        for n in range(200):
            position = int(dice.integers(1, count + 1))
            column = list(MUTATIONS)[n % len(MUTATIONS)]
            values = {"pos": position, "byte": int(dice.integers(0, 32)), "letter": _letter(dice)}
            if column == "prev" and position == 1:
                continue  # the first event is chained to nothing
            change = f"update event set {MUTATIONS[column]} where pos = :pos"
            assert await _break_found(vandal, change, values) == position, (column, values)
        assert (await verify_chain(vandal)).is_whole


@pytest.mark.parametrize(
    ("vandalism", "position"),
    [
        ("delete from event where pos = 5", 5 + 1),
        ("delete from event where pos = 1", 1 + 1),
        ("delete from event where pos = 10", 10),
        ("update event set pos = case pos when 4 then 6 else 4 end where pos in (4, 6)", 4),
        ("update log_head set pos = 9", 10),
        ("update log_head set hash = '\\x00'", 11),
        (f"insert into event select tenant_id, 11, at + interval '1 h', {REST} from event", 11),
    ],
)
async def test_removed_moved_and_added_events_are_found(
    postgres: Postgres, database: Database, tenant: TenantId, vandalism: str, position: int
) -> None:
    """R-019: the order, a missing event anywhere, an added one, and a head set back."""
    await database.store.append(tenant, [sent(n) for n in range(10)])
    async with _vandal(postgres, tenant) as vandal:
        assert await _break_found(vandal, vandalism, {}) == position
        assert (await verify_chain(vandal)).events == 10


async def test_reads_with_a_time_bound_leave_old_months_alone(postgres: Postgres) -> None:
    """R-025: of 86 months, tails and streams after a snapshot open the two with data.

    Besides these only the months made ahead and the default partition, all empty, are looked at.
    """
    tenant = postgres.new_tenant()
    clock = SimulatedClock(START_NS)
    for month in range(28):
        postgres.migrator.ensure_months(tenant, START_NS + month * 92 * NS_PER_DAY)
    database = postgres.open()
    store = PostgresEventStore(database.uow, clock)
    stored = []
    for n in range(84):
        clock.advance_to(START_NS + n * 30 * NS_PER_DAY)
        stored += await store.append(tenant, [sent(n)])
    late = stored[-2]
    with_data, ahead = ["event_2030_08", "event_2030_09"], ["event_2030_10", "event_2030_11"]
    plans = {
        "where pos > %s and at >= at_of(%s) order by pos limit 100": (late.position, late.at_us),
        "where stream_id = %s and version > %s and at between at_of(%s) and at_of(%s) "
        "order by version limit 100": ("s", late.version, late.at_us, stored[-1].at_us),
    }
    for where, values in plans.items():
        async with database.uow(tenant) as uow:
            cursor = await uow.raw.execute("explain (analyze) " + SELECT + where, values)
            plan = "\n".join(row[0] for row in await cursor.fetchall())
        opened = {
            line.split(" on ")[1].split()[0] for line in plan.splitlines() if " on event_" in line
        }
        assert opened <= {*with_data, *ahead, "event_default"}, plan
    assert await store.tail(tenant, late.position, since_us=late.at_us) == stored[-1:]
    await database.close()


def _admin(postgres: Postgres) -> psycopg.Connection:
    assert postgres.access.admin is not None
    return connect(postgres.access.admin, autocommit=True)


@asynccontextmanager
async def _vandal(postgres: Postgres, tenant: TenantId) -> AsyncIterator[UnitOfWork]:
    """A superuser inside a tenant, for whom no trigger fires."""
    assert postgres.access.admin is not None
    engine = make_engine(postgres.access.admin, DatabaseSettings(pool_size=1))
    async with unit_of_work(engine, tenant) as uow:
        await uow.execute("set local session_replication_role = replica")
        yield uow
    await engine.dispose()


async def _break_found(vandal: UnitOfWork, change: str, values: dict[str, object]) -> int | None:
    """Where the check finds a change that is then undone; None when it finds nothing."""
    savepoint = await vandal.connection.begin_nested()
    changed = await vandal.execute(change, values)
    assert changed.rowcount >= 1
    report = await verify_chain(vandal)
    await savepoint.rollback()
    return report.broken.position if report.broken else None


def _letter(dice: np.random.Generator) -> str:
    """A letter that the payloads of these tests do not contain."""
    return str(dice.choice(list("QZXW")))
