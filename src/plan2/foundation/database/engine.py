"""The pool of connections to PostgreSQL (SQLAlchemy Core on psycopg 3, no ORM).

Settings travel with the connection's start-up packet, so no session ever differs from another and
nothing has to be reset. Commits are durable; a connection is renewed after half an hour, because
a backend keeps what it learned about every tenant's tables in memory.
"""

from sqlalchemy import URL, QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from plan2.foundation.config.schema import Database as DatabaseSettings
from plan2.foundation.database.shares import TenantShares

CONNECTION_LIFE_S = 1_800
IDLE_IN_TRANSACTION_MS = 60_000
LOCK_TIMEOUT_MS = 10_000
POOL_WAIT_S = 10.0
SHARE_OF_ONE_TENANT = (2, 3)
"""Two thirds of the pool; what one tenant cannot take is there for the others."""


def make_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """An engine with at most `settings.pool_size` connections, opened when first needed."""
    options = {
        "synchronous_commit": "on",
        "statement_timeout": f"{settings.statement_timeout_ms}ms",
        "lock_timeout": f"{LOCK_TIMEOUT_MS}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_MS}ms",
        "timezone": "UTC",
        "application_name": "plan2",
    }
    return create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_recycle=CONNECTION_LIFE_S,
        hide_parameters=True,
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            "connect_timeout": 10,
        },
    )


def shares_of(engine: AsyncEngine) -> TenantShares:
    """How the pool is shared among tenants unless somebody says otherwise."""
    pool = engine.sync_engine.pool
    size = pool.size() if isinstance(pool, QueuePool) else 1
    part, whole = SHARE_OF_ONE_TENANT
    return TenantShares(lambda _: size * part // whole, POOL_WAIT_S)
