"""Roles, row security and migrations: what the catalogue says, and what the roles can really do."""

import threading
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import LiveClock
from plan2.foundation.database import migrate
from plan2.foundation.database.migrate import Migrator, check_tenants, newest_revision
from plan2.foundation.database.roles import (
    Access,
    check_role,
    connect,
    external_access,
    libpq_url,
)
from plan2.foundation.errors import ConfigError, InputError, StoreBusy
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_DAY, TenantId

RLS_EXCEPTIONS = """
select c.relname from pg_class c
where c.relnamespace = %(schema)s::regnamespace and c.relkind in ('r', 'p')
  and not (
    c.relrowsecurity and c.relforcerowsecurity
    and (select count(*) = 1 and bool_and(
            p.polcmd = '*' and p.polpermissive
            and pg_get_expr(p.polqual, c.oid) like '%%app.tenant_id%%'
            and pg_get_expr(p.polwithcheck, c.oid) like '%%app.tenant_id%%')
         from pg_policy p where p.polrelid = c.oid)
    and exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
                and pg_get_constraintdef(k.oid) like %(check)s))
"""


def admin(postgres: Postgres) -> psycopg.Connection:
    """A superuser's connection that commits each statement."""
    assert postgres.access.admin is not None
    return connect(postgres.access.admin, autocommit=True)


def with_role(postgres: Postgres, role: str) -> Access:
    """The address of the database for another role of the embedded server."""
    url = postgres.access.app.set(username=role, password="secret")
    return Access(url, None)


def sent(n: int) -> NewEvent:
    """The n-th event."""
    event = OrderSent(ts_ns=n, order_id=str(n), account_id="a", symbol="EURUSD")
    return NewEvent(stream_id="s", event=event, event_id=derived_id("tenants", n))


def test_every_table_is_fenced(postgres: Postgres, tenant: TenantId) -> None:
    """R-051: no table of a tenant lacks forced row security, its policy, or its CHECK."""
    values = {"schema": f"t_{tenant}", "check": f"%tenant_id = '{tenant}'%"}
    with admin(postgres) as connection:
        assert connection.execute(RLS_EXCEPTIONS, values).fetchall() == []
        tables = connection.execute(
            "select count(*) from pg_class where relnamespace = %s::regnamespace "
            "and relkind in ('r', 'p')",
            [f"t_{tenant}"],
        ).fetchone()
        assert tables is not None
        assert tables[0] >= 9
        with connection.transaction(force_rollback=True):
            connection.execute(f"create table t_{tenant}.forgotten (id int)")
            assert connection.execute(RLS_EXCEPTIONS, values).fetchall() == [("forgotten",)]


def test_nothing_runs_with_foreign_rights(postgres: Postgres, tenant: TenantId) -> None:
    """R-056: no SECURITY DEFINER function, no materialised view, no view without its invoker."""
    with admin(postgres) as connection:
        found = connection.execute(
            """select proname from pg_proc where prosecdef and pronamespace = %(s)s::regnamespace
               union all select relname from pg_class where relnamespace = %(s)s::regnamespace
               and (relkind = 'm' or relkind = 'v'
                    and not coalesce(reloptions @> array['security_invoker=on'], false))""",
            {"s": f"t_{tenant}"},
        ).fetchall()
    assert found == []


@pytest.mark.parametrize(
    "statement",
    [
        "update event set actor = 'me'",
        "delete from event",
        "truncate event",
        "truncate event_default",
        "update seen_event set pos = 1",
        "alter table event disable row level security",
        "drop table event",
        "create table mine (id int)",
        "set local role p2_owner",
        "update plan2.tenant set state = 'ready'",
    ],
)
async def test_the_application_cannot_rewrite_history(
    database: Database, tenant: TenantId, statement: str
) -> None:
    """R-023: as p2_app every such statement is refused."""
    await database.store.append(tenant, [sent(1)])
    with pytest.raises(sa.exc.ProgrammingError, match=r"(?i)permission|owner"):
        async with database.uow(tenant) as uow:
            await uow.execute(statement)


async def test_not_even_the_owner_changes_events(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """R-023: a trigger stands where rights would allow it."""
    await database.store.append(tenant, [sent(1)])
    with admin(postgres) as connection:
        connection.execute(f"set search_path = t_{tenant}")
        for statement in (
            "update event set actor = 'me'",
            "delete from event",
            "truncate event",
            "truncate event_default",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
                connection.execute(statement)


@pytest.mark.parametrize(
    ("attributes", "membership", "complaint"),
    [
        ("superuser", "", "superuser"),
        ("bypassrls", "", "BYPASSRLS"),
        ("", "p2_owner", "p2_owner"),
        ("", "p2_admin_job", "BYPASSRLS"),
    ],
)
def test_a_dangerous_role_is_refused(
    postgres: Postgres, attributes: str, membership: str, complaint: str
) -> None:
    """R-050: superuser, BYPASSRLS, owner, or a member of such a role: no service."""
    role = f"danger_{attributes}{membership}"
    with admin(postgres) as connection:
        connection.execute(f"create role {role} login password 'secret' {attributes}")
        connection.execute(f"grant connect on database plan2 to {role}")
        if membership:
            connection.execute(f"grant {membership} to {role}")
    with pytest.raises(ConfigError, match=complaint):
        check_role(with_role(postgres, role))


def test_the_usual_role_is_accepted(postgres: Postgres) -> None:
    """R-050: p2_app passes, by socket path or as an external URL."""
    check_role(postgres.access)
    check_role(external_access(libpq_url(postgres.access.app)))


@pytest.mark.parametrize("url", ["mysql://a@b/c", "nonsense", "sqlite:///x"])
def test_other_databases_are_refused(url: str) -> None:
    """Only PostgreSQL URLs are taken, and the message does not repeat a password."""
    with pytest.raises(ConfigError, match=r"database\.url"):
        external_access(url)


async def test_partitions_are_made_ahead_and_late(postgres: Postgres, database: Database) -> None:
    """R-024: months come ahead, repeatedly; events of a missing month wait in the default one."""
    tenant, now_ns = postgres.new_tenant(), LiveClock().now_ns()
    assert postgres.migrator.ensure_months(tenant, now_ns) == []
    future_ns = now_ns + 200 * NS_PER_DAY
    database.store._clock = _Fixed(future_ns)
    stored = await database.store.append(tenant, [sent(1), sent(2)])
    assert await _partitions(database, tenant) == {"event_default"}
    assert len(postgres.migrator.ensure_months(tenant, future_ns)) == 3
    (partition,) = await _partitions(database, tenant)
    assert partition.startswith("event_2")
    assert await database.store.tail(tenant, 0) == stored
    (third,) = await database.store.append(tenant, [sent(3)])
    assert third.prev_hash == stored[1].hash
    values = {"schema": f"t_{tenant}", "check": f"%tenant_id = '{tenant}'%"}
    with admin(postgres) as connection:
        assert connection.execute(RLS_EXCEPTIONS, values).fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"truncate t_{tenant}.{partition}")


def test_a_tenant_that_fails_does_not_stop_the_others(postgres: Postgres) -> None:
    """R-064: a locked tenant is marked failed and refused; the others, and later it, get ready."""
    first, second, third = (postgres.new_tenant() for _ in range(3))
    with admin(postgres) as connection:
        connection.execute(
            "update plan2.tenant set actual_revision = '0001' where tenant_id = any(%s)",
            [[first, second, third]],
        )
        connection.execute(f"drop table t_{second}.schema_revision")
        connection.execute(f"create view t_{second}.schema_revision as select '9' as version_num")
    now_ns = LiveClock().now_ns()
    outcome = postgres.migrator.migrate_all(now_ns)
    assert list(outcome) == [second]
    check_tenants(postgres.access, [first, third])
    with pytest.raises(ConfigError, match=f"{second} is failed"):
        check_tenants(postgres.access, [second])
    with admin(postgres) as connection:
        connection.execute(f"drop schema t_{second} cascade")
        connection.execute("delete from plan2.tenant where tenant_id = %s", [second])
    postgres.migrator.ensure_tenant(second, now_ns)
    check_tenants(postgres.access, [second])


def test_a_migration_does_not_wait_for_ever(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-064: a table in use ends the attempt with a clear error, not with a frozen system."""
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT_MS", 50)
    monkeypatch.setattr(migrate, "LOCK_TRIES", 2)
    tenant = postgres.new_tenant()
    with admin(postgres) as busy:
        busy.execute("update plan2.tenant set actual_revision = '' where tenant_id = %s", [tenant])
        with busy.transaction():
            busy.execute(f"lock table t_{tenant}.schema_revision in access exclusive mode")
            with pytest.raises(StoreBusy, match="in use"):
                postgres.migrator.ensure_tenant(tenant, LiveClock().now_ns())
    postgres.migrator.ensure_tenant(tenant, LiveClock().now_ns())
    check_tenants(postgres.access, [tenant])


def test_two_processes_may_migrate_at_once(postgres: Postgres) -> None:
    """The second waits for the first and finds nothing left to do."""
    tenant = TenantId("together")
    assert postgres.access.admin is not None
    failures: list[BaseException] = []

    def work() -> None:
        migrator = Migrator(postgres.access.admin)
        try:
            migrator.ensure_tenant(tenant, LiveClock().now_ns())
        except (sa.exc.SQLAlchemyError, StoreBusy) as error:
            failures.append(error)
        migrator.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    check_tenants(postgres.access, [tenant])


@pytest.mark.parametrize("name", ["", "A", "a-b", "a;drop", "ä", "a" * 49])
def test_odd_tenant_names_are_refused(postgres: Postgres, name: str) -> None:
    """An id becomes part of SQL, so its alphabet is closed."""
    with pytest.raises(InputError, match="Tenant id"):
        postgres.migrator.ensure_tenant(TenantId(name), 0)


def test_unknown_tenants_are_named(postgres: Postgres, tenant: TenantId) -> None:
    """Asking for a tenant that is not there lists those that are."""
    with pytest.raises(InputError, match=f"no tenant nobody; known are: .*{tenant}"):
        check_tenants(postgres.access, [TenantId("nobody")])


def test_revisions_form_one_line_in_order_of_their_names() -> None:
    """`newest_revision` trusts the file names, so they must agree with Alembic's history."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(migrate.migrations_folder()))
    history = [each.revision for each in script.walk_revisions()][::-1]
    files = sorted(Path(script.versions).glob("[0-9]*_*.py"))
    assert history == [each.name.partition("_")[0] for each in files]
    assert script.get_heads() == [newest_revision()]


def test_every_revision_can_be_undone(postgres: Postgres) -> None:
    """Down to nothing and up again."""
    from alembic import command

    tenant = postgres.new_tenant()
    migrator = postgres.migrator
    with migrator.at(tenant) as config:
        command.downgrade(config, "base")
    with admin(postgres) as connection:
        left = connection.execute(
            "select relname from pg_class where relnamespace = %s::regnamespace and relkind in "
            "('r', 'p', 'v', 'S')",
            [f"t_{tenant}"],
        ).fetchall()
        assert left == [("schema_revision",)]
    with migrator.at(tenant) as config:
        command.upgrade(config, "head")


class _Fixed:
    """A clock that stands still."""

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """Always the same time."""
        return self._now_ns


async def _partitions(database: Database, tenant: TenantId) -> set[str]:
    """Names of the partitions that hold events."""
    async with database.uow(tenant) as uow:
        rows = await uow.execute("select distinct tableoid::regclass::text from event")
        return {row[0] for row in rows}
