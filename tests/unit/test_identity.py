"""Sessions, sign-in tokens and the table of rights."""

import asyncio
import base64

import pytest

from plan2.connectivity.identity.rights import CHANNELS, RIGHTS, Entrance, Role, may_subscribe
from plan2.connectivity.identity.sessions import (
    SESSIONS_MAX,
    Sessions,
    User,
    csrf_of,
    hash_secret,
    is_csrf,
    new_secret,
)
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MINUTE
from unit.interface_fixtures import NOON_NS, TENANT, FakeIdentityTables, Stage, problem_of

ADMIN = User(user_id="u1", name="administrator", tenant_id=TENANT, role=Role.TENANT_ADMIN)


def make_sessions(tables: FakeIdentityTables, clock: SimulatedClock) -> Sessions:
    """Sessions of 12 hours."""
    return Sessions(tables, clock, SeededIds("s"), hours=12)


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
    clock = SimulatedClock(NOON_NS)
    sessions = make_sessions(FakeIdentityTables(), clock)
    cookie, session = await sessions.open(ADMIN)
    clock.advance_to(NOON_NS + 12 * NS_PER_HOUR - 1)
    assert sessions.find(cookie) is not None
    assert sessions.is_live(session.session_id)
    clock.advance_to(NOON_NS + 12 * NS_PER_HOUR)
    assert sessions.find(cookie) is None
    assert not sessions.is_live(session.session_id)


async def test_sessions_survive_a_restart_unless_revoked() -> None:
    """A new process finds the live one by its cookie, not the revoked one."""
    clock, tables = SimulatedClock(NOON_NS), FakeIdentityTables()
    sessions = make_sessions(tables, clock)
    kept, _ = await sessions.open(ADMIN)
    gone, session = await sessions.open(ADMIN)
    await sessions.revoke(session.session_id)
    assert sessions.find(gone) is None
    assert kept not in str(tables.rows)
    again = make_sessions(tables, clock)
    assert await again.load() == 1
    found = again.find(kept)
    assert found is not None
    assert (found.user, found.csrf) == (ADMIN, csrf_of(kept))
    assert again.find(gone) is None


async def test_sessions_are_bounded() -> None:
    """One more than the most ends the one that would end first."""
    clock = SimulatedClock(NOON_NS)
    sessions = make_sessions(FakeIdentityTables(), clock)
    first, _ = await sessions.open(ADMIN)
    for _ in range(SESSIONS_MAX):
        clock.advance_to(clock.now_ns() + 1)
        cookie, _ = await sessions.open(ADMIN)
    assert sessions.find(first) is None
    assert sessions.find(cookie) is not None


async def test_csrf_values_are_compared_whole() -> None:
    """Only the exact value passes."""
    sessions = make_sessions(FakeIdentityTables(), SimulatedClock(NOON_NS))
    _, session = await sessions.open(ADMIN)
    assert is_csrf(session, session.csrf)
    assert not is_csrf(session, session.csrf[:-1])
    assert not is_csrf(session, "")
    assert not is_csrf(session, "é")


async def test_the_printed_address_signs_in_once() -> None:
    """The link sets a strict cookie and leads to /; the second use is refused; it is recorded."""
    stage = Stage()
    user = await stage.sign_in.ensure_administrator(TENANT)
    token = await stage.sign_in.issue(user)
    assert token not in str(stage.tables.tokens)
    async with stage.client() as client:
        first = await client.get(f"/signin?token={token}")
        assert (first.status_code, first.headers["location"]) == (303, "/")
        cookie = first.headers["set-cookie"]
        assert cookie.startswith("p2_session=")
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert "Max-Age=43200" in cookie
        session = (await client.get("/api/v1/session")).json()
        assert (session["user"], session["tenant"]) == ("administrator", TENANT)
        client.cookies.clear()
        again = await client.get(f"/signin?token={token}")
        assert (again.status_code, "set-cookie" in again.headers) == (403, False)
        assert (await client.get("/api/v1/session")).status_code == 401
    [(tenant, event)] = stage.recorded
    assert (tenant, event.user_id, event.ip_address) == (TENANT, user.user_id, "127.0.0.1")


async def test_a_pasted_token_signs_in_too() -> None:
    """The form takes the token in its body; a wrong one shows why and sets nothing."""
    stage = Stage()
    token = await stage.sign_in.issue(await stage.sign_in.ensure_administrator(TENANT))
    async with stage.client(origin="http://127.0.0.1:8420") as client:
        wrong = await client.post("/signin", data={"token": "x" * 200})
        assert (wrong.status_code, "already used" in wrong.text) == (403, True)
        right = await client.post("/signin", data={"token": f" {token} "})
        assert right.status_code == 303
        client.headers["origin"] = "http://evil.example"
        assert problem_of(await client.post("/signin", data={}))["code"] == "origin_not_allowed"


async def test_a_token_is_too_old_after_fifteen_minutes() -> None:
    """Good until the last nanosecond of the quarter of an hour."""
    stage = Stage()
    user = await stage.sign_in.ensure_administrator(TENANT)
    early, late = await stage.sign_in.issue(user), await stage.sign_in.issue(user)
    stage.wall.advance_to(NOON_NS + 15 * NS_PER_MINUTE - 1)
    assert await stage.sign_in.redeem(early, "::1") is not None
    stage.wall.advance_to(NOON_NS + 15 * NS_PER_MINUTE)
    assert await stage.sign_in.redeem(late, "::1") is None


async def test_a_race_for_a_token_has_one_winner() -> None:
    """Two browsers at once: exactly one session."""
    stage = Stage()
    token = await stage.sign_in.issue(await stage.sign_in.ensure_administrator(TENANT))
    results = await asyncio.gather(*(stage.sign_in.redeem(token, "::1") for _ in range(10)))
    assert sum(result is not None for result in results) == 1


async def test_there_is_one_administrator() -> None:
    """Every start finds the same person."""
    stage = Stage()
    first = await stage.sign_in.ensure_administrator(TENANT)
    assert await stage.sign_in.ensure_administrator(TENANT) == first
    assert len(stage.tables.users) == 1


async def test_signing_out_ends_the_session_for_good() -> None:
    """204, then 401 with the same cookie, also after a restart."""
    stage = Stage()
    async with await stage.signed_in() as client:
        assert (await client.delete("/api/v1/session")).status_code == 204
        assert (await client.get("/api/v1/session")).status_code == 401
        await stage.restart()
    cookies = {"p2_session": client.cookies["p2_session"]}
    async with stage.client() as client:
        client.cookies.update(cookies)
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_restart_keeps_people_signed_in() -> None:
    """The cookie of before is good for the new process, with the same CSRF value."""
    stage = Stage()
    async with await stage.signed_in() as client:
        before = (await client.get("/api/v1/session")).json()
    await stage.restart()
    async with stage.client(cookie=f"p2_session={client.cookies['p2_session']}") as client:
        assert (await client.get("/api/v1/session")).json() == before


@pytest.mark.parametrize("role", list(Role))
def test_only_traders_have_unsafe_routes(role: Role) -> None:
    """Analyst and API_User may read; every POST that needs a session is for traders."""
    may_write = {
        key
        for key, rule in RIGHTS.items()
        if key[0] == "POST" and rule.entrance is Entrance.SESSION and role in rule.roles
    }
    assert bool(may_write) == (role in {Role.TENANT_ADMIN, Role.PORTFOLIO_MANAGER})


def test_channels_are_denied_by_default() -> None:
    """A channel that the table does not name is nobody's."""
    assert not may_subscribe(Role.TENANT_ADMIN, "secrets")
    assert not may_subscribe(Role.API_USER, "events")
    assert all(may_subscribe(Role.TENANT_ADMIN, name) for name in CHANNELS)
