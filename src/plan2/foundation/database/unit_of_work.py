"""The only place that opens transactions: one tenant, all or nothing, nothing left behind.

`set_config(…, true)` ends with the transaction, so a connection that goes back to the pool cannot
carry a tenant with it, whatever happened: an error, a cancellation, a forgotten line.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from plan2.foundation.database.shares import TenantShares
from plan2.foundation.database.tenancy import checked_tenant, schema_of, tenant_scope
from plan2.foundation.errors import InvariantBroken, StoreBusy
from plan2.foundation.values import TenantId

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]  # values of any SQL type
RawConnection = psycopg.AsyncConnection[tuple[Any, ...]]  # rows hold values of any SQL type

ENTER = "select set_config('app.tenant_id', %s, true), set_config('search_path', %s, true)"


AWAY = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.TimeoutError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
"""Errors that say nothing about our statement, only that the server or the pool cannot serve it."""
FROZEN = psycopg.errors.ReadOnlySqlTransaction
"""The server takes no writes at present: a standby, or one that an operator has frozen."""


class UnitOfWork:
    """An open transaction of one tenant.

    Attributes:
        tenant: whose rows it sees.
        connection: SQLAlchemy Core, for everything that is not hot.
        raw: the psycopg connection of the same transaction, for the hot append and bulk work.
    """

    __slots__ = ("connection", "raw", "tenant")

    def __init__(self, tenant: TenantId, connection: AsyncConnection, raw: RawConnection) -> None:
        self.tenant = tenant
        self.connection = connection
        self.raw = raw

    async def execute(
        self, statement: sa.Executable | str, parameters: Parameters | None = None
    ) -> sa.CursorResult[Any]:  # rows hold values of any SQL type
        """Run one statement; text uses `:name` parameters. A sequence runs it for each."""
        query = sa.text(statement) if isinstance(statement, str) else statement
        return await self.connection.execute(query, parameters)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happens inside when it fails."""
        async with self.connection.begin_nested():
            yield


@asynccontextmanager
async def unit_of_work(
    engine: AsyncEngine, tenant: TenantId | None = None, shares: TenantShares | None = None
) -> AsyncIterator[UnitOfWork]:
    """Begin, set the tenant for this transaction, and commit; roll back on error or cancellation.

    Args:
        engine: the application's pool.
        tenant: whose transaction it is; None means the tenant that the task is bound to.
        shares: how many connections a tenant may hold at once; None sets no bound.

    Raises:
        InvariantBroken: the task belongs to another tenant, or to none when none is named.
        StoreBusy: the database cannot be reached, takes no writes, or every connection is taken.
            Raised at the end (instead of at the start) it leaves open whether the commit took
            place.
    """
    owner = checked_tenant(tenant)
    schema = schema_of(owner)
    raw: RawConnection | None = None
    try:
        async with (
            shares.one(owner) if shares is not None else nullcontext(),
            engine.connect() as connection,
            connection.begin(),
        ):
            raw = (await connection.get_raw_connection()).driver_connection
            if not isinstance(raw, psycopg.AsyncConnection):
                raise InvariantBroken(f"the pool holds {type(raw).__name__}, not psycopg's")
            await raw.execute(ENTER, (owner, schema))
            with tenant_scope(owner):
                yield UnitOfWork(owner, connection, raw)
    except (sa.exc.SQLAlchemyError, psycopg.Error) as error:
        if _is_away(error) or (raw is not None and raw.closed):
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise StoreBusy(f"The database does not answer: {reason}") from error
        raise


def _is_away(error: Exception) -> bool:
    """Whether the same may be tried again later; SQLAlchemy wraps what psycopg says."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return isinstance(error, AWAY) or isinstance(cause, FROZEN)
