"""Signing in by password, own sessions, proof, password and tokens over HTTP."""

import asyncio

import httpx
import pytest

from plan2.connectivity.gateway.middleware import GatewaySettings
from plan2.connectivity.identity.rights import Role
from plan2.foundation.events.people import SignInRefused
from unit.identity_fixtures import PASSWORD
from unit.interface_fixtures import ORIGIN, TENANT, Stage, problem_of

NEXT = "eleven quiet rivers run"
ANNA = {"tenant": TENANT, "name": "anna", "password": PASSWORD}


async def opened(**settings: bool) -> Stage:
    """A gateway with two people who have passwords."""
    stage = Stage(settings=GatewaySettings(**settings) if settings else None)
    await stage.people.start()
    await stage.people.add("boss", Role.TENANT_ADMIN)
    await stage.people.add("anna", Role.ANALYST)
    return stage


async def entered(stage: Stage, **typed: str) -> httpx.AsyncClient:
    """A browser that signed in."""
    async with stage.client(origin=ORIGIN) as door:
        answer = await door.post("/api/v1/signin", json=ANNA | typed)
    assert answer.status_code == 201, answer.text
    client = stage.client(**{"origin": ORIGIN, "x-plan2-csrf": answer.json()["csrf"]})
    client.cookies.update(door.cookies)
    return client


async def test_signing_in_sets_a_strict_cookie_and_tells_who_it_is() -> None:
    """201 with the session; the cookie is HttpOnly and strict and never in the body."""
    stage = await opened()
    async with stage.client(origin=ORIGIN) as client:
        answer = await client.post("/api/v1/signin", json=ANNA)
        assert answer.status_code == 201
        info = answer.json()
        assert (info["user"], info["role"], info["tenant"]) == ("anna", "Analyst", TENANT)
        assert (info["via"], info["has_password"], info["is_operator"]) == ("cookie", True, False)
        assert info["proven_us"] == stage.wall.now_ns() // 1000
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("p2_session=")
        assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
        assert client.cookies["p2_session"] not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert (await client.get("/api/v1/session")).json() == info


async def test_over_tls_the_cookie_has_the_host_prefix() -> None:
    """R-086: `__Host-`, Secure, no Domain."""
    stage = await opened(is_tls=True)
    async with stage.client(origin=ORIGIN.replace("http:", "https:")) as client:
        answer = await client.post("/api/v1/signin", json=ANNA)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-p2_session=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()


REFUSED = [
    {"name": "locked"},
    {"name": "nobody"},
    {"password": "wrong"},
    {"tenant": "nowhere"},
    {"tenant": "other"},
    {"name": "blocked"},
    {"password": ""},
    {"name": ""},
    {"tenant": ""},
    {"name": "x" * 128},
]


async def test_every_refusal_is_the_same_answer() -> None:
    """R-076: status, body, and header names are alike for whatever was wrong."""
    stage = await opened()
    blocked = await stage.people.add("blocked")
    await stage.people.add("locked")
    await stage.people.book.set_blocked(TENANT, blocked.user_id, True, by="test")
    for _ in range(5):
        await stage.people.enter("locked", "wrong", address="198.51.100.7")
    answers = set()
    async with stage.client(origin=ORIGIN) as client:
        for number, typed in enumerate(REFUSED):
            stage.people.later(60 * number)
            answer = await client.post("/api/v1/signin", json=ANNA | typed)
            told = problem_of(answer)
            assert told.pop("request_id") == answer.headers["x-request-id"]
            answers.add(
                (answer.status_code, str(told), ",".join(sorted(answer.headers)), len(answer.text))
            )
    assert len(answers) == 1
    [(status, told, names, _)] = answers
    assert (status, "signin_refused" in told, "set-cookie" in names) == (401, True, False)


async def test_bad_bodies_are_no_sign_in() -> None:
    """Unknown fields, wrong types and endless texts are refused before anything is looked at."""
    stage = await opened()
    async with stage.client(origin=ORIGIN) as client:
        for body in (
            {},
            ANNA | {"admin": True},
            ANNA | {"name": 1},
            ANNA | {"password": "x" * 1_025},
            ANNA | {"password": None},
            [],
        ):
            answer = await client.post("/api/v1/signin", json=body)
            assert answer.status_code == 400, body
        long = await client.post("/api/v1/signin", content=b" " * 20_000)
        assert long.status_code in {400, 413, 415}
        client.headers["origin"] = "http://evil.example"
        answer = await client.post("/api/v1/signin", json=ANNA)
        assert problem_of(answer)["code"] == "origin_not_allowed"
    assert stage.written.of(SignInRefused) == []


async def test_the_form_takes_name_and_password() -> None:
    """Without scripts: 303 to the page with a cookie, or the form again with one message."""
    stage = await opened()
    async with stage.client(origin=ORIGIN) as client:
        page = (await client.get("/signin")).text
        assert all(f'name="{name}"' in page for name in ("tenant", "name", "password", "code"))
        messages = set()
        for typed in ({"password": "x"}, {"name": "<b>x</b>"}, {"tenant": "nowhere"}):
            answer = await client.post("/signin", data=ANNA | typed)
            assert (answer.status_code, "<b>x" in answer.text) == (403, False)
            messages.add(answer.text)
        assert len(messages) == 1
        answer = await client.post("/signin", data=ANNA)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert (await client.get("/api/v1/session")).json()["user"] == "anna"


async def test_people_see_and_end_their_own_sessions() -> None:
    """Three browsers: one ends another, then all others; nobody ends somebody else's."""
    stage = await opened()
    async with (
        await entered(stage) as first,
        await entered(stage) as second,
        await entered(stage) as third,
        await entered(stage, name="boss") as boss,
    ):
        listed = (await first.get("/api/v1/sessions")).json()["sessions"]
        assert [each["is_current"] for each in listed] == [True, False, False]
        assert {each["ip_address"] for each in listed} == {"127.0.0.1"}
        assert {each["user_agent"].partition("/")[0] for each in listed} == {"python-httpx"}
        ids = [each["session_id"] for each in listed]
        missing = await boss.delete(f"/api/v1/sessions/{'0' * 32}")
        foreign = await boss.delete(f"/api/v1/sessions/{ids[0]}")
        assert (missing.status_code, foreign.status_code) == (404, 404)
        texts = [problem_of(each) for each in (missing, foreign)]
        assert [each.pop("request_id") for each in texts]
        assert texts[0] == texts[1]
        assert (await first.delete(f"/api/v1/sessions/{ids[1]}")).status_code == 204
        assert (await second.get("/api/v1/session")).status_code == 401
        assert (await first.delete("/api/v1/sessions")).json() == {"ended": 1}
        assert (await third.get("/api/v1/session")).status_code == 401
        assert (await first.get("/api/v1/session")).status_code == 200
        assert (await boss.get("/api/v1/session")).status_code == 200
        assert (await first.delete(f"/api/v1/sessions/{ids[0]}")).status_code == 204
        assert (await first.get("/api/v1/session")).status_code == 401


async def test_proof_replaces_cookie_and_csrf_value() -> None:
    """After ten minutes: a wrong password is 401, the right one gives a new cookie."""
    stage = await opened()
    async with await entered(stage) as client:
        stage.people.later(600)
        wrong = await client.post("/api/v1/session/prove", json={"password": "wrong"})
        assert (wrong.status_code, problem_of(wrong)["code"]) == (401, "proof_refused")
        nothing = await client.post("/api/v1/session/prove", json={})
        assert nothing.status_code == 401
        old = client.cookies["p2_session"]
        right = await client.post("/api/v1/session/prove", json={"password": PASSWORD})
        assert right.status_code == 201
        assert right.json()["proven_us"] == stage.wall.now_ns() // 1000
        assert client.cookies["p2_session"] != old
        stale = await client.delete("/api/v1/sessions")
        assert problem_of(stale)["code"] == "csrf_missing"
        client.headers["x-plan2-csrf"] = right.json()["csrf"]
        assert (await client.delete("/api/v1/sessions")).status_code == 200


async def test_a_new_password_needs_the_old_one_and_must_be_fit() -> None:
    """422 says why, 401 for a wrong old one; then a new cookie, and every other session is over."""
    stage = await opened()
    async with await entered(stage) as other, await entered(stage) as client:
        unfit = await client.put("/api/v1/password", json={"old": PASSWORD, "new": "short"})
        assert (unfit.status_code, problem_of(unfit)["code"]) == (422, "password_unfit")
        wrong = await client.put("/api/v1/password", json={"old": "x", "new": NEXT})
        assert (wrong.status_code, problem_of(wrong)["code"]) == (401, "proof_refused")
        right = await client.put("/api/v1/password", json={"old": PASSWORD, "new": NEXT})
        assert right.status_code == 200
        assert (await client.get("/api/v1/session")).json() == right.json()
        assert (await other.get("/api/v1/session")).status_code == 401
    await (await entered(stage, password=NEXT)).aclose()


async def test_the_first_administrator_sets_a_password() -> None:
    """From the printed address to a password within five minutes; later it asks for a proof."""
    stage = await opened()
    user = await stage.links.ensure_administrator()
    for seconds, expected in ((301, 403), (10, 200)):
        token = await stage.links.issue(user)
        async with stage.client(origin=ORIGIN) as client:
            assert (await client.get(f"/signin?token={token}")).status_code == 303
            info = (await client.get("/api/v1/session")).json()
            assert (info["is_operator"], info["has_password"]) == (True, False)
            client.headers["x-plan2-csrf"] = info["csrf"]
            stage.people.later(seconds)
            answer = await client.put("/api/v1/password", json={"old": "", "new": NEXT})
            assert answer.status_code == expected
            if expected == 403:
                assert problem_of(answer)["code"] == "step_up_needed"
    client = await entered(stage, name="administrator", password=NEXT)
    assert (await client.get("/api/v1/session")).json()["is_operator"]
    await client.aclose()


async def tokens_of(client: httpx.AsyncClient) -> dict[str, str]:
    """Tokens for whoever signed in with this browser."""
    answer = await client.post("/api/v1/token")
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


async def test_programs_use_and_renew_tokens() -> None:
    """An access token opens routes without cookie, Origin or CSRF value; its refresh gives more."""
    stage = await opened()
    async with await entered(stage) as browser:
        tokens = await tokens_of(browser)
        assert (tokens["token_type"], tokens["expires_in_s"]) == ("Bearer", 900)
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        async with stage.client() as program:
            info = (await program.get("/api/v1/session", headers=bearer)).json()
            assert (info["user"], info["via"], info["csrf"]) == ("anna", "token", "")
            listed = (await browser.get("/api/v1/sessions")).json()["sessions"]
            assert [each["via"] for each in listed] == ["cookie", "token"]
            body = {"refresh_token": tokens["refresh_token"]}
            renewed = (await program.post("/api/v1/token/refresh", json=body)).json()
            assert renewed["refresh_token"] != tokens["refresh_token"]
            same = (await program.post("/api/v1/token/refresh", json=body)).json()
            assert same["refresh_token"] == renewed["refresh_token"]
            stage.people.later(11)
            stolen = await program.post("/api/v1/token/refresh", json=body)
            assert (stolen.status_code, problem_of(stolen)["code"]) == (401, "token_refused")
            for token in (tokens, renewed):
                headers = {"authorization": f"Bearer {token['access_token']}"}
                answer = await program.get("/api/v1/session", headers=headers)
                assert answer.status_code == 401
        assert (await browser.get("/api/v1/session")).status_code == 200


async def test_tokens_beget_no_tokens_and_change_no_password() -> None:
    """What is for browsers is 403 for a token: else it could outlive its 30 days."""
    stage = await opened()
    async with await entered(stage) as browser:
        tokens = await tokens_of(browser)
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    async with stage.client(**bearer) as program:
        for method, path, body in (
            ("POST", "/api/v1/token", None),
            ("POST", "/api/v1/session/prove", {"password": PASSWORD}),
            ("PUT", "/api/v1/password", {"old": PASSWORD, "new": NEXT}),
        ):
            answer = await program.request(method, path, json=body)
            assert (answer.status_code, problem_of(answer)["code"]) == (
                403,
                "cookie_session_needed",
            )


async def test_giving_tokens_back_and_signing_out_end_them() -> None:
    """Revoking answers alike for what is unknown; signing out takes the tokens along."""
    stage = await opened()
    async with await entered(stage) as browser, stage.client() as program:
        first, second = await tokens_of(browser), await tokens_of(browser)
        for text in (first["refresh_token"], "unknown", first["refresh_token"]):
            body = {"refresh_token": text}
            assert (await program.post("/api/v1/token/revoke", json=body)).status_code == 204
        states = []
        for tokens in (first, second):
            headers = {"authorization": f"Bearer {tokens['access_token']}"}
            states.append((await program.get("/api/v1/session", headers=headers)).status_code)
        assert states == [401, 200]
        assert (await browser.delete("/api/v1/session")).status_code == 204
        headers = {"authorization": f"Bearer {second['access_token']}"}
        assert (await program.get("/api/v1/session", headers=headers)).status_code == 401


@pytest.mark.parametrize("role", [Role.ANALYST, Role.PORTFOLIO_MANAGER])
async def test_a_changed_role_is_felt_at_once(role: Role) -> None:
    """The next request after the change is signed out, by cookie and by token."""
    stage = await opened()
    async with await entered(stage) as browser, stage.client() as program:
        tokens = await tokens_of(browser)
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await program.get("/api/v1/session", headers=headers)).status_code == 200
        person = stage.people.book.named(TENANT, "anna")
        assert person is not None
        await stage.people.book.change_role(
            TENANT,
            person.user.user_id,
            Role.API_USER if role is Role.ANALYST else role,
            by="test",
        )
        answers = await asyncio.gather(
            browser.get("/api/v1/session"), program.get("/api/v1/session", headers=headers)
        )
        assert [answer.status_code for answer in answers] == [401, 401]
