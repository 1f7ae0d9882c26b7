"""The perimeter and the guard: hosts, origins, headers, sessions, rights, bodies, problems."""

import contextlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.routes import HTTPRoute, WebSocketRoute

from plan2.connectivity.gateway.app import build_application
from plan2.connectivity.gateway.middleware import GatewaySettings
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.problems import problem_of as problem_of_error
from plan2.connectivity.gateway.strict_json import DEPTH_MAX, parse
from plan2.connectivity.identity.rights import RIGHTS, Entrance, Proof, Role
from plan2.foundation.errors import (
    ConfigError,
    InputError,
    InvariantBroken,
    OutcomeUnknown,
    Plan2Error,
    StoreBusy,
    VersionConflict,
)
from unit.interface_fixtures import HOST, ORIGIN, Stage, problem_of

EXAMPLES = {
    "{file_path}": "trade/EURUSD",
    "{decision_id}": "d1",
    "{model_id}": "m1",
}


def application(stage: Stage) -> Litestar:
    """The application inside the perimeter."""
    return build_application(
        stage.ui.routes, stage.identity, stage.operations, stage.front, stage.settings
    )


def registered(stage: Stage) -> set[tuple[str, str]]:
    """Method and path template of every route of the application, OPTIONS aside."""
    found: set[tuple[str, str]] = set()
    for each in application(stage).routes:
        if isinstance(each, WebSocketRoute):
            found.add(("WEBSOCKET", each.path_format))
        elif isinstance(each, HTTPRoute):
            found |= {(method, each.path_format) for method in each.route_handler_map}
    return {(method, path) for method, path in found if method != "OPTIONS"}


def example(path: str) -> str:
    """A path that fits a template."""
    for placeholder, value in EXAMPLES.items():
        path = path.replace(placeholder, value)
    return path


def test_every_route_has_an_entry_in_the_table_of_rights() -> None:
    """A route without an entry, or an entry without a route, fails the build."""
    assert registered(Stage()) == set(RIGHTS)


async def test_every_protected_route_refuses_callers_without_a_session() -> None:
    """401 with a problem for each route that asks for a session, whatever the method."""
    stage = Stage()
    protected = [
        key
        for key, rule in RIGHTS.items()
        if rule.entrance is Entrance.SESSION and key[0] != "WEBSOCKET"
    ]
    assert len(protected) > 20
    async with stage.client(origin=ORIGIN) as client:
        for method, path in protected:
            response = await client.request(method, example(path))
            assert (response.status_code, path) == (401, path)
            assert problem_of(response)["code"] == "signed_out"


async def test_unsafe_routes_refuse_a_session_without_its_csrf_value() -> None:
    """403 for a missing and for a wrong CSRF value; nothing is carried out."""
    stage = Stage()
    unsafe = [
        (method, path)
        for (method, path), rule in RIGHTS.items()
        if method not in {"GET", "HEAD", "WEBSOCKET"} and rule.proof is Proof.HEADER
    ]
    async with await stage.signed_in() as client:
        for method, path in unsafe:
            for wrong in ("", "0" * 48):
                client.headers["x-plan2-csrf"] = wrong
                response = await client.request(method, example(path))
                assert problem_of(response)["code"] == "csrf_missing"
    assert stage.control.calls == []


@pytest.mark.parametrize("role", [Role.ANALYST, Role.API_USER])
async def test_readers_cannot_command(role: Role) -> None:
    """A role that may only read gets 403 on every command and changes nothing."""
    stage = Stage(role=role)
    async with await stage.signed_in() as client:
        for name in ("pause", "resume", "halt", "kill"):
            response = await client.post(f"/api/v1/commands/{name}", json={"reason": "x"})
            assert (response.status_code, problem_of(response)["code"]) == (403, "forbidden")
    assert stage.control.calls == []


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127x0x0x1", "", "[::2]"],
)
async def test_foreign_hosts_are_refused(host: str) -> None:
    """A Host header that names another host is answered 403, on public pages too."""
    async with Stage().client(host=host) as client:
        response = await client.get("/health/live")
    assert (response.status_code, problem_of(response)["code"]) == (403, "host_not_allowed")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8420", "127.0.0.1:9000", "[::1]:8420"])
async def test_own_hosts_are_answered(host: str) -> None:
    """The names of this machine pass, with any port: tunnels change it."""
    async with Stage().client(host=host) as client:
        assert (await client.get("/health/live")).status_code == 200


@pytest.mark.parametrize(
    "origin", ["", "null", "http://evil.example", f"https://{HOST}", "http://127.0.0.1:3000"]
)
async def test_foreign_origins_cannot_command(origin: str) -> None:
    """With cookie and CSRF value, but from another page: 403, and nothing is carried out."""
    stage = Stage()
    async with await stage.signed_in() as client:
        client.headers["origin"] = origin
        response = await client.post(
            "/api/v1/commands/halt", json={}, headers={"idempotency-key": "12345678"}
        )
    assert (response.status_code, problem_of(response)["code"]) == (403, "origin_not_allowed")
    assert stage.control.calls == []


async def test_all_answers_carry_the_security_headers() -> None:
    """One table over pages, API, refusals and errors."""
    expected = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "DENY",
    }
    stage = Stage()
    async with await stage.signed_in() as client:
        for path in ("/", "/api/v1/system", "/api/none", "/api/v1/bars", "/health/live", "/..%2f"):
            response = await client.get(path)
            assert expected.items() <= dict(response.headers).items()
            policy = response.headers["content-security-policy"]
            assert "script-src 'self';" in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["cache-control"] == "no-store"
            assert "server" not in response.headers
            assert "strict-transport-security" not in response.headers


async def test_tls_adds_hsts_and_the_secure_cookie() -> None:
    """Behind https the cookie has the __Host- prefix and Secure, and HSTS is sent."""
    stage = Stage(settings=GatewaySettings(is_tls=True))
    user = await stage.sign_in.ensure_administrator("main")
    token = await stage.sign_in.issue(user)
    async with stage.client() as client:
        response = await client.get(f"/signin?token={token}")
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-p2_session=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert response.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("sent", "is_kept"), [("abc-123", True), ("a b", False), ("x" * 65, False), ("<x>", False)]
)
async def test_request_ids_are_kept_or_made(sent: str, is_kept: bool) -> None:
    """A plain id from the caller comes back; anything else is replaced by one of ours."""
    async with Stage().client() as client:
        response = await client.get("/api/v1/system", headers={"x-request-id": sent})
    shown = response.headers["x-request-id"]
    assert (shown == sent) == is_kept
    assert problem_of(response)["request_id"] == shown
    assert len(shown) == (len(sent) if is_kept else 32)


async def test_metrics_are_for_this_machine_only() -> None:
    """Loopback gets metrics; another address, or a proxy in front of it, does not."""
    stage = Stage()
    async with stage.client() as client:
        assert (await client.get("/metrics")).text == "plan2_ticks_total 1\n"
        proxied = await client.get("/metrics", headers={"x-forwarded-for": "10.0.0.1"})
    assert proxied.status_code == 403
    far = httpx.ASGITransport(app=stage.app, client=("10.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=far, base_url=ORIGIN) as client:
        assert (await client.get("/metrics")).status_code == 403


async def test_readiness_names_what_is_missing() -> None:
    """503 with the names of parts while something is not ready, 200 afterwards."""
    stage = Stage()
    stage.health.waiting = ("database", "models")
    async with stage.client() as client:
        waiting = await client.get("/health/ready")
        assert waiting.status_code == 503
        assert waiting.json() == {"status": "waiting", "waiting_for": ["database", "models"]}
        assert (await client.get("/health/live")).status_code == 200
        stage.health.waiting = ()
        assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"reason": "a", "reason": "b"}', 400, "json_duplicate_name"),
        (b'{"reason": NaN}', 400, "json_invalid"),
        (b'{"reason": Infinity}', 400, "json_invalid"),
        (b"[" * 100_000, 413, "body_too_large"),
        (b"[" * 1_000, 400, "json_too_deep"),
        (b'{"reason": "\xff"}', 400, "json_invalid"),
        (b'{"reason": ', 400, "json_invalid"),
        (b"[1]", 400, "invalid_parameter"),
        (b'{"reason": 1}', 400, "invalid_parameter"),
        (b'{"other": "x"}', 400, "invalid_parameter"),
        (b'{"reason": "' + b"x" * 501 + b'"}', 400, "invalid_parameter"),
    ],
)
async def test_bad_bodies_get_a_clear_problem(body: bytes, status: int, code: str) -> None:
    """Every way to get a body wrong is a 4xx with its own code, and nothing is carried out."""
    stage = Stage()
    async with await stage.signed_in() as client:
        response = await client.post(
            "/api/v1/commands/halt",
            content=body,
            headers={"content-type": "application/json", "idempotency-key": "12345678"},
        )
    assert (response.status_code, problem_of(response)["code"]) == (status, code)
    assert stage.control.calls == []


async def test_bodies_must_be_declared_as_json() -> None:
    """A form or plain text with JSON inside is 415: browsers send those without asking."""
    stage = Stage()
    async with await stage.signed_in() as client:
        for media_type in ("text/plain", "application/x-www-form-urlencoded", ""):
            response = await client.post(
                "/api/v1/commands/halt",
                content=b"{}",
                headers={"content-type": media_type, "idempotency-key": "12345678"},
            )
            assert problem_of(response)["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InputError("no such file", remedy="Look again."), 422, "input_invalid"),
        (StoreBusy("away"), 503, "store_busy"),
        (OutcomeUnknown("?"), 504, "outcome_unknown"),
        (VersionConflict("late"), 409, "version_conflict"),
        (ConfigError("bad key"), 500, "config_invalid"),
        (InvariantBroken("never"), 500, "invariant_broken"),
        (Plan2Error("some"), 500, "error"),
        (RequestRefused(418, "teapot", "short"), 418, "teapot"),
        (ValueError("secret detail"), 500, "internal"),
    ],
)
def test_each_error_has_one_status_and_code(error: Exception, status: int, code: str) -> None:
    """The map of the error tree; what is unforeseen tells nothing about itself."""
    problem = problem_of_error(error, "r1")
    assert (problem.status, problem.code, problem.request_id) == (status, code, "r1")
    assert "secret" not in problem.detail


def test_depth_counts_brackets_outside_strings_only() -> None:
    """64 levels pass, 65 do not; brackets inside strings do not count."""
    assert parse(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX) is not None
    with pytest.raises(RequestRefused):
        parse(b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1))
    assert parse(b'"' + b"[" * 1000 + b'"') == "[" * 1000
    assert parse(rb'"\"[[' + b"[" * 100 + b'"') == '"[[' + "[" * 100


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_fail_otherwise(body: bytes) -> None:
    """Whatever arrives is a value or a refusal."""
    with contextlib.suppress(RequestRefused):
        parse(body)
