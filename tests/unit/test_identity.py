"""Printed sign-in links, signing out, and the table of rights."""

import asyncio

from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.right_table import CHANNELS, RIGHTS, may_subscribe
from plan2.connectivity.identity.rights import Entrance, Role, Scope
from plan2.connectivity.identity.session_rows import Caller
from plan2.foundation.events.system import UserAuthenticated
from plan2.foundation.values import NS_PER_MINUTE
from unit.identity_fixtures import HERE, IdentityStage
from unit.interface_fixtures import NOON_NS, TENANT, Stage, problem_of

ADMIN = User(user_id="u1", name="administrator", tenant_id=TENANT, role=Role.TENANT_ADMIN)


async def stage_with_link() -> tuple[Stage, str]:
    """A stage, and a sign-in token of its administrator."""
    stage = Stage()
    await stage.people.start()
    return stage, await stage.links.issue(await stage.links.ensure_administrator())


async def test_the_printed_address_signs_in_once() -> None:
    """The link sets a strict cookie and leads to /; the second use is refused; it is recorded."""
    stage, token = await stage_with_link()
    assert token not in str(stage.tables.links)
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
    [event] = stage.written.of(UserAuthenticated)
    assert isinstance(event, UserAuthenticated)
    user = await stage.links.ensure_administrator()
    assert (event.user_id, event.ip_address) == (user.user_id, "127.0.0.1")


async def test_a_pasted_token_signs_in_too() -> None:
    """The form takes the token in its body; a wrong one shows why and sets nothing."""
    stage, token = await stage_with_link()
    async with stage.client(origin="http://127.0.0.1:8420") as client:
        wrong = await client.post("/signin", data={"token": "x" * 200})
        assert (wrong.status_code, "already used" in wrong.text) == (403, True)
        right = await client.post("/signin", data={"token": f" {token} "})
        assert right.status_code == 303
        client.headers["origin"] = "http://evil.example"
        assert problem_of(await client.post("/signin", data={}))["code"] == "origin_not_allowed"


async def test_a_token_is_too_old_after_fifteen_minutes() -> None:
    """Good until the last nanosecond of the quarter of an hour."""
    stage, early = await stage_with_link()
    late = await stage.links.issue(await stage.links.ensure_administrator())
    stage.wall.advance_to(NOON_NS + 15 * NS_PER_MINUTE - 1)
    assert await stage.links.redeem(early, HERE) is not None
    stage.wall.advance_to(NOON_NS + 15 * NS_PER_MINUTE)
    assert await stage.links.redeem(late, HERE) is None


async def test_a_race_for_a_token_has_one_winner() -> None:
    """Two browsers at once: exactly one session."""
    stage, token = await stage_with_link()
    results = await asyncio.gather(*(stage.links.redeem(token, Caller()) for _ in range(10)))
    assert sum(result is not None for result in results) == 1


async def test_there_is_one_administrator() -> None:
    """Every start finds the same person."""
    stage = await IdentityStage().start()
    first = await stage.links.ensure_administrator()
    assert first.is_operator
    await stage.restart()
    assert await stage.links.ensure_administrator() == first
    assert len(stage.tables.people) == 1


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


def roles_that_may(scope: Scope) -> set[Role]:
    """Every role that some route of a scope lets in."""
    rules = (rule for rule in RIGHTS.values() if rule.entrance is Entrance.SESSION)
    return {role for rule in rules if rule.scope is scope for role in rule.roles}


def test_each_kind_of_right_has_its_roles() -> None:
    """All look; analysts do not trade; programs do not administer; only administrators step up."""
    assert roles_that_may(Scope.READ) == set(Role)
    assert roles_that_may(Scope.TRADE) == set(Role) - {Role.ANALYST}
    assert Role.API_USER not in roles_that_may(Scope.ADMIN)
    operators = {rule.roles for rule in RIGHTS.values() if rule.operator}
    assert operators <= {frozenset({Role.TENANT_ADMIN})}


def test_channels_are_denied_by_default() -> None:
    """A channel that the table does not name is nobody's."""
    assert not may_subscribe(Role.TENANT_ADMIN, "secrets")
    assert not may_subscribe(Role.API_USER, "events")
    assert all(may_subscribe(Role.TENANT_ADMIN, name) for name in CHANNELS)
