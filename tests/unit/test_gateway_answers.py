"""Answers as JSON with their entity tags, headers by name, and the short way of reading."""

import datetime as dt
import enum
import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.types import Scope

from plan2.connectivity.gateway.answers import TAGGED_MAX_BYTES, JsonAnswer
from plan2.connectivity.gateway.headers import BY_NAME, by_name, header
from plan2.connectivity.gateway.middleware import GatewaySettings, Perimeter
from plan2.connectivity.gateway.reading import READ, Reading, layered
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.foundation.ids import SeededIds
from unit.gateway_layers import Echo, call, scope_of


class Colour(enum.Enum):
    """A value that msgspec writes by its own rules."""

    RED = "red"


class Item(msgspec.Struct):
    """A body as routes return them."""

    name: str
    value: float | None = None


VALUES: list[Any] = [
    Item("é\u2028 <b>&", 0.1),
    [Item("a"), Item("b", float("nan"))],
    {"at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "id": UUID(int=7)},
    {"path": Path("a/b"), "colour": Colour.RED},  # the first only by Litestar's own encoders
    None,
    0,
    [],
    "text",
    b'{"ready": "made"}',
]


def served(response_class: type[Response[Any]] | None, body: Any) -> httpx.AsyncClient:
    """An application whose routes return `body`, in the ways in which ours do."""

    async def value() -> Any:
        return body

    async def nothing() -> None:
        return None

    routes = [
        get("/value")(value),
        post("/made")(value),
        post("/later", status_code=202)(value),
        delete("/gone")(nothing),
        get("/text", media_type="text/plain")(value),
        get("/with", response_cookies=[Cookie("c", "1")], response_headers={"x-y": "z"})(value),
    ]
    app = Litestar(routes, response_class=response_class, openapi_config=None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


ASKED = (
    *(("GET", "/value"), ("POST", "/made"), ("POST", "/later")),
    *(("DELETE", "/gone"), ("GET", "/with")),
)


@pytest.mark.parametrize("body", VALUES, ids=repr)
async def test_answers_are_those_of_the_framework(body: Any) -> None:
    """Status, headers and bytes are what Litestar itself would send, but for the tag."""
    ours, theirs = served(JsonAnswer, body), served(None, body)
    for method, path in (*ASKED, *([("GET", "/text")] if isinstance(body, (str, bytes)) else [])):
        one, other = await ours.request(method, path), await theirs.request(method, path)
        assert (one.status_code, one.content) == (other.status_code, other.content)
        headers = [each for each in one.headers.multi_items() if each[0] != "etag"]
        assert sorted(headers) == sorted(other.headers.multi_items())


async def test_json_that_the_caller_has_is_not_sent_again() -> None:
    """The tag is the body's hash: 304 without body while it matches, the body when it differs."""
    body = {"n": 1}
    client = served(JsonAnswer, body)
    first = await client.get("/value")
    tag = first.headers["etag"]
    assert tag == '"' + hashlib.blake2b(b'{"n":1}', digest_size=12).hexdigest() + '"'
    for shown in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.get("/value", headers={"If-None-Match": shown})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in again.headers
    body["n"] = 2
    changed = await client.get("/value", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.content) == (200, b'{"n":2}')
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize(
    ("method", "path", "length"), [("POST", "/made", 9), ("GET", "/value", TAGGED_MAX_BYTES)]
)
async def test_other_answers_go_without_a_tag(method: str, path: str, length: int) -> None:
    """Unsafe methods and long answers pass as they are, whatever the caller has."""
    sent = await served(JsonAnswer, ["x" * length]).request(
        method, path, headers={"If-None-Match": "*"}
    )
    assert (sent.is_success, "etag" in sent.headers) == (True, False)
    assert len(sent.content) == length + 4


# --- headers by name ----------------------------------------------------------------------


def test_headers_of_which_one_came_twice_are_never_read_by_name() -> None:
    """With two of a name the first counts for layers, and a cookie hidden in one is found."""
    twice: Any = {"headers": [(b"cookie", b"p2_session=1"), (b"cookie", b"a=b")], "state": {}}
    by_name(twice)
    assert BY_NAME not in twice["state"]
    assert header(twice, b"cookie") == "p2_session=1"
    once: Any = {"headers": [(b"host", b"x"), (b"cookie", b"a=b")], "state": {}}
    assert by_name(once) == once["state"][BY_NAME]
    assert [header(once, name) for name in (b"host", b"cookie", b"origin")] == ["x", "a=b", ""]


@pytest.mark.parametrize("first", [True, False])
async def test_a_session_cookie_in_one_of_two_headers_still_asks_for_an_origin(
    first: bool,
) -> None:
    """A second Cookie header does not make a browser's unsafe request look like a program's."""
    cookies = [(b"cookie", b"p2_session=1"), (b"cookie", b"a=b")]
    scope = scope_of("POST")
    scope["headers"] = [(b"host", b"localhost"), *(cookies if first else cookies[::-1])]
    echo = Echo()
    given = await call(Perimeter(echo, GatewaySettings(), SeededIds("p")), scope)
    assert (given.status, echo.calls) == (403, [])


# --- the short way ------------------------------------------------------------------------


class Checks:
    """A guard and a limit that write down whom they saw."""

    def __init__(self, app: Any = None, *, refuses: Any = None) -> None:
        self.app, self.refuses = app, refuses
        self.seen: list[str] = []

    def check(self, scope: Scope) -> None:
        """See the guard."""
        self.seen.append("guard")

    def admit(self, scope: Scope) -> Any:
        """See the limits."""
        self.seen.append("limits")
        return self.refuses


READ_PATH = "/api/v1/account"


async def test_a_read_by_cookie_takes_the_short_way_past_guard_and_limits() -> None:
    """Both are asked, in this order, and a refusal of the limits is the answer."""
    route, whole, refusal, checks = Echo(), Echo(), Echo(429), Checks()
    reading = Reading(route, whole, checks, checks.admit)  # type: ignore[arg-type]  # a fake guard
    given = await call(reading, scope_of("GET", READ_PATH))
    assert (given.status, checks.seen) == (200, ["guard", "limits"])
    assert (len(route.calls), whole.calls) == (1, [])
    checks.refuses = refusal
    given = await call(reading, scope_of("GET", READ_PATH))
    assert (given.status, len(route.calls), whole.calls) == (429, 1, [])


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", READ_PATH, {}),
        ("HEAD", READ_PATH, {}),
        ("OPTIONS", READ_PATH, {}),
        ("GET", READ_PATH, {"Authorization": "Bearer x"}),
        ("GET", "/healthz", {}),
        ("GET", "/", {}),
        ("GET", "/not-in-the-table", {}),
        ("GET", "/metrics", {}),
    ],
)
async def test_everything_else_goes_through_every_layer(
    method: str, path: str, headers: dict[str, str]
) -> None:
    """Whatever changes something, shows a token or is open to strangers."""
    order: list[str] = []

    def layer(name: str) -> Any:
        def wrap(app: Any) -> Any:
            async def passed(scope: Any, receive: Any, send: Any) -> None:
                order.append(name)
                await app(scope, receive, send)

            return passed

        return wrap

    checks = Checks()
    wrap = layered([layer("door"), layer("guard")], lambda _: checks, checks.admit)  # type: ignore[arg-type,return-value]
    await call(wrap(Echo()), scope_of(method, path, headers))
    assert (order, checks.seen) == (["door", "guard"], [])


def test_only_routes_that_ask_for_a_session_are_read_the_short_way() -> None:
    """As the table of rights has them; none that is open, by key or for this machine alone."""
    entrances = {RIGHTS["GET", path].entrance.name for path in READ}
    assert entrances == {"SESSION"}
    assert READ_PATH in READ
