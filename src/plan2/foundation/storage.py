"""Open the database for a program: external by URL, or embedded; prepared, migrated, checked.

Used by `plan2 serve` and by every verb that reads or writes events.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from plan2.foundation.clock import Clock, LiveClock
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.database.engine import make_engine, shares_of
from plan2.foundation.database.migrate import Migrator, check_tenants
from plan2.foundation.database.place import has_cluster
from plan2.foundation.database.roles import (
    Access,
    check_role,
    embedded_access,
    external_access,
    prepare_database,
)
from plan2.foundation.database.server import EmbeddedServer, Progress
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.database.unit_of_work import UnitOfWork, unit_of_work
from plan2.foundation.errors import ConfigError, Plan2Error, StoreBusy
from plan2.foundation.eventstore.store import PostgresEventStore
from plan2.foundation.lock import DataDirLock
from plan2.foundation.log import logger
from plan2.foundation.values import TenantId

T = TypeVar("T")
WATCH_EVERY_S = 1.0


class Database:
    """The open database of a program.

    Attributes:
        engine: the pool; only `uow` takes connections from it.
        store: the event store.
        access: the addresses, for tools such as backups.
        shares: how many connections one tenant may hold at once.
    """

    def __init__(self, engine: AsyncEngine, access: Access, clock: Clock) -> None:
        self.engine = engine
        self.access = access
        self.shares = shares_of(engine)
        self._clock = clock
        self.store = PostgresEventStore(self.uow, clock)

    def uow(self, tenant: TenantId | None = None) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction of one tenant: `async with database.uow(tenant) as uow: …`."""
        return unit_of_work(self.engine, tenant, self.shares)

    async def ensure_months(self, tenant: TenantId) -> list[str]:
        """Make the event partitions of the coming months; call it daily.

        Returns:
            The months made now, as YYYY-MM; always empty without the administrator's address, and
            then events of a new month go into the default partition.

        Raises:
            StoreBusy: the database does not answer, or the tables were in use all the time.
        """
        if self.access.admin is None:
            return []
        migrator = Migrator(self.access.admin)
        try:
            return await asyncio.to_thread(migrator.ensure_months, tenant, self._clock.now_ns())
        except sa.exc.SQLAlchemyError as error:
            raise StoreBusy(f"No event partitions were made: {error}") from error
        finally:
            migrator.close()

    async def close(self) -> None:
        """Close every connection; the server is stopped by `open_database`."""
        await self.engine.dispose()


@asynccontextmanager
async def open_database(
    settings: Settings,
    progress: Progress = lambda _: None,
    *,
    tenants: Sequence[TenantId] = (MAIN_TENANT,),
    may_join: bool = False,
    clock: Clock | None = None,
) -> AsyncIterator[Database]:
    """Start or find the database, bring it up to date, and hand it over until the block ends.

    Args:
        settings: the whole configuration; `database` and `data` are read.
        progress: told in plain sentences what takes time.
        tenants: those to serve; `plan2 serve` creates and migrates them first.
        may_join: False insists on being the only Plan2 on this data folder (`plan2 serve`). True
            is for the other verbs: they share the database of a Plan2 that runs, or start an
            existing one for themselves, and neither create nor migrate anything.
        clock: gives events their time; the machine's clock when None.

    Raises:
        ConfigError: the data folder is in use or holds no database yet, PostgreSQL cannot start,
            or the role is not safe.
        InputError: one of the tenants does not exist.
        StoreBusy: the database does not answer in time.
    """
    clock = clock or LiveClock()
    async with _reached(settings, progress, may_join=may_join) as access:
        if not may_join and access.admin is not None:
            await _to_the_end(asyncio.to_thread(_prepare, access, tenants, clock.now_ns()))
        await asyncio.to_thread(_check, access, tenants)
        database = Database(make_engine(access.app, settings.database), access, clock)
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def _reached(
    settings: Settings, progress: Progress, *, may_join: bool
) -> AsyncIterator[Access]:
    """The addresses of a server that runs while the block lasts."""
    if settings.database.url:
        yield external_access(settings.database.url, settings.database.admin_url)
        return
    folder = data_dir(settings)
    if may_join and not has_cluster(folder):
        raise ConfigError(
            f"There is no Plan2 database in {folder} yet.",
            remedy="Start `plan2 serve` once, or name the right folder with --data-dir.",
        )
    lock = DataDirLock(folder)
    is_owner = lock.try_acquire()
    if not is_owner and not may_join:
        raise lock.refusal()
    server = EmbeddedServer(
        folder,
        run_as=settings.database.run_as,
        deadline_s=settings.database.start_deadline_s,
        progress=progress,
    )
    try:
        start = server.start if is_owner else server.join
        endpoint = await _to_the_end(asyncio.to_thread(start))
        watch = asyncio.create_task(_keep_running(server)) if is_owner else None
        try:
            yield embedded_access(endpoint)
        finally:
            if watch is not None:
                watch.cancel()
                await asyncio.wait([watch])
    finally:
        if is_owner:
            await _to_the_end(asyncio.to_thread(server.stop))
        lock.release()


async def _keep_running(server: EmbeddedServer) -> None:
    """Start the embedded server again whenever it is gone, until cancelled."""
    while True:
        await asyncio.sleep(WATCH_EVERY_S)
        if await asyncio.to_thread(server.is_running):
            continue
        try:
            await _to_the_end(asyncio.to_thread(server.start))
        except Plan2Error as error:
            logger("database").error("database_restart_failed", reason=str(error))
        else:
            logger("database").warning("database_restarted")


async def _to_the_end(work: Coroutine[None, None, T]) -> T:
    """Let a thread finish what it does before a cancellation goes on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _prepare(access: Access, tenants: Sequence[TenantId], now_ns: int) -> None:
    """Bring roles and tenants up to date."""
    prepare_database(access)
    if access.admin is not None:
        migrator = Migrator(access.admin)
        for tenant in tenants:
            migrator.ensure_tenant(tenant, now_ns)
        migrator.close()


def _check(access: Access, tenants: Sequence[TenantId]) -> None:
    """Refuse an unsafe role, and tenants that are not ready."""
    check_role(access)
    check_tenants(access, tenants)
