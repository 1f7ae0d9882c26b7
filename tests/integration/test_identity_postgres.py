"""People, sessions, refresh tokens and signing keys in a real database, of several tenants."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from alembic import command

from integration.postgres_fixture import Postgres
from plan2.connectivity.identity.bootstrap import ADMINISTRATOR
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.refresh import Grant, Refresh
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.sessions import hash_secret
from plan2.connectivity.identity.tables import PostgresIdentity
from plan2.connectivity.identity.tables_tokens import PostgresTokens
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from unit.identity_fixtures import HERE, PASSWORD, FakeDirectory, IdentityStage


class StoredStage(IdentityStage):
    """All of identity on tables in PostgreSQL, for two tenants; the first one is home."""

    def __init__(self, database: Database, home: TenantId, other: TenantId) -> None:
        self.home, self.other = home, other
        self.stored = PostgresIdentity(database.uow)
        self.stored_tokens = PostgresTokens(database.uow)
        super().__init__()

    def wire(self) -> None:
        """As the stage does, with tables that last."""
        self.tables = self.stored  # type: ignore[assignment]  # the same ports, in a database
        super().wire()
        self.directory = FakeDirectory(self.home, self.other)
        self.keys._table = self.stored_tokens
        self.keys._home = self.home
        self.refresh = Refresh(self.stored_tokens, self.tokens, self.sessions, self.clock)
        self.links._home = self.home
        self.sign_in._parts = type(self.sign_in._parts)(
            **{name: getattr(self.sign_in._parts, name) for name in PARTS}
            | {"directory": self.directory}
        )
        self.directory.listeners = [self.sessions.on_tenant]


PARTS = (
    "book",
    "passwords",
    "sessions",
    "directory",
    "second_factor",
    "lockout",
    "clock",
    "record",
)


@pytest.fixture
async def stage(postgres: Postgres, database: Database) -> AsyncIterator[StoredStage]:
    """Two fresh tenants; anna of the first one has a password."""
    made = StoredStage(database, postgres.new_tenant(), postgres.new_tenant())
    await made.start()
    await made.add("boss", Role.TENANT_ADMIN, made.home)
    await made.add("anna", Role.ANALYST, made.home)
    yield made
    made.passwords.close()


async def granted(stage: StoredStage) -> tuple[str, Session, Grant]:
    """Anna's cookie, session and tokens."""
    opened = await stage.enter("anna", tenant=stage.home)
    assert opened is not None
    grant = await stage.refresh.begin(opened[1], HERE)
    assert grant is not None
    return (*opened, grant)


async def test_a_restart_finds_people_sessions_tokens_and_keys(stage: StoredStage) -> None:
    """Everything that a process needs is in the tables; a cookie and a token go on."""
    cookie, session, grant = await granted(stage)
    key_id = stage.keys.current_id
    await stage.sessions.write(seen=True)
    await stage.restart()
    assert stage.sessions.find(cookie) == session
    assert stage.keys.current_id == key_id
    found = stage.tokens.find(grant.access_token, "")
    assert found is not None
    assert found.user == session.user
    assert await stage.enter("ANNA", tenant=stage.home) is not None
    assert await stage.enter("anna", tenant=stage.other) is None


async def test_the_tables_hold_no_secret(stage: StoredStage, database: Database) -> None:
    """Neither password, cookie, token, private key, address nor browser is in any column."""
    cookie, _, grant = await granted(stage)
    renewed = await stage.refresh.renew(grant.refresh_token, HERE)
    assert renewed is not None
    await stage.sessions.write(seen=True)
    private = stage.keys._keys[stage.keys.current_id].private.private_bytes_raw()
    secrets = [PASSWORD, cookie, grant.refresh_token[37:], renewed.refresh_token[37:]]
    secrets += [grant.access_token, HERE.address, private.hex()]
    dump = ""
    async with database.uow(stage.home) as uow:
        for table in ("app_user", "user_session", "refresh_token", "signing_key"):
            rows = (await uow.execute(f"select t::text from {table} t")).scalars().all()
            assert rows
            dump += "\n".join(rows)
    assert [secret for secret in secrets if secret in dump] == []
    assert hash_secret(cookie).hex() in dump


async def test_a_change_ends_sessions_in_the_same_transaction(stage: StoredStage) -> None:
    """A process that dies right after the change comes back without them."""
    cookie, session, grant = await granted(stage)
    user = session.user
    await stage.book.change_role(stage.home, user.user_id, Role.API_USER, by="user:boss")
    assert stage.sessions.find(cookie) is None
    await stage.restart()
    assert stage.sessions.find(cookie) is None
    assert stage.tokens.find(grant.access_token, "") is None
    person = stage.book.named(stage.home, "anna")
    assert person is not None
    assert person.user.role is Role.API_USER
    await stage.book.set_blocked(stage.home, user.user_id, True, by="user:boss")
    assert await stage.enter("anna", tenant=stage.home) is None


async def test_tenants_do_not_see_each_other(stage: StoredStage) -> None:
    """The same name may exist in both; sessions and refresh tokens are each tenant's own."""
    await stage.add("anna", Role.ANALYST, stage.other)
    cookie, session, grant = await granted(stage)
    await stage.stored.end_sessions(stage.other, None, 1)
    await stage.stored.end_sessions(stage.other, [session.session_id], 1)
    await stage.restart()
    assert stage.sessions.find(cookie) is not None
    secret_hash = hash_secret(grant.refresh_token[37:])
    assert await stage.stored_tokens.is_unused(stage.home, secret_hash)
    assert not await stage.stored_tokens.is_unused(stage.other, secret_hash)


async def test_a_tenant_without_tables_is_busy(database: Database) -> None:
    """While it is removed or restored its sessions cannot be ended; that is no fault."""
    with pytest.raises(StoreBusy, match="Tenant leaving has no tables at the moment"):
        await PostgresIdentity(database.uow).end_sessions(TenantId("leaving"), None, 1)


async def test_a_name_is_unique_whatever_its_case(stage: StoredStage) -> None:
    """The index holds what the book checks, also for a second process that does not know."""
    stage.book._tenants[stage.home].by_name.clear()  # as if another process had added her
    user = User(user_id="new", name="ANNA", tenant_id=stage.home, role=Role.ANALYST)
    with pytest.raises(InputError, match="taken"):
        await stage.book.create(user, by="test")


async def test_two_at_once_with_one_refresh_token_get_the_same_successor(
    stage: StoredStage,
) -> None:
    """R-073: eight tabs race; one rotation, one family, one successor that works."""
    _, _, grant = await granted(stage)
    grants = await asyncio.gather(*(stage.refresh.renew(grant.refresh_token) for _ in range(8)))
    assert all(each is not None for each in grants)
    successors = {each.refresh_token for each in grants if each is not None}
    assert len(successors) == 1
    assert await stage.refresh.renew(successors.pop()) is not None
    stage.later(11)
    assert await stage.refresh.renew(grant.refresh_token) is None
    assert not stage.sessions.is_live(grant.session.session_id)
    await stage.restart()
    assert not stage.sessions.is_live(grant.session.session_id)


async def test_refresh_tokens_go_with_their_family(stage: StoredStage, database: Database) -> None:
    """Once the session is over and forgotten, nothing of its tokens is left."""
    _, _, grant = await granted(stage)
    await stage.refresh.renew(grant.refresh_token)
    await stage.sessions.revoke(grant.session.session_id)
    await stage.restart()
    async with database.uow(stage.home) as uow:
        assert (await uow.execute("select count(*) from refresh_token")).scalar_one() == 0
    assert await stage.stored.load_sessions(stage.other, 0) == []


async def test_a_race_for_a_printed_address_has_one_winner(stage: StoredStage) -> None:
    """Ten browsers at once: exactly one session."""
    user = await stage.links.ensure_administrator()
    token = await stage.links.issue(user)
    results = await asyncio.gather(*(stage.links.redeem(token, HERE) for _ in range(10)))
    assert sum(result is not None for result in results) == 1
    assert await stage.links.redeem(token, HERE) is None


async def test_an_older_database_keeps_its_administrator(
    postgres: Postgres, database: Database
) -> None:
    """R: upgraded from 0003, the person is found by name, may operate, and signs in again."""
    tenant, other = postgres.new_tenant(), postgres.new_tenant()
    user_id = derived_id("user", tenant, ADMINISTRATOR)
    with postgres.migrator.at(tenant) as config:
        command.downgrade(config, "0003")
    async with database.uow(tenant) as uow:
        await uow.execute(
            "insert into app_user (user_id, name, role) values (:id, 'administrator', :role)",
            {"id": user_id, "role": "Tenant_Admin"},
        )
        await uow.execute(
            "insert into user_session (session_id, secret_hash, user_id, created_ns, expires_ns) "
            "values ('old', :hash, :id, 0, 9000000000000000000)",
            {"hash": hash_secret("old cookie"), "id": user_id},
        )
    with postgres.migrator.at(tenant) as config:
        command.upgrade(config, "head")
    stage = StoredStage(database, tenant, other)
    await stage.start()
    assert stage.sessions.find("old cookie") is not None
    before = stage.book.named(tenant, "Administrator")
    assert before is not None
    assert (before.user.is_operator, before.created_ns > 0) == (False, True)
    user = await stage.links.ensure_administrator()
    assert (user.user_id, user.is_operator) == (user_id, True)
    assert stage.sessions.find("old cookie") is None  # more rights: sign in again
    assert await stage.links.redeem(await stage.links.issue(user), HERE) is not None
    with pytest.raises(sa.exc.ProgrammingError):
        async with database.uow(tenant) as uow:
            await uow.execute("drop table refresh_token")
    stage.passwords.close()
