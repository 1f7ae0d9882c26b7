"""What keeps tenants apart in the database, asked of the catalogue and tried as every role."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa

from integration.postgres_fixture import Postgres, make_data_dir
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Database as DatabaseSettings
from plan2.foundation.config.schema import Settings
from plan2.foundation.database import migrate
from plan2.foundation.database.control import ensure_control
from plan2.foundation.database.engine import make_engine
from plan2.foundation.database.migrate import Migrator, check_tenants
from plan2.foundation.database.roles import (
    Access,
    check_role,
    connect,
    libpq_url,
    prepare_database,
)
from plan2.foundation.database.shares import TenantShares
from plan2.foundation.errors import ConfigError, InputError, StoreBusy
from plan2.foundation.storage import Database, open_database
from plan2.foundation.values import NS_PER_DAY, TenantId

TENANT_SCHEMAS = "n.nspname ~ '^t_'"
UNFENCED = f"""
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where {TENANT_SCHEMAS} and c.relkind in ('r', 'p')
  and not (
    c.relrowsecurity and c.relforcerowsecurity
    and (select count(*) = 1 and bool_and(
            p.polcmd = '*' and p.polpermissive
            and pg_get_expr(p.polqual, c.oid) like '%NULLIF(current_setting(''app.tenant_id''%'
            and pg_get_expr(p.polqual, c.oid) = pg_get_expr(p.polwithcheck, c.oid))
         from pg_policy p where p.polrelid = c.oid)
    and exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
                and pg_get_constraintdef(k.oid)
                    like '%tenant_id = ''' || substr(n.nspname, 3) || '''%'))
"""
FOREIGN_RIGHTS = f"""
select n.nspname || '.' || proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where prosecdef and {TENANT_SCHEMAS}
union all
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where {TENANT_SCHEMAS} and (relkind in ('m', 'f') or relkind = 'v'
      and not coalesce(reloptions @> array['security_invoker=on'], false))
"""
GRANTS = f"""
select distinct coalesce(g.rolname, 'public'), a.privilege_type
from pg_class c join pg_namespace n on n.oid = c.relnamespace
cross join lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
left join pg_roles g on g.oid = a.grantee
where {TENANT_SCHEMAS} and c.relkind in ('r', 'p', 'v') and a.grantee <> c.relowner
"""


def admin(postgres: Postgres) -> psycopg.Connection:
    """A superuser's connection that commits each statement."""
    assert postgres.access.admin is not None
    return connect(postgres.access.admin, autocommit=True)


def test_no_table_of_any_tenant_is_open(postgres: Postgres) -> None:
    """R-051: over all schemas and partitions: forced row security, one policy, the CHECK."""
    tenant = postgres.new_tenant()
    postgres.migrator.ensure_months(tenant, LiveClock().now_ns() + 200 * NS_PER_DAY)
    with admin(postgres) as connection:
        assert connection.execute(UNFENCED).fetchall() == []
        counted = connection.execute(
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname ~ '^t_' and c.relispartition"
        ).fetchone()
        assert counted is not None
        assert counted[0] >= 7, "partitions were looked at too"
        for opening in (
            f"alter table t_{tenant}.event_default no force row level security",
            f"alter table t_{tenant}.log_head disable row level security",
            f"create policy wide on t_{tenant}.snapshot using (true)",
        ):
            with connection.transaction(force_rollback=True):
                connection.execute(opening)
                assert len(connection.execute(UNFENCED).fetchall()) == 1, opening


def test_nothing_of_any_tenant_runs_with_foreign_rights(postgres: Postgres) -> None:
    """R-056: no SECURITY DEFINER, no materialised view, no foreign table, no owner's view."""
    postgres.new_tenant()
    with admin(postgres) as connection:
        assert connection.execute(FOREIGN_RIGHTS).fetchall() == []


def test_rights_are_as_narrow_as_they_are_meant(postgres: Postgres) -> None:
    """R-023: the application never truncates; the job role reads; nobody else has anything."""
    postgres.new_tenant()
    with admin(postgres) as connection:
        granted = {(who, what) for who, what in connection.execute(GRANTS).fetchall()}
    assert {who for who, _ in granted} <= {"p2_app", "p2_admin_job"}
    assert {what for who, what in granted if who == "p2_app"} <= {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
    }
    assert {what for who, what in granted if who == "p2_admin_job"} <= {"SELECT"}


def test_the_job_role_reads_and_nothing_else(postgres: Postgres) -> None:
    """It cannot log in, write, make anything or be taken by the application."""
    tenant = postgres.new_tenant()
    with admin(postgres) as connection:
        connection.execute(f"grant usage on schema t_{tenant} to p2_admin_job")
        connection.execute(f"grant select on all tables in schema t_{tenant} to p2_admin_job")
        attributes = connection.execute(
            "select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, "
            "rolbypassrls from pg_roles where rolname = 'p2_admin_job'"
        ).fetchone()
        assert attributes == (False, False, False, False, False, True)
        for statement in (
            f"update t_{tenant}.log_head set pos = 1",
            f"delete from t_{tenant}.checkpoint",
            f"truncate t_{tenant}.checkpoint",
            f"create table t_{tenant}.mine (id int)",
            "create schema mine",
            "update plan2.tenant set lifecycle = 'served'",
            "delete from plan2.admin_use",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                _as_job(connection, statement)
    with (
        connect(postgres.access.app) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("set local role p2_admin_job")


def _as_job(connection: psycopg.Connection, statement: str) -> None:
    with connection.transaction():
        connection.execute("set local role p2_admin_job")
        connection.execute(statement)


@pytest.mark.parametrize(
    ("attributes", "grants", "complaint"),
    [
        ("createrole", (), "CREATEROLE"),
        ("replication", (), "REPLICATION"),
        ("", ("grant pg_read_server_files to {}",), "files of the server"),
        ("noinherit", ("grant p2_owner to {}",), "p2_owner"),
        ("noinherit", ("grant p2_admin_job to {}",), "BYPASSRLS"),
        (
            "noinherit",
            ("create role between_{} noinherit", "grant p2_owner to between_{}",
             "grant between_{} to {}"),
            "p2_owner",
        ),
        ("", ("alter table t_owned.checkpoint owner to {}",), "owner of tables"),
    ],
)  # fmt: skip
def test_no_detour_to_more_rights(
    postgres: Postgres, attributes: str, grants: tuple[str, ...], complaint: str
) -> None:
    """R-050: what a role can become or fetch counts, inherited or not, at whatever distance."""
    role = f"detour_{abs(hash((attributes, grants))) % 10**9}"
    postgres.migrator.ensure_tenant(TenantId("owned"), LiveClock().now_ns())
    with admin(postgres) as connection:
        connection.execute(f"create role {role} login password 'secret' {attributes}")
        connection.execute(f"grant connect on database plan2 to {role}")
        for grant in grants:
            connection.execute(grant.replace("{}", role))
    try:
        with pytest.raises(ConfigError, match=complaint):
            check_role(Access(postgres.access.app.set(username=role, password="secret"), None))
    finally:
        with admin(postgres) as connection:
            connection.execute("alter table t_owned.checkpoint owner to p2_owner")


def test_a_disguised_superuser_is_refused(postgres: Postgres) -> None:
    """R-050: a log-in as superuser that calls itself p2_app is one RESET ROLE from all rows."""
    assert postgres.access.admin is not None
    disguised = postgres.access.admin.update_query_dict({"options": "-crole=p2_app"})
    with connect(disguised) as connection:
        assert connection.execute("select current_user").fetchone() == ("p2_app",)
    with pytest.raises(ConfigError, match="superuser"):
        check_role(Access(disguised, None))


async def test_the_service_does_not_start_as_superuser(postgres: Postgres) -> None:
    """R-050: `open_database`, which `plan2 serve` starts with, refuses a superuser's URL."""
    assert postgres.access.admin is not None
    url = libpq_url(postgres.access.admin)
    settings = Settings(database=DatabaseSettings(url=url))
    with pytest.raises(ConfigError, match="must not work as database role p2_super"):
        async with open_database(settings, tenants=[postgres.new_tenant()]):
            pytest.fail("it started")


NEXT_REVISION = """
from plan2.foundation.database.tenant_tables import create_tenant_table

revision = "9000"
down_revision = "{before}"


def upgrade() -> None:
    create_tenant_table("novelty", "id int primary key", app_may="select")
"""


def test_one_broken_tenant_of_ten_waits_for_its_repair(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-064: tenant 3 of 10 is refused with the reason, nine are served; mended, all are."""
    access = other_database(postgres, "plan2_ten")
    prepare_database(access)
    assert access.admin is not None
    migrator = Migrator(access.admin)
    ten = [TenantId(f"n{number}") for number in range(1, 11)]
    now_ns = LiveClock().now_ns()
    for tenant in ten:
        migrator.ensure_tenant(tenant, now_ns)
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.migrations_folder(), folder)
    text = NEXT_REVISION.format(before=migrate.newest_revision())
    (folder / "versions" / "9000_novelty.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(migrate, "migrations_folder", lambda: folder)
    with connect(access.admin, autocommit=True) as connection:
        connection.execute("create table t_n3.novelty (in_the_way int)")

    failed = migrator.migrate_all(now_ns)
    assert list(failed) == ["n3"]
    assert "novelty" in failed[TenantId("n3")]
    check_tenants(access, [tenant for tenant in ten if tenant != "n3"])
    with pytest.raises(ConfigError, match="n3 is failed at revision"):
        check_tenants(access, [TenantId("n3")])
    with connect(access.admin, autocommit=True) as connection:
        connection.execute("drop table t_n3.novelty")
    assert migrator.migrate_all(now_ns) == {}
    check_tenants(access, ten)
    migrator.close()


def test_tables_of_a_newer_plan2_are_not_touched(postgres: Postgres) -> None:
    """After a step back to an older program its tenant is refused, and why is said."""
    access = other_database(postgres, "plan2_newer")
    prepare_database(access)
    assert access.admin is not None
    migrator = Migrator(access.admin)
    for name in ("ahead", "level"):
        migrator.ensure_tenant(TenantId(name), LiveClock().now_ns())
    with connect(access.admin, autocommit=True) as connection:
        connection.execute("update t_ahead.schema_revision set version_num = '9999'")
        connection.execute(
            "update plan2.tenant set actual_revision = '9999' where tenant_id = 'ahead'"
        )
    failed = migrator.migrate_all(LiveClock().now_ns())
    assert list(failed) == ["ahead"]
    assert "newer Plan2" in failed[TenantId("ahead")]
    check_tenants(access, [TenantId("level")])
    migrator.close()


def other_database(postgres: Postgres, name: str) -> Access:
    """A database of its own on the same server, where no other test looks."""
    assert postgres.access.admin is not None
    with admin(postgres) as connection:
        connection.execute(f"create database {name} template template0")
        connection.execute(f"grant connect on database {name} to p2_app")
    return Access(postgres.access.app.set(database=name), postgres.access.admin.set(database=name))


OLD_CONTROL = """
create schema plan2 authorization p2_owner;
create table plan2.tenant (
    tenant_id text primary key,
    schema_name text not null unique,
    state text not null
        check (state in ('migrating', 'ready', 'failed', 'suspended')),
    target_revision text not null,
    actual_revision text not null default '',
    detail text not null default '',
    updated_at timestamptz not null default now());
alter table plan2.tenant owner to p2_owner;
insert into plan2.tenant values ('default', 't_default', 'ready', '0003', '0003'),
    ('shut', 't_shut', 'suspended', '0003', '0003');
grant usage on schema plan2 to p2_app; grant select on plan2.tenant to p2_app;
"""
"""What the version before this one made, word for word."""


def test_a_registry_of_the_last_version_is_brought_up_to_date(postgres: Postgres) -> None:
    """Twice gives the same as once; tenants keep their places, suspended ones stay suspended."""
    old = other_database(postgres, "plan2_old")
    assert old.admin is not None
    with connect(old.admin, autocommit=True) as connection:
        connection.execute(OLD_CONTROL)
    with pytest.raises(ConfigError, match="earlier Plan2"):
        check_tenants(old, [TenantId("default")])
    for _ in range(2):
        with connect(old.admin) as connection:
            ensure_control(connection)
    with connect(old.app) as connection:
        rows = connection.execute(
            "select tenant_id, state, lifecycle, steps_done, created_ns > 0 from plan2.tenant "
            "order by 1"
        ).fetchall()
    assert rows == [
        ("default", "ready", "served", [], True),
        ("shut", "ready", "suspended", [], True),
    ]
    with pytest.raises(InputError, match="known are: default, shut"):
        check_tenants(old, [TenantId("nobody")])


@pytest.fixture
async def slow(postgres: Postgres) -> AsyncIterator[Database]:
    """A database of three connections behind a proxy that delays what the server answers."""
    folder = make_data_dir()
    target = Path(str(postgres.access.app.query["host"])) / ".s.PGSQL.5432"
    jitter = np.random.default_rng(20_260)

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most_s: float
    ) -> None:
        while piece := await reader.read(65_536):
            await asyncio.sleep(jitter.random() * most_s)
            writer.write(piece)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(target))
        await asyncio.gather(
            pump(reader, back, 0.0), pump(there, writer, 0.004), return_exceptions=True
        )

    proxy = await asyncio.start_unix_server(serve, str(folder / ".s.PGSQL.5432"))
    url = postgres.access.app.update_query_dict({"host": str(folder)})
    engine = make_engine(url, DatabaseSettings(pool_size=3))
    opened = Database(engine, Access(url, None), LiveClock())
    opened.shares = TenantShares(lambda _: 2, 60.0)
    yield opened
    await opened.close()
    proxy.close()


async def test_an_answer_never_reaches_another_question(postgres: Postgres, slow: Database) -> None:
    """R-060: 500 requests, half cancelled at random moments; every answer is to its own token."""
    tenants = [postgres.new_tenant() for _ in range(3)]
    chance = np.random.default_rng(7)
    wrong: list[tuple[object, object]] = []
    answered = 0

    async def ask(n: int) -> None:
        nonlocal answered
        tenant = tenants[n % 3]
        async with slow.uow(tenant) as uow:
            cursor = await uow.raw.execute(
                "select %s::int, tenant_id, current_setting('app.tenant_id') from log_head", (n,)
            )
            row = await cursor.fetchone()
            answered += 1
            if row != (n, tenant, tenant):
                wrong.append((n, row))

    async def cancelled(n: int) -> None:
        task = asyncio.create_task(ask(n))
        await asyncio.sleep(chance.random() * 0.03)
        task.cancel()
        await asyncio.wait([task])

    async def line(numbers: range) -> None:
        for n in numbers:
            await (cancelled(n) if chance.random() < 0.5 else ask(n))

    await asyncio.gather(*(line(range(start, 500, 10)) for start in range(10)))
    assert wrong == []
    assert answered > 200
    assert all(slow.shares.used_by(tenant) == 0 for tenant in tenants)


async def test_one_tenant_cannot_take_the_whole_pool(postgres: Postgres) -> None:
    """R-061: twenty busy tasks of one hold two of three connections; another gets in at once."""
    database = postgres.open(pool_size=3)
    greedy, modest = postgres.new_tenant(), postgres.new_tenant()
    inside = most = 0
    full, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        nonlocal inside, most
        async with database.uow(greedy):
            inside += 1
            most = max(most, inside)
            if inside == 2:
                full.set()
            try:
                await release.wait()
            finally:
                inside -= 1

    tasks = [asyncio.create_task(hold()) for _ in range(20)]
    async with asyncio.timeout(20):
        await full.wait()
        async with database.uow(modest) as uow:
            assert (await uow.execute("select 1")).scalar_one() == 1
    for task in tasks[:5]:
        task.cancel()
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 2
    assert (database.shares.used_by(greedy), database.shares.used_by(modest)) == (0, 0)
    await database.close()


async def test_a_tenant_that_waits_too_long_is_told(postgres: Postgres) -> None:
    """The one in line gets StoreBusy that names the bound, and leaves nothing behind."""
    database = postgres.open(pool_size=3)
    database.shares = TenantShares(lambda _: 1, 0.02)
    tenant = postgres.new_tenant()
    async with database.uow(tenant):
        with pytest.raises(StoreBusy, match="1 database connections"):
            async with database.uow(tenant):
                pytest.fail("there is one only")
    assert database.shares.used_by(tenant) == 0
    async with database.uow(tenant) as uow:
        assert (await uow.execute(sa.text("select 1"))).scalar_one() == 1
    await database.close()
