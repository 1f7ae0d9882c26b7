"""The perimeter and the guard: hosts, origins, headers, sessions, rights, bodies, problems."""

import json
from pathlib import Path

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
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.identity.rights import Entrance, Proof, Role
from plan2.foundation.errors import (
    ConfigError,
    InputError,
    InvariantBroken,
    OutcomeUnknown,
    Plan2Error,
    StoreBusy,
    VersionConflict,
)
from unit.callers_fixtures import example
from unit.interface_fixtures import HOST, ORIGIN, Stage, problem_of
from unit.whole_stage import WholeStage


def application(stage: Stage) -> Litestar:
    """The application inside the perimeter."""
    return build_application(
        stage.routes, stage.identity, stage.operations, stage.front, stage.settings
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


async def test_every_route_has_an_entry_in_the_table_of_rights(tmp_path: Path) -> None:
    """A route without an entry fails the build, and so does an entry without a route.

    At run time the former would be closed to everybody.
    """
    assert registered(await WholeStage.open(tmp_path)) == set(RIGHTS)


async def test_every_protected_route_refuses_callers_without_a_session(tmp_path: Path) -> None:
    """401 with a problem for each route that asks for a session, whatever the method."""
    stage = await WholeStage.open(tmp_path)
    protected = [
        key
        for key, rule in RIGHTS.items()
        if rule.entrance is Entrance.SESSION and key[0] != "WEBSOCKET"
    ]
    assert len(protected) > 100
    before = stage.done()
    async with stage.client(origin=ORIGIN) as client:
        for method, path in sorted(protected):
            response = await client.request(method, example(path))
            assert (response.status_code, path) == (401, path)
            assert problem_of(response)["code"] == "signed_out"
    assert stage.done() == before


async def test_unsafe_routes_refuse_a_session_without_its_csrf_value(tmp_path: Path) -> None:
    """403 for a missing and for a wrong CSRF value; nothing is carried out."""
    stage = await WholeStage.open(tmp_path)
    unsafe = [
        (method, path)
        for (method, path), rule in RIGHTS.items()
        if method not in {"GET", "HEAD", "WEBSOCKET"}
        and rule.proof is Proof.HEADER
        and rule.entrance is not Entrance.KEY
    ]
    async with await stage.signed_in() as client:
        before = stage.done()
        for method, path in sorted(unsafe):
            for wrong in ("", "0" * 48):
                client.headers["x-plan2-csrf"] = wrong
                response = await client.request(method, example(path))
                assert problem_of(response)["code"] == "csrf_missing"
    assert stage.done() == before


async def test_readers_cannot_command() -> None:
    """A role that may only read gets 403 on every command and changes nothing."""
    stage = Stage(role=Role.ANALYST)
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


HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def check_headers(response: httpx.Response, *, is_tls: bool) -> None:
    """What every answer carries, and what none does."""
    assert HEADERS.items() <= dict(response.headers).items()
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in response.headers["content-security-policy"].split(";")
    )
    assert (policy["default-src"], policy["script-src"]) == ("'self'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
    assert policy["object-src"] == "'none'"
    assert "server" not in response.headers
    assert "x-powered-by" not in response.headers
    assert ("strict-transport-security" in response.headers) == is_tls
    assert {"x-request-id", "x-correlation-id"} <= set(response.headers)


@pytest.mark.parametrize("is_tls", [False, True])
async def test_all_answers_of_all_routes_carry_the_security_headers(
    is_tls: bool, tmp_path: Path
) -> None:
    """Every route, with and without a session; what a session gets is never stored anywhere."""
    stage = await WholeStage.open(tmp_path, GatewaySettings(is_tls=is_tls))
    for is_signed_in in (True, False):
        for method, path in sorted(registered(stage)):
            if method == "WEBSOCKET":
                continue
            cookie, csrf = await stage.open_session()
            name = "__Host-p2_session" if is_tls else "p2_session"
            shown = {"origin": ORIGIN.replace("http:", "https:") if is_tls else ORIGIN}
            if is_signed_in:
                shown |= {"cookie": f"{name}={cookie}", "x-plan2-csrf": csrf}
            async with stage.client(**shown) as client:
                response = await client.request(method, example(path))
            check_headers(response, is_tls=is_tls)
            assert response.headers["cache-control"] == "no-store", (method, path)


async def test_what_is_no_route_carries_them_too() -> None:
    """Unknown addresses, wrong methods, foreign hosts and paths that climb."""
    stage = Stage()
    async with await stage.signed_in() as client:
        for method, path in (
            ("GET", "/api/none"),
            ("GET", "/..%2f"),
            ("PUT", "/api/v1/system"),
            ("TRACE", "/api/v1/system"),
            ("OPTIONS", "/api/v1/orders"),
        ):
            check_headers(await client.request(method, path), is_tls=False)
        foreign = await client.get("/", headers={"host": "evil.example"})
        check_headers(foreign, is_tls=False)


async def test_wrong_methods_are_told_the_right_ones() -> None:
    """405 with Allow; OPTIONS tells the same without a session."""
    stage = Stage()
    async with await stage.signed_in() as client:
        wrong = await client.put("/api/v1/orders/o-1")
        told = await client.options("/api/v1/orders/o-1")
    assert (wrong.status_code, problem_of(wrong)["code"]) == (405, "method_not_allowed")
    for response in (wrong, told):
        assert set(response.headers["allow"].split(", ")) == {"PATCH", "DELETE", "OPTIONS"}
    assert (told.status_code, told.content) == (204, b"")


async def test_parameters_that_do_nothing_are_refused() -> None:
    """A misspelt parameter must not be taken for a filter that found everything."""
    async with await Stage().signed_in() as client:
        response = await client.get("/api/v1/orders?stauts=open")
    assert (response.status_code, problem_of(response)["code"]) == (400, "invalid_parameter")
    assert "stauts" in str(problem_of(response)["detail"])


async def test_reads_are_tagged() -> None:
    """The same list again is 304 without a body."""
    async with await Stage().signed_in() as client:
        first = await client.get("/api/v1/symbols")
        again = await client.get(
            "/api/v1/symbols", headers={"if-none-match": first.headers["etag"]}
        )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-store"


async def test_tls_adds_hsts_and_the_secure_cookie() -> None:
    """Behind https the cookie has the __Host- prefix and Secure, and HSTS is sent."""
    stage = Stage(settings=GatewaySettings(is_tls=True))
    await stage.people.start()
    token = await stage.links.issue(await stage.links.ensure_administrator())
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
        (b'{"closes_foreign": 1}', 400, "invalid_parameter"),
        (b'{"closes_foreign": 0.0}', 400, "invalid_parameter"),
        (b'{"closes_foreign": "true"}', 400, "invalid_parameter"),
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


WORDS = ("[", "]", "{", "}", ",", ":", '"', "\\", "u0000", "ud800", "1", "-", ".5", "e9", "e999")
BROKEN = st.lists(st.sampled_from((*WORDS, '"a":', "null", "NaN", " ", "é")), max_size=30)


@given(st.one_of(st.binary(max_size=200), BROKEN.map(lambda words: "".join(words).encode())))
def test_no_bytes_make_the_parser_fail_otherwise(body: bytes) -> None:
    """Whatever arrives is the value that the library finds, or a refusal with a code of ours."""
    found: object
    try:
        found = parse(body)
    except RequestRefused as refused:
        found = refused
    if isinstance(found, RequestRefused):
        assert found.status == 400
        assert found.code in {"json_invalid", "json_too_deep", "json_duplicate_name"}
    else:
        assert repr(found) == repr(json.loads(body.decode()))


SAYABLE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    SAYABLE,
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SAYABLE, inner, max_size=4),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_whatever_json_can_say_is_taken(value: object, is_ascii: bool) -> None:
    """Every value comes out as it went in, with escapes and without."""
    assert repr(parse(json.dumps(value, ensure_ascii=is_ascii).encode())) == repr(value)
