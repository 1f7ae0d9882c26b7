"""One history of revisions, applied to each tenant's schema by itself.

A tenant is served only when its registry row says `ready` at the newest revision. Each revision is
a transaction of its own with a short lock time-out, so a migration neither blocks trading for long
nor leaves a schema half changed, and goes on where it was interrupted.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg.errors import (
    DeadlockDetected,
    InsufficientPrivilege,
    LockNotAvailable,
    UndefinedColumn,
    UndefinedTable,
)

import plan2
from plan2.foundation.database.roles import Access, connect
from plan2.foundation.database.tenancy import (
    APP_ROLE,
    MAIN_TENANT,
    OWNER_ROLE,
    protection,
    schema_of,
)
from plan2.foundation.errors import ConfigError, InputError, StoreBusy, require
from plan2.foundation.values import NS_PER_SECOND, TenantId

T = TypeVar("T")

VERSION_TABLE = "schema_revision"
LOCK_TIMEOUT_MS = 2_000
LOCK_TRIES = 5
RETRY_PAUSE_S = 0.5
REMEDY = "Start `plan2 serve` once; an external server needs database.admin_url."
LIVING = ("served", "suspended")
"""Lifecycles whose schema is kept up to date; in the others a saga is at work, or was."""

FAULTS = (sa.exc.SQLAlchemyError, StoreBusy, ConfigError)
"""What may be wrong with one tenant and must not stop the others."""

MONTHS_AHEAD = 2
"""Partitions are made for the current month and this many after it."""


def migrations_folder() -> Path:
    """Where the revisions are: in the repository, or inside the installed package."""
    packaged = Path(str(resources.files(plan2))) / "_migrations"
    return packaged if packaged.is_dir() else Path(plan2.__file__).parents[2] / "migrations"


def newest_revision() -> str:
    """The revision that this version of Plan2 needs; file names begin with their revision."""
    names = (each.name for each in (migrations_folder() / "versions").glob("[0-9]*_*.py"))
    return max(names).partition("_")[0]


class Migrator:
    """Creates tenants and brings them to the newest revision; every method blocks.

    Args:
        admin: the address of a role that may become `p2_owner`.
    """

    def __init__(self, admin: sa.URL) -> None:
        self._engine = sa.create_engine(admin, pool_size=3)

    def ensure_tenant(self, tenant: TenantId, now_ns: int) -> None:
        """Create the tenant if it is new, migrate it, and make its partitions.

        Args:
            tenant: 1–48 of a–z, 0–9 and underscore.
            now_ns: UTC nanoseconds; decides which months get a partition.

        Raises:
            InputError: the id is not usable, or the tenant was deleted.
            StoreBusy: a lock could not be had in time; the tenant is marked `failed`.
        """
        self.migrate(tenant)
        self.ensure_months(tenant, now_ns)

    def migrate(self, tenant: TenantId) -> None:
        """Create the tenant's schema if it is new, and bring it to the newest revision.

        Raises:
            InputError, StoreBusy: as `ensure_tenant`.
        """
        schema_of(tenant)
        if self._actual(tenant) != newest_revision():
            with self._alone(tenant):
                self._migrate(tenant)

    def tenants(self) -> list[TenantId]:
        """Every tenant that has a schema to keep up to date, in order."""
        query = "select tenant_id from plan2.tenant where lifecycle = any(:living) order by 1"
        with self._engine.begin() as connection:
            rows = connection.execute(sa.text(query), {"living": list(LIVING)})
            return [TenantId(row[0]) for row in rows]

    def migrate_all(self, now_ns: int) -> dict[TenantId, str]:
        """Migrate every registered tenant; one that fails does not stop the others.

        Returns:
            What went wrong, by tenant; empty when all are ready.
        """
        failed: dict[TenantId, str] = {}
        for tenant in self.tenants():
            try:
                self.ensure_tenant(tenant, now_ns)
            except FAULTS as error:
                failed[tenant] = str(error)
        return failed

    def ensure_months(self, tenant: TenantId, now_ns: int) -> list[str]:
        """Make the partitions of this month and the next ones; returns the months made now.

        Raises:
            StoreBusy: the event table was in use all the time; nothing was made.
        """
        today = datetime.fromtimestamp(now_ns // NS_PER_SECOND, UTC)

        def make() -> list[str]:
            made = []
            with self._engine.begin() as connection:
                _enter(connection, tenant)
                for ahead in range(MONTHS_AHEAD + 1):
                    years, month = divmod(today.month - 1 + ahead, 12)
                    start = datetime(today.year + years, month + 1, 1, tzinfo=UTC)
                    query = sa.text("select ensure_month(:start)")
                    if connection.execute(query, {"start": start}).scalar_one():
                        made.append(f"{start:%Y-%m}")
            return made

        return _patiently(tenant, make)

    @contextmanager
    def at(self, tenant: TenantId) -> Iterator[Config]:
        """Alembic's configuration for one tenant, for `alembic.command`; each revision commits."""
        config = Config()
        config.set_main_option("script_location", str(migrations_folder()))
        with self._engine.connect() as connection:
            sa.event.listen(connection, "begin", lambda begun: _enter(begun, tenant))
            config.attributes.update(
                connection=connection, schema=schema_of(tenant), version_table=VERSION_TABLE
            )
            yield config

    def upgrade_fresh(self, tenant: TenantId, revision: str) -> None:
        """Make an empty schema at an older revision, for a restore that brings its rows.

        Raises:
            StoreBusy: a lock could not be had in time.
        """
        with self._alone(tenant):
            self._register(tenant, "migrating", actual="")
            self._prepare_schema(tenant)
            self._upgrade(tenant, revision)

    def drop(self, tenant: TenantId) -> None:
        """Drop a tenant's schema with everything in it; harmless when there is none.

        Raises:
            StoreBusy: its tables are in use; nothing was dropped.
        """
        require(tenant != MAIN_TENANT, f"the schema of {MAIN_TENANT} must not be dropped")

        def run() -> None:
            with self._engine.begin() as connection:
                _enter(connection, tenant)
                connection.exec_driver_sql(f"drop schema if exists {schema_of(tenant)} cascade")

        with self._alone(tenant):
            _patiently(tenant, run)
            self._register(tenant, "migrating", actual="")

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _migrate(self, tenant: TenantId) -> None:
        """Bring a tenant to the newest revision and keep the registry honest meanwhile."""
        target = newest_revision()
        if self._actual(tenant) == target:
            return  # another process was faster
        self._register(tenant, "migrating")
        try:
            self._prepare_schema(tenant)
            self._upgrade(tenant)
        except FAULTS as error:
            self._register(tenant, "failed", detail=str(error)[:500])
            raise
        self._register(tenant, "ready", actual=target)

    def _actual(self, tenant: TenantId) -> str:
        with self._engine.begin() as connection:
            query = "select actual_revision, lifecycle from plan2.tenant where tenant_id = :t"
            row = connection.execute(sa.text(query), {"t": tenant}).one_or_none()
        if row is not None and row[1] == "deleted":
            raise InputError(f"Tenant {tenant} was deleted.", remedy="Use another id.")
        return str(row[0]) if row is not None else ""

    @contextmanager
    def _alone(self, tenant: TenantId) -> Iterator[None]:
        """Keep other processes from migrating the same tenant meanwhile."""
        with self._engine.begin() as connection:
            key = f"plan2 migrates {schema_of(tenant)}"
            connection.execute(
                sa.text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key}
            )
            yield

    def _prepare_schema(self, tenant: TenantId) -> None:
        """Make the schema and Alembic's table, fenced like every other table."""
        schema = schema_of(tenant)
        with self._engine.begin() as connection:
            _enter(connection, tenant)
            if connection.execute(
                sa.text("select to_regclass(:name)"), {"name": f"{schema}.{VERSION_TABLE}"}
            ).scalar():
                return
            for statement in (
                f"create schema if not exists {schema}",
                f"grant usage on schema {schema} to {APP_ROLE}",
                f"""create table {VERSION_TABLE} (
                    tenant_id text not null default '{tenant}' check (tenant_id = '{tenant}'),
                    version_num varchar(32) primary key)""",
                *protection(VERSION_TABLE),
                f"grant select on {VERSION_TABLE} to {APP_ROLE}",
            ):
                connection.exec_driver_sql(statement)

    def _upgrade(self, tenant: TenantId, revision: str = "head") -> None:
        """Run the missing revisions."""

        def run() -> None:
            with self.at(tenant) as config:
                try:
                    command.upgrade(config, revision)
                except CommandError as error:
                    raise ConfigError(
                        f"The tables of tenant {tenant} are not of this Plan2: {error}.",
                        remedy="Use the newer Plan2 that made them.",
                    ) from error

        _patiently(tenant, run)

    def _register(
        self, tenant: TenantId, state: str, *, actual: str | None = None, detail: str = ""
    ) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.text(
                    """insert into plan2.tenant as t
                        (tenant_id, schema_name, state, target_revision, actual_revision, detail)
                    values (:tenant, :schema, :state, :target, coalesce(:actual, ''), :detail)
                    on conflict (tenant_id) do update set state = :state,
                        target_revision = :target, detail = :detail, updated_at = now(),
                        actual_revision = coalesce(:actual, t.actual_revision)"""
                ),
                {
                    "tenant": tenant,
                    "schema": schema_of(tenant),
                    "state": state,
                    "target": newest_revision(),
                    "actual": actual,
                    "detail": detail,
                },
            )


def _patiently(tenant: TenantId, work: Callable[[], T]) -> T:
    """Do something that needs locks; when they are busy, try again a few times.

    Raises:
        StoreBusy: they stayed busy.
    """
    tries = 0
    while True:
        try:
            return work()
        except sa.exc.OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
                raise
            tries += 1
            if tries == LOCK_TRIES:
                raise StoreBusy(
                    f"Tenant {tenant} could not be brought up to date: its tables are in use."
                ) from error
        time.sleep(RETRY_PAUSE_S)


def _enter(connection: sa.Connection, tenant: TenantId) -> None:
    """Work as the owner, inside one tenant, until this transaction ends."""
    connection.exec_driver_sql(
        """select set_config('role', %s, true), set_config('app.tenant_id', %s, true),
                  set_config('search_path', %s, true), set_config('lock_timeout', %s, true)""",
        (OWNER_ROLE, tenant, schema_of(tenant), f"{LOCK_TIMEOUT_MS}ms"),
    )


def check_tenants(access: Access, tenants: Sequence[TenantId]) -> None:
    """Refuse to serve a tenant that is not at the newest revision.

    Raises:
        InputError: there is no such tenant.
        ConfigError: it is not ready; the message says what state it is in.
    """
    target = newest_revision()
    with connect(access.app) as connection:
        try:
            rows = connection.execute(
                "select tenant_id, state, actual_revision from plan2.tenant "
                "where lifecycle = any(%s)",
                [list(LIVING)],
            ).fetchall()
        except (UndefinedTable, InsufficientPrivilege):
            rows = []
        except UndefinedColumn:
            raise ConfigError("The database was made by an earlier Plan2.", remedy=REMEDY) from None
    found = {row[0]: (row[1], row[2]) for row in rows}
    for tenant in tenants:
        if tenant not in found:
            raise InputError(
                f"There is no tenant {tenant}; known are: {', '.join(sorted(found)) or 'none'}."
            )
        state, actual = found[tenant]
        if (state, actual) != ("ready", target):
            raise ConfigError(
                f"Tenant {tenant} is {state} at revision {actual or 'none'}; {target} is needed.",
                remedy=REMEDY,
            )
