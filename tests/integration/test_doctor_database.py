"""The doctor before a real PostgreSQL: well as we start it, and each bad setting found."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import URL

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import LiveClock, SimulatedClock
from plan2.foundation.config.schema import Database
from plan2.foundation.database import diagnosis
from plan2.foundation.database.roles import connect, libpq_url
from plan2.foundation.diagnosis import Finding, Verdict

Admin = Callable[[str], None]


def found(postgres: Postgres) -> dict[str, Finding]:
    """What the doctor says about the server at its address."""
    settings = Database(url=libpq_url(postgres.access.app))
    findings = diagnosis.server(postgres.server.place.home_dir, settings, LiveClock())
    return {finding.subject: finding for finding in findings}


def bad(findings: dict[str, Finding]) -> list[str]:
    """Subjects that are bad."""
    return [name for name, each in findings.items() if each.verdict is Verdict.BAD]


@pytest.fixture
def admin(postgres: Postgres) -> Iterator[Admin]:
    """Runs statements as the administrator; settings are put back afterwards."""
    address = postgres.access.admin
    assert isinstance(address, URL)
    with connect(address, autocommit=True) as connection:
        yield lambda statement: _execute(connection, statement)
        _execute(connection, "alter system reset all")
        _execute(connection, "alter role p2_app reset all")
        _execute(connection, "select pg_reload_conf()")


def _execute(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(statement.encode())


def test_the_server_we_start_is_durable_and_on_time(postgres: Postgres) -> None:
    """Version, four settings and the clock: nothing is bad."""
    findings = found(postgres)

    assert bad(findings) == []
    assert findings["database fsync"].found == "on"
    assert findings["database data_checksums"].found == "on"
    assert "ms from this machine" in findings["database clock"].found


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_dangerous_server_is_found_out(postgres: Postgres, admin: Admin, name: str) -> None:
    """Switched off for the whole server."""
    admin(f"alter system set {name} = off")
    admin("select pg_reload_conf()")

    # The server reads its file when it comes to it; until then it still shows the old value.
    assert any(bad(found(postgres)) == [f"database {name}"] for _ in range(1_000))


def test_a_dangerous_role_is_found_out(postgres: Postgres, admin: Admin) -> None:
    """Commits that do not wait, switched on for our role only."""
    admin("alter role p2_app set synchronous_commit = off")

    assert bad(found(postgres)) == ["database synchronous_commit"]


def test_a_clock_that_disagrees_is_found_out(postgres: Postgres) -> None:
    """Ours stands in 1970, the server's does not."""
    settings = Database(url=libpq_url(postgres.access.app))
    findings = diagnosis.server(postgres.server.place.home_dir, settings, SimulatedClock(0))

    assert "database clock" in bad({each.subject: each for each in findings})


def test_the_embedded_server_is_found_by_its_folder(postgres: Postgres) -> None:
    """Without an address, the folder says where the server listens."""
    findings = list(diagnosis.server(postgres.server._data_dir, Database(), LiveClock()))

    assert [each for each in findings if each.verdict is Verdict.BAD] == []
    assert findings[0].found.endswith("(running)")
