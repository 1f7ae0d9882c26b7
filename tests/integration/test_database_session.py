"""Opening the database as the programs do, and the verbs that read it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from integration.postgres_fixture import Postgres, make_data_dir
from plan2.commands.events import BROKEN_EXIT_CODE
from plan2.commands.events import command as events
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.config.schema import Data, Settings
from plan2.foundation.config.schema import Database as DatabaseSettings
from plan2.foundation.database.place import choose_place
from plan2.foundation.database.postmaster import running_server
from plan2.foundation.database.roles import connect, libpq_url
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.events.order import OrderAccepted, OrderSent
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.loop import run_async
from plan2.foundation.storage import open_database
from plan2.foundation.values import NS_PER_SECOND, TenantId


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A configuration with an empty data folder."""
    folder = make_data_dir()
    yield Settings(data=Data(dir=str(folder)))
    shutil.rmtree(folder)


def sent(n: int) -> NewEvent:
    """The n-th event; every third is of another type."""
    event = (
        OrderAccepted(ts_ns=n, order_id=str(n), account_id="a", symbol="EURUSD", ticket="1")
        if n % 3 == 0
        else OrderSent(ts_ns=n, order_id=str(n), account_id="a", symbol="EURUSD")
    )
    return NewEvent(stream_id="order:1", event=event, event_id=derived_id("session", n))


def is_running(settings: Settings) -> bool:
    """Whether the embedded server of this data folder runs."""
    return running_server(choose_place(Path(settings.data.dir)).cluster_dir) is not None


async def test_it_starts_from_nothing_and_keeps_what_it_got(settings: Settings) -> None:
    """R-031: empty folder, two runs: the second finds the events of the first, quickly."""
    told: list[str] = []
    async with open_database(settings, told.append) as database:
        await database.store.append(MAIN_TENANT, [sent(1)])
    assert any("new database" in each for each in told)
    assert not is_running(settings)
    started = stopwatch_ns()
    async with open_database(settings) as database:
        assert stopwatch_ns() - started < 10 * NS_PER_SECOND
        assert await database.store.position(MAIN_TENANT) == 1
        (again,) = await database.store.append(MAIN_TENANT, [sent(1)])
        assert again.position == 1


async def test_one_serves_and_others_join(settings: Settings) -> None:
    """A second server is refused by name; a tool shares the running one and leaves it running."""
    async with open_database(settings) as database:
        await database.store.append(MAIN_TENANT, [sent(1)])
        with pytest.raises(ConfigError, match="in use by another Plan2"):
            async with open_database(settings):
                pytest.fail("two servers on one folder")
        async with open_database(settings, may_join=True) as joined:
            assert await joined.store.position(MAIN_TENANT) == 1
        assert is_running(settings)
        with pytest.raises(InputError, match="no tenant other"):
            async with open_database(settings, tenants=[TenantId("other")], may_join=True):
                pytest.fail("a tool makes no tenant")
    assert not is_running(settings)


def test_a_tool_makes_nothing(settings: Settings) -> None:
    """Reading a folder without a database is an error that leaves the folder empty."""

    async def read() -> None:
        async with open_database(settings, may_join=True):
            pytest.fail("there is nothing to read")

    with pytest.raises(ConfigError, match="no Plan2 database"):
        run_async(read())
    assert list(Path(settings.data.dir).iterdir()) == []


async def test_a_failed_block_stops_the_server_too(settings: Settings) -> None:
    """Whatever ends the block, nothing is left running."""
    with pytest.raises(ZeroDivisionError):
        async with open_database(settings):
            _ = 1 / 0
    assert not is_running(settings)
    async with open_database(settings):
        assert is_running(settings)


async def test_an_external_server_by_url(postgres: Postgres) -> None:
    """R-043: prepared once with the administrator's URL, then used with the application's."""
    assert postgres.access.admin is not None
    app, admin = libpq_url(postgres.access.app), libpq_url(postgres.access.admin)
    tenant = TenantId("external")
    with pytest.raises(InputError, match="no tenant external"):
        async with open_database(Settings(database=DatabaseSettings(url=app)), tenants=[tenant]):
            pytest.fail("nobody prepared it")
    prepared = Settings(database=DatabaseSettings(url=app, admin_url=admin))
    async with open_database(prepared, tenants=[tenant]) as database:
        await database.store.append(tenant, [sent(1)])
    plain = Settings(database=DatabaseSettings(url=app))
    async with open_database(plain, tenants=[tenant]) as database:
        assert await database.store.position(tenant) == 1


async def test_a_superuser_url_is_refused(postgres: Postgres, tenant: TenantId) -> None:
    """R-050: the service does not start with a role that row security does not bind."""
    assert postgres.access.admin is not None
    settings = Settings(database=DatabaseSettings(url=libpq_url(postgres.access.admin)))
    with pytest.raises(ConfigError, match="superuser"):
        async with open_database(settings, tenants=[tenant]):
            pytest.fail("a superuser must not serve")


class TestVerbs:
    """`plan2 events`, against a folder that no server holds."""

    @pytest.fixture(scope="class")
    def folder(self) -> Iterator[Path]:
        """A data folder with ten events."""
        made = make_data_dir()

        async def fill() -> None:
            async with open_database(Settings(data=Data(dir=str(made)))) as database:
                await database.store.append(MAIN_TENANT, [sent(n) for n in range(10)])

        run_async(fill())
        yield made
        shutil.rmtree(made)

    def run(self, folder: Path, *arguments: str) -> Result:
        """One call of `plan2 events`."""
        return CliRunner().invoke(events, [*arguments, "--data-dir", str(folder)])

    def test_tail_prints_the_newest_oldest_first(self, folder: Path) -> None:
        """The last three, a line each, with position, type, stream and members; or whole."""
        result = self.run(folder, "tail", "--limit", "3")
        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert [line.split()[0] for line in lines] == ["8", "9", "10"]
        assert "OrderAccepted" in lines[-1]
        assert "order_id=9" in lines[-1]
        whole = self.run(folder, "tail", "--limit", "1", "--full").stdout.splitlines()
        assert '"order_id":"9"' in whole[-1]

    def test_tail_as_json_filters_types(self, folder: Path) -> None:
        """One object per line, only of the wanted type."""
        result = self.run(folder, "tail", "--json", "--type", "OrderAccepted")
        found = [json.loads(line) for line in result.stdout.splitlines()]
        assert [each["position"] for each in found] == [1, 4, 7, 10]
        assert {each["type"] for each in found} == {"OrderAccepted"}
        assert found[0]["data"]["ticket"] == "1"

    def test_an_unknown_type_is_explained(self, folder: Path) -> None:
        """The error names the type and lists those that exist."""
        result = self.run(folder, "tail", "--type", "Nonsense")
        assert isinstance(result.exception, InputError)
        assert "OrderSent" in str(result.exception)

    def test_verify_finds_what_a_vandal_did(self, folder: Path) -> None:
        """Exit 0 and the head when whole; exit 8 and the position when not."""
        result = self.run(folder, "verify")
        assert result.exit_code == 0
        assert result.stdout.startswith("Whole: 10 events")
        run_async(self.vandalise(folder))
        result = self.run(folder, "verify", "--json")
        assert result.exit_code == BROKEN_EXIT_CODE
        report = json.loads(result.stdout)
        assert report["broken"]["position"] == 6
        assert "position 6" in self.run(folder, "verify").stdout

    async def vandalise(self, folder: Path) -> None:
        """Change one event behind the application's back."""
        async with open_database(Settings(data=Data(dir=str(folder))), may_join=True) as database:
            assert database.access.admin is not None
            with connect(database.access.admin) as connection:
                connection.execute("set local session_replication_role = replica")
                connection.execute("update t_default.event set actor = 'me' where pos = 6")
