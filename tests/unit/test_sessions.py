"""Sessions of all tenants: finding, listing, ending, surviving a restart."""

import base64

import pytest

from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.session_rows import Caller
from plan2.connectivity.identity.sessions import (
    OF_PERSON_MAX,
    OF_TENANT_MAX,
    csrf_of,
    hash_secret,
    is_csrf,
    new_secret,
)
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.people import SessionEnded
from plan2.foundation.values import NS_PER_HOUR
from unit.identity_fixtures import HERE, HOME, NOON_NS, OTHER, IdentityStage

ANNA = User(user_id="a1", name="anna", tenant_id=HOME, role=Role.ANALYST)
CARL = User(user_id="c1", name="carl", tenant_id=OTHER, role=Role.ANALYST)


def test_secrets_have_256_bits_and_differ() -> None:
    """32 random bytes each; no two alike in a thousand."""
    secrets = {new_secret() for _ in range(1000)}
    assert len(secrets) == 1000
    assert all(len(base64.urlsafe_b64decode(secret + "=")) == 32 for secret in secrets)


def test_only_a_published_hash_of_the_cookie_is_kept() -> None:
    """SHA-256 of "abc" as in FIPS 180-2, appendix B.1; the CSRF value is another function."""
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_secret("abc").hex() == expected
    assert csrf_of("abc") not in expected
    assert csrf_of("abc") != csrf_of("abd")


async def test_a_session_ends_at_its_fixed_time() -> None:
    """Use does not prolong it: alive a nanosecond before twelve hours, gone at twelve."""
    stage = await IdentityStage().start()
    cookie, session = await stage.sessions.open(ANNA)
    stage.clock.advance_to(NOON_NS + 12 * NS_PER_HOUR - 1)
    assert stage.sessions.find(cookie) is not None
    assert stage.sessions.is_live(session.session_id)
    stage.clock.advance_to(NOON_NS + 12 * NS_PER_HOUR)
    assert stage.sessions.find(cookie) is None
    assert not stage.sessions.is_live(session.session_id)
    assert stage.sessions.list_of(HOME, "a1") == []


async def test_sessions_of_all_tenants_survive_a_restart_unless_ended() -> None:
    """A new process finds the live ones by their cookies, not the revoked one."""
    stage = await IdentityStage().start()
    kept, _ = await stage.sessions.open(ANNA)
    other, _ = await stage.sessions.open(CARL)
    gone, session = await stage.sessions.open(ANNA)
    await stage.sessions.revoke(session.session_id)
    assert stage.sessions.find(gone) is None
    assert kept not in str(stage.tables.rows)
    await stage.restart()
    found = stage.sessions.find(kept)
    assert found is not None
    assert (found.user, found.csrf) == (ANNA, csrf_of(kept))
    assert stage.sessions.find(other) is not None
    assert stage.sessions.find(gone) is None
    assert stage.sessions.find("") is None


async def test_a_person_sees_and_ends_their_own() -> None:
    """The list has address and browser until a restart; ending all keeps the one that asks."""
    stage = await IdentityStage().start()
    cookies = [
        await stage.sessions.open(ANNA, Caller("192.0.2.1", f"Browser {n}")) for n in range(3)
    ]
    other, _ = await stage.sessions.open(CARL)
    stage.later(5)
    stage.sessions.find(cookies[0][0])
    listed = stage.sessions.list_of(HOME, "a1")
    assert [live.caller.agent for live in listed] == [f"Browser {n}" for n in range(3)]
    assert [live.last_seen_ns - NOON_NS for live in listed] == [5_000_000_000, 0, 0]
    kept = cookies[1][1].session_id
    assert await stage.sessions.end_user(HOME, "a1", "revoked", "user:a1", keeps=kept) == 2
    assert [live.row.session_id for live in stage.sessions.list_of(HOME, "a1")] == [kept]
    assert stage.sessions.find(other) is not None
    ended = stage.written.of(SessionEnded)
    assert {each.reason for each in ended} == {"revoked"}  # type: ignore[attr-defined]
    assert "192.0.2.1" not in str(stage.tables.rows)
    assert "Browser" not in str(stage.tables.rows)


async def test_the_last_use_is_written_now_and_then() -> None:
    """Only what was used since the last time; a restart finds it."""
    stage = await IdentityStage().start()
    cookie, session = await stage.sessions.open(ANNA)
    await stage.sessions.write(seen=True)
    stage.later(60)
    stage.sessions.find(cookie)
    await stage.sessions.write(seen=True)
    await stage.restart()
    [live] = stage.sessions.list_of(HOME, "a1")
    assert (live.row.session_id, live.last_seen_ns) == (
        session.session_id,
        NOON_NS + 60_000_000_000,
    )


@pytest.mark.parametrize("is_written", [True, False])
async def test_a_suspension_outlasts_a_crash(is_written: bool) -> None:
    """Sessions of a suspended tenant never come back, also when their end was not written yet."""
    stage = await IdentityStage().start()
    cookie, _ = await stage.sessions.open(ANNA)
    other, _ = await stage.sessions.open(CARL)
    stage.directory.set(HOME, TenantState.SUSPENDED)
    assert stage.sessions.find(cookie) is None
    if is_written:
        await stage.sessions.write(seen=False)
    await stage.restart()
    stage.directory.set(HOME, TenantState.READY)
    await stage.restart()
    assert stage.sessions.find(cookie) is None
    assert stage.sessions.find(other) is not None


async def test_a_tenant_that_is_being_restored_keeps_nobody_waiting() -> None:
    """Its ends are written once its tables are there; those of others at once."""
    stage = await IdentityStage().start()
    tables = stage.tables
    sessions = [(await stage.sessions.open(who))[1].session_id for who in (ANNA, CARL)]
    tables.without_tables.add(HOME)
    for tenant in (HOME, CARL.tenant_id):
        stage.directory.set(tenant, TenantState.SUSPENDED)
    with pytest.raises(StoreBusy, match="no tables"):
        await stage.sessions.write(seen=False)
    assert tables.revoked == {sessions[1]}
    tables.without_tables.clear()
    await stage.sessions.write(seen=False)
    assert tables.revoked == set(sessions)


async def test_a_tenant_that_is_back_at_once_comes_back_without_its_sessions() -> None:
    """Resumed before the end of its sessions was written: what is read anew has none of them."""
    stage = await IdentityStage().start()
    cookie, _ = await stage.sessions.open(ANNA)
    stage.directory.set(HOME, TenantState.SUSPENDED)
    stage.directory.set(HOME, TenantState.READY)
    assert await stage.sessions.load([HOME]) == 0
    assert stage.sessions.find(cookie) is None


async def test_what_cannot_be_written_is_tried_again() -> None:
    """While the database is away the end of a tenant's sessions waits; nothing is forgotten."""
    stage = await IdentityStage().start()
    _, session = await stage.sessions.open(ANNA)
    stage.directory.set(HOME, TenantState.SUSPENDED)
    end_sessions = stage.tables.end_sessions

    async def away(*_: object) -> None:
        raise StoreBusy("away")

    stage.tables.end_sessions = away  # type: ignore[method-assign]
    with pytest.raises(StoreBusy):
        await stage.sessions.write(seen=False)
    assert session.session_id not in stage.tables.revoked
    stage.tables.end_sessions = end_sessions  # type: ignore[method-assign]
    await stage.sessions.write(seen=False)
    assert session.session_id in stage.tables.revoked


async def test_what_could_not_be_stored_is_no_session() -> None:
    """The database was away: no cookie, nothing in memory."""
    stage = await IdentityStage().start()

    def away() -> None:
        raise StoreBusy("away")

    stage.tables.before_insert = away
    with pytest.raises(StoreBusy):
        await stage.sessions.open(ANNA)
    assert stage.sessions.list_of(HOME, "a1") == []


async def test_sessions_are_bounded_per_person_and_tenant() -> None:
    """One more than the most ends the one that would end first, never one of another tenant."""
    stage = await IdentityStage().start()
    other, _ = await stage.sessions.open(CARL)
    first, _ = await stage.sessions.open(ANNA)
    for _ in range(OF_PERSON_MAX):
        stage.later(1)
        cookie, _ = await stage.sessions.open(ANNA)
    assert stage.sessions.find(first) is None
    assert stage.sessions.find(cookie) is not None
    assert len(stage.sessions.list_of(HOME, "a1")) == OF_PERSON_MAX
    for number in range(OF_TENANT_MAX):
        user = User(user_id=f"u{number}", name="x", tenant_id=HOME, role=Role.ANALYST)
        await stage.sessions.open(user)
    assert len(stage.sessions._live) == OF_TENANT_MAX + 1
    assert stage.sessions.find(other) is not None


async def test_tokens_end_with_the_session_they_came_from() -> None:
    """And not the other way round; what came from another session lives on."""
    stage = await IdentityStage().start()
    _, parent = await stage.sessions.open(ANNA)
    _, stranger = await stage.sessions.open(ANNA)
    secret, child = await stage.sessions.open(ANNA, HERE, parent=parent)
    _, lone = await stage.sessions.open(ANNA, HERE, parent=stranger)
    assert stage.sessions.find(secret) is None  # a family of tokens has no cookie
    second = await stage.sessions.open(ANNA, HERE, parent=parent)
    await stage.sessions.revoke(second[1].session_id)
    assert stage.sessions.is_live(parent.session_id)
    await stage.sessions.revoke(parent.session_id)
    assert not stage.sessions.is_live(child.session_id)
    assert stage.sessions.is_live(lone.session_id)


async def test_csrf_values_are_compared_whole() -> None:
    """Only the exact value passes."""
    stage = await IdentityStage().start()
    _, session = await stage.sessions.open(ANNA)
    assert isinstance(session, Session)
    assert is_csrf(session, session.csrf)
    assert not is_csrf(session, session.csrf[:-1])
    assert not is_csrf(session, "")
    assert not is_csrf(session, "é")
