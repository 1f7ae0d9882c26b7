"""Keys of terminals in a real database, and the command that makes them."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from integration.postgres_fixture import Postgres
from plan2 import cli
from plan2.connectivity.identity.sessions import hash_secret
from plan2.connectivity.identity.terminal_keys import PostgresTerminalKeys, TerminalKeys
from plan2.foundation.clock import LiveClock
from plan2.foundation.errors import InputError
from plan2.foundation.ids import RandomIds, SeededIds
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId


def keys_of(database: Database, tenant: TenantId) -> TerminalKeys:
    """The keys of a tenant."""
    return TerminalKeys(PostgresTerminalKeys(database.uow, tenant), LiveClock(), RandomIds())


async def test_a_key_is_kept_as_its_hash_only(database: Database, tenant: TenantId) -> None:
    """No column of the table holds the secret; the hash is SHA-256 of it."""
    secret, key = await keys_of(database, tenant).create("live", "desk")
    async with database.uow(tenant) as uow:
        row = (await uow.execute("select * from terminal_key")).one()
    assert secret not in repr(row)
    assert bytes(row.secret_hash) == hash_secret(secret)
    assert (row.key_id, row.account_id, row.label, row.revoked_ns) == (
        key.key_id,
        "live",
        "desk",
        None,
    )
    assert len(secret) >= 43  # 256 bits in base64


async def test_a_key_opens_until_it_is_revoked_elsewhere(
    database: Database, tenant: TenantId
) -> None:
    """Made and revoked by another process, the key is known and gone with the next read."""
    server, console = keys_of(database, tenant), keys_of(database, tenant)
    secret, key = await console.create("live", "")
    assert await server.find(secret) == key
    assert server.is_good(key.key_id)
    assert await server.find(secret + "x") is None
    await console.revoke(key.key_id)
    await server.find("whatever makes it read")
    assert not server.is_good(key.key_id)
    assert await server.find(secret) is None
    with pytest.raises(InputError, match="no key"):
        await console.revoke(key.key_id)
    (left,) = await console.every()
    assert left.revoked_ns is not None


async def test_a_key_belongs_to_one_tenant(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """Another tenant neither sees nor revokes it."""
    other = postgres.new_tenant()
    secret, key = await keys_of(database, tenant).create("live", "")
    assert await keys_of(database, other).find(secret) is None
    assert await keys_of(database, other).every() == []
    with pytest.raises(InputError):
        await keys_of(database, other).revoke(key.key_id)
    with pytest.raises(sa.exc.ProgrammingError, match="permission"):
        async with database.uow(tenant) as uow:
            await uow.execute("delete from terminal_key")


@pytest.mark.parametrize(("account", "label"), [("", ""), ("LIVE", ""), ("live", "a\nb")])
async def test_what_cannot_be_typed_back_is_refused(account: str, label: str) -> None:
    """InputError names what is expected."""

    class Nowhere:
        """A table that must not be reached."""

    keys = TerminalKeys(Nowhere(), LiveClock(), SeededIds("k"))  # type: ignore[arg-type]  # unreached
    with pytest.raises(InputError):
        await keys.create(account, label)


def test_the_command_makes_lists_and_revokes(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round trip over the command line; the secret is printed once and never again."""
    tenant = postgres.new_tenant()
    monkeypatch.setenv(
        "PLAN2_DATABASE__URL", postgres.access.app.render_as_string(hide_password=False)
    )
    monkeypatch.setenv("PLAN2_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.command, ["terminal-keys", *arguments, "--tenant", tenant])
        return done.exit_code, done.output

    code, output = run("create", "--account", "live", "--label", "desk", "--json")
    assert code == 0, output
    made = json.loads(output)
    whose, secret = made["secret"].split(".")
    assert (made["account_id"], made["label"], whose, len(secret)) == ("live", "desk", tenant, 43)
    code, output = run("list")
    assert (code, made["key_id"] in output, "good" in output) == (0, True, True)
    assert made["secret"] not in output
    code, output = run("revoke", made["key_id"])
    assert (code, "revoked" in output) == (0, True)
    code, output = run("list", "--json")
    assert json.loads(output)[0]["revoked_ns"] > 0
    code, output = run("revoke", made["key_id"])
    assert (code, "There is no key" in output) == (InputError.exit_code, True)
