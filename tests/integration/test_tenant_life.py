"""Tenants in a real database: made, crashed into, suspended, exported, deleted, restored."""

import asyncio
import hashlib
import json
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integration.postgres_fixture import Postgres
from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.onboarding import STEPS, TenantHooks
from plan2.connectivity.identity.tenant_requests import Request
from plan2.connectivity.identity.tenant_store import PostgresTenantStore
from plan2.connectivity.identity.tenant_work import Exports
from plan2.connectivity.identity.tenants import Tenants
from plan2.foundation.clock import LiveClock
from plan2.foundation.database.migrate import Migrator
from plan2.foundation.database.registry import read_tenants
from plan2.foundation.database.roles import Access, connect
from plan2.foundation.database.tenant_archive import read_manifest
from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.audit import verify_chain
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_DAY, TenantId

BUSY = 10
"""How many times a promised time a crowded machine may take: more is a stall."""
CREATE_MAX_S = 5.0 * BUSY
SUSPEND_MAX_S = 1.0 * BUSY


class Crash(BaseException):
    """The process ends here."""


class Life:
    """Tenants on a real store; `open` is a new process on the same database."""

    def __init__(self, access: Access, folder: Path) -> None:
        self.access = access
        self.folder = folder
        self.events: list[Event] = []
        self.opened: list[Tenants] = []

    async def open(self, store: PostgresTenantStore | None = None) -> Tenants:
        """A process that has started."""
        tenants = Tenants(
            store or PostgresTenantStore(self.access),
            TenantHooks(),
            Exports(self.folder),
            LiveClock(),
            self._record,
            tenants_max=100_000,  # every test before this one has left its own
        )
        await tenants.start()
        self.opened.append(tenants)
        return tenants

    def _record(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "",
        correlation_id: str = "",
    ) -> None:
        self.events.append(event)


class CrashingStore(PostgresTenantStore):
    """A real store whose process dies right after (or before) one of its calls."""

    def __init__(self, access: Access, call: str, *, is_after: bool) -> None:
        super().__init__(access)
        whole = getattr(self, call)

        async def crash(*arguments: object, **named: object) -> None:
            if is_after:
                await whole(*arguments, **named)
            raise Crash

        setattr(self, call, crash)


@pytest.fixture
async def life(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Life]:
    """The installation of this test; its processes end with it."""
    found = Life(postgres.access, tmp_path / "exports")
    yield found
    for tenants in found.opened:
        await tenants.close()


def about(tenant: str, reason: str = "test") -> Request:
    """What an operator asks."""
    return Request(tenant_id=tenant, by="user:op", reason=reason)


def sent(n: int) -> NewEvent:
    """The n-th event, with text that CSV has to quote."""
    event = OrderSent(ts_ns=n, order_id=f'"{n}",\n\\.', account_id="ä", symbol="EURUSD")
    return NewEvent(stream_id=f"s{n % 3}", event=event, event_id=derived_id("life", n))


def schema_hash(postgres: Postgres, tenant: str) -> str:
    """A hash over every row of every table of a schema, by its own reading."""
    assert postgres.access.admin is not None
    found = hashlib.sha256()
    with connect(postgres.access.admin) as connection:
        tables = connection.execute(
            "select oid::regclass::text from pg_class where relnamespace = %s::regnamespace "
            "and relkind = 'r' order by 1",
            [f"t_{tenant}"],
        ).fetchall()
        for (table,) in tables:
            rows = "string_agg(x::text, '|' order by x::text)"
            query = f"select md5(coalesce({rows}, '')) from {table} x"
            found.update(f"{table}{connection.execute(query).fetchone()}".encode())
    return found.hexdigest()


async def fill(database: Database, tenant: str, events: int = 500) -> None:
    """Give a tenant a log with awkward text, a snapshot with bytes and a person."""
    whose = TenantId(tenant)
    for start in range(0, events, 100):
        await database.store.append(whose, [sent(n) for n in range(start, start + 100)])
    async with database.uow(whose) as uow:
        await uow.raw.execute(
            "insert into snapshot (stream_id, version, pos, at, schema_ver, state, hash) "
            "values ('s', 1, 1, now(), 1, %s, %s)",
            (bytes(range(256)), b""),
        )


async def test_a_tenant_is_made_within_five_seconds(
    postgres: Postgres, database: Database, life: Life
) -> None:
    """R-063: from nothing to an append of its own; its steps are in the registry."""
    tenants = await life.open()
    begun = time.perf_counter()
    await tenants.create(about("quick"), "Quick Ltd", "ann")
    assert time.perf_counter() - begun < CREATE_MAX_S
    assert tenants.directory.is_served("quick")
    await fill(database, "quick", 100)
    (row,) = [each for each in read_tenants(postgres.access) if each.tenant_id == "quick"]
    assert (row.lifecycle, row.name, row.steps_done) == ("served", "Quick Ltd", STEPS)


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize(
    "call", ["register", "migrate", "make_months", "note_step", "set_lifecycle"]
)
async def test_a_crash_at_any_step_is_taken_up(
    database: Database, life: Life, call: str, is_after: bool
) -> None:
    """The next process finishes the tenant, whatever the last one left behind."""
    tenant = f"crash_{call}_{is_after}".lower()
    store = CrashingStore(life.access, call, is_after=is_after)
    tenants = await life.open(store)
    with pytest.raises(Crash):
        await tenants.create(about(tenant), "x", "ann")
    later = await life.open()
    assert later.directory.is_served(tenant) == ((call, is_after) == ("set_lifecycle", True))
    if (call, is_after) == ("register", False):
        await later.create(about(tenant), "x", "ann")
    await later.resume_unfinished()
    assert later.directory.is_served(tenant)
    await fill(database, tenant, 100)


async def test_a_migration_killed_half_way_goes_on(
    postgres: Postgres, database: Database, life: Life
) -> None:
    """The tables of the first revision alone are there after the crash; the rest comes later."""

    class HalfStore(PostgresTenantStore):
        async def migrate(self, tenant: TenantId) -> None:
            await asyncio.to_thread(postgres.migrator.upgrade_fresh, tenant, "0001")
            raise Crash

    tenants = await life.open(HalfStore(life.access))
    with pytest.raises(Crash):
        await tenants.create(about("half"), "x", "ann")
    later = await life.open()
    await later.resume_unfinished()
    assert later.directory.is_served("half")
    await fill(database, "half", 100)


async def test_suspension_survives_a_start_and_a_migration(postgres: Postgres, life: Life) -> None:
    """Migrating a suspended tenant, which made it `ready` once, keeps it suspended."""
    tenants = await life.open()
    await tenants.create(about("shut"), "x", "ann")
    begun = time.perf_counter()
    await tenants.suspend(about("shut", "unpaid"))
    assert time.perf_counter() - begun < SUSPEND_MAX_S
    assert postgres.access.admin is not None
    with connect(postgres.access.admin, autocommit=True) as connection:
        connection.execute("update plan2.tenant set actual_revision='' where tenant_id = 'shut'")
    later = await life.open()
    found = later.directory.find("shut")
    assert found is not None
    assert (found.state, found.detail) == (TenantState.SUSPENDED, "unpaid")
    await later.resume(about("shut"))
    assert later.directory.is_served("shut")


async def test_export_delete_restore_touch_nobody_else(
    postgres: Postgres, database: Database, life: Life
) -> None:
    """R-063, R-066: out, away and back, byte for byte; other schemas have the same hash."""
    tenants = await life.open()
    for tenant in ("mover", "stayer"):
        await tenants.create(about(tenant), tenant.title(), "ann")
        await fill(database, tenant)
    before, others = schema_hash(postgres, "mover"), schema_hash(postgres, "stayer")
    events = await database.store.tail(TenantId("mover"), 0, 1_000)

    tenants.delete(about("mover", "left us"))
    await tenants.works.settled("mover")
    assert tenants.works.last_failure("mover") == ""
    assert _traces(postgres, "mover") == {"plan2.admin_use", "plan2.tenant"}
    (file,) = tenants.exports.of(TenantId("mover"))
    with pytest.raises(InputError, match="was deleted"):
        postgres.migrator.ensure_tenant(TenantId("mover"), LiveClock().now_ns())

    tenants.restore(about("mover"), file.file)
    await tenants.works.settled("mover")
    assert tenants.works.last_failure("mover") == ""
    found = tenants.directory.find("mover")
    assert found is not None
    assert (found.state, found.name) == (TenantState.SUSPENDED, "Mover")
    assert schema_hash(postgres, "mover") == before
    assert schema_hash(postgres, "stayer") == others
    assert await database.store.tail(TenantId("mover"), 0, 1_000) == events
    await tenants.resume(about("mover"))
    await fill_more(database, "mover")
    async with database.uow(TenantId("mover")) as uow:
        assert (await verify_chain(uow)).is_whole


@pytest.mark.parametrize("is_after", [False, True])
async def test_a_restore_that_a_crash_interrupted_is_taken_up(
    postgres: Postgres, database: Database, life: Life, *, is_after: bool
) -> None:
    """The next start takes the same file again, whatever came of it before; no row comes twice."""
    tenant = f"back_{is_after}".lower()
    tenants = await life.open()
    await tenants.create(about(tenant), "Back", "ann")
    await fill(database, tenant, 100)
    before = schema_hash(postgres, tenant)
    tenants.delete(about(tenant))
    await tenants.works.settled(tenant)
    (file,) = tenants.exports.of(TenantId(tenant))
    dying = await life.open(CrashingStore(life.access, "restore", is_after=is_after))
    dying.restore(about(tenant, "came back"), file.file)
    await dying.works.settled(tenant)
    later = await life.open()
    assert not later.directory.is_served(tenant)
    await later.resume_unfinished()
    assert later.works.last_failure(tenant) == ""
    found = later.directory.find(tenant)
    assert found is not None
    assert (found.state, found.detail) == (
        TenantState.SUSPENDED,
        f"Restored from {file.file}; resume it after a look.",
    )
    assert schema_hash(postgres, tenant) == before


async def fill_more(database: Database, tenant: str) -> None:
    """The log goes on after the last position."""
    stored = await database.store.append(TenantId(tenant), [sent(1_000)])
    assert stored[0].position == 501


async def test_an_export_says_what_it_holds(
    postgres: Postgres, database: Database, life: Life
) -> None:
    """Row counts and hashes are those of the CSV inside, and the log's head is the database's."""
    tenants = await life.open()
    await tenants.create(about("shown"), "Shown", "ann")
    await fill(database, "shown")
    tenants.export(about("shown"))
    await tenants.works.settled("shown")
    (file,) = tenants.exports.of(TenantId("shown"))
    path = life.folder / file.file
    assert path.stat().st_mode & 0o077 == 0
    manifest = read_manifest(path)
    counts = {table.name: table.rows for table in manifest.tables}
    assert (counts["event"], counts["snapshot"], counts["log_head"]) == (500, 1, 1)
    last = (await database.store.tail(TenantId("shown"), 499))[0]
    assert (manifest.log_position, manifest.log_hash) == (500, last.hash.hex())
    assert (manifest.first_us > 0, manifest.last_us) == (True, last.at_us)
    with zipfile.ZipFile(path) as archive:
        raw = json.loads(archive.read("manifest.json"))
        for table in raw["tables"]:
            content = archive.read(f"tables/{table['name']}.csv")
            assert hashlib.sha256(content).hexdigest() == table["sha256"]
    assert not list(life.folder.glob("*.part"))
    assert postgres.access.admin is not None
    with connect(postgres.access.admin) as connection:
        uses = connection.execute(
            "select role_name, purpose, used_by from plan2.admin_use where tenant_id = 'shown'"
        ).fetchall()
    assert uses == [("p2_admin_job", "test", "user:op")]


async def test_a_damaged_export_restores_nothing(
    postgres: Postgres, database: Database, life: Life, tmp_path: Path
) -> None:
    """One changed value is found before anything is made; the tenant stays deletable."""
    tenants = await life.open()
    await tenants.create(about("broken"), "x", "ann")
    await fill(database, "broken", 100)
    tenants.delete(about("broken"))
    await tenants.works.settled("broken")
    (file,) = tenants.exports.of(TenantId("broken"))
    whole, forged = life.folder / file.file, life.folder / "broken-forged.zip"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(forged, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "tables/event.csv":
                content = content.replace(b"EURUSD", b"GBPUSD", 1)
            target.writestr(name, content)
    tenants.restore(about("broken"), forged.name)
    await tenants.works.settled("broken")
    assert "was changed: tables/event.csv" in tenants.works.last_failure("broken")
    found = tenants.directory.find("broken")
    assert found is not None
    assert found.state is TenantState.FAILED
    assert _traces(postgres, "broken") == {"plan2.admin_use", "plan2.tenant"}
    later = await life.open()
    later.restore(about("broken"), file.file)
    await later.works.settled("broken")
    assert later.works.last_failure("broken") == ""


async def test_rows_of_another_tenant_cannot_be_restored(database: Database, life: Life) -> None:
    """The CHECK holds while row security is open for the rows to come in."""
    tenants = await life.open()
    await tenants.create(about("origin"), "x", "ann")
    await fill(database, "origin", 100)
    tenants.export(about("origin"))
    await tenants.works.settled("origin")
    (file,) = tenants.exports.of(TenantId("origin"))
    forged = life.folder / "thief-1.zip"
    with zipfile.ZipFile(life.folder / file.file) as source, zipfile.ZipFile(forged, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "manifest.json":
                content = content.replace(b'"origin"', b'"thief"')
            target.writestr(name, content)
    tenants.restore(about("thief"), forged.name)
    await tenants.works.settled("thief")
    assert "check constraint" in tenants.works.last_failure("thief")


async def test_events_of_old_months_come_back_into_their_partitions(
    postgres: Postgres, database: Database, life: Life
) -> None:
    """A log over three months is restored into three partitions, not into the default one."""
    tenants = await life.open()
    await tenants.create(about("old"), "x", "ann")
    now_ns = LiveClock().now_ns()
    for months in (3, 2, 1):
        at_ns = now_ns - months * 31 * NS_PER_DAY
        postgres.migrator.ensure_months(TenantId("old"), at_ns)
        database.store._clock = _Fixed(at_ns)
        await database.store.append(TenantId("old"), [sent(months)])
    tenants.delete(about("old"))
    await tenants.works.settled("old")
    (file,) = tenants.exports.of(TenantId("old"))
    tenants.restore(about("old"), file.file)
    await tenants.works.settled("old")
    assert tenants.works.last_failure("old") == ""
    async with database.uow(TenantId("old")) as uow:
        rows = await uow.execute("select distinct tableoid::regclass::text from event")
        names = {row[0] for row in rows}
    assert len(names) == 3
    assert "event_default" not in names


async def test_without_an_administrator_tenants_are_read_only(life: Life) -> None:
    """An external server without admin_url: all are served, none can be made, and why is said."""
    reader = Life(Access(life.access.app, None), life.folder)
    tenants = await reader.open()
    with pytest.raises(ConfigError, match=r"database\.admin_url"):
        await tenants.create(about("nope"), "x", "ann")
    assert tenants.directory.find("nope") is None
    await tenants.close()


class _Fixed:
    """A clock that stands still."""

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """Always the same time."""
        return self._now_ns


def _traces(postgres: Postgres, tenant: str) -> set[str]:
    """Every place in the database that still knows a tenant: names of objects, and rows."""
    assert postgres.access.admin is not None
    found: set[str] = set()
    with connect(postgres.access.admin, autocommit=True) as connection:
        objects = connection.execute(
            "select nspname from pg_namespace where nspname like %(like)s union all "
            "select relname from pg_class where relname like %(like)s union all "
            "select rolname from pg_roles where rolname like %(like)s",
            {"like": f"%{tenant}%"},
        ).fetchall()
        found |= {f"object {row[0]}" for row in objects}
        tables = connection.execute(
            "select c.oid::regclass::text from pg_class c join pg_namespace n "
            "on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname ~ '^(plan2$|t_)'"
        ).fetchall()
        for (table,) in tables:
            query = f"select 1 from {table} x where x::text like %s limit 1"
            if connection.execute(query, [f"%{tenant}%"]).fetchone():
                found.add(table)
    return found


def test_the_migrator_never_drops_the_main_tenant(postgres: Postgres) -> None:
    """A guard below the service: InvariantBroken, and the schema is untouched."""
    from plan2.foundation.database.tenancy import MAIN_TENANT
    from plan2.foundation.errors import InvariantBroken

    assert postgres.access.admin is not None
    migrator = Migrator(postgres.access.admin)
    with pytest.raises(InvariantBroken, match="must not be dropped"):
        migrator.drop(MAIN_TENANT)
    migrator.close()
