"""A real PostgreSQL for tests: one embedded server per run, one fresh tenant per test.

`postgres` starts the server the way the product does; `tenant` makes a tenant that no other test
has seen; `database` is the open database of the test's own event loop. Use them by name: they are
made known to every test by `tests/conftest.py`.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Database as DatabaseSettings
from plan2.foundation.database.binaries import installed
from plan2.foundation.database.engine import make_engine
from plan2.foundation.database.migrate import Migrator
from plan2.foundation.database.roles import Access, embedded_access, prepare_database
from plan2.foundation.database.server import EmbeddedServer
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId

ROOM_BYTES = 4 * 1024**3


@dataclass
class Postgres:
    """A running, prepared server without tenants."""

    server: EmbeddedServer
    access: Access
    migrator: Migrator
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_tenant(self) -> TenantId:
        """Create and migrate a tenant of its own."""
        tenant = TenantId(f"test{next(self._numbers)}")
        self.migrator.ensure_tenant(tenant, LiveClock().now_ns())
        return tenant

    def open(self, **settings: int) -> Database:
        """The database with a pool of its own; the caller closes it."""
        engine = make_engine(self.access.app, DatabaseSettings(**settings))
        return Database(engine, self.access, LiveClock())


def make_data_dir() -> Path:
    """A data folder with a short path that an unprivileged server user may enter.

    In memory where there is room: kill -9 does not lose the page cache, and disks of test machines
    are busy.
    """
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private folder in it
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES
    made = tempfile.mkdtemp(prefix="plan2-test-", dir=memory if is_roomy else None)
    folder = Path(made).resolve()
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """An embedded server with roles and registry, stopped and removed after the run.

    PLAN2_TEST_POSTGRES=system or =wheel says which one to test where both are installed.
    """
    wanted = os.environ.get("PLAN2_TEST_POSTGRES")
    binaries = next((each for each in installed() if each.origin == wanted), None)
    folder = make_data_dir()
    server = EmbeddedServer(folder, binaries=binaries)
    access = embedded_access(server.start())
    try:
        prepare_database(access)
        assert access.admin is not None
        yield Postgres(server, access, Migrator(access.admin))
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def tenant(postgres: Postgres) -> TenantId:
    """A tenant with an empty event store."""
    return postgres.new_tenant()


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    """The open database, as `open_database` would give it."""
    opened = postgres.open()
    yield opened
    await opened.close()
