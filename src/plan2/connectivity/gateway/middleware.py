"""The perimeter: the first code that sees a request, and the last that sees its answer.

Pure ASGI around everything else, so that refusals and errors carry the same headers as answers.
It knows hosts, origins and headers, and nothing of routes or people.
"""

import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final

import msgspec
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from plan2.connectivity.gateway.addresses import TrustedProxies, is_secure
from plan2.connectivity.gateway.headers import by_name
from plan2.connectivity.gateway.problems import PROBLEM_JSON, Problem, problem
from plan2.foundation.ids import IdSource

WEBSOCKET: Final = "WEBSOCKET"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
UNCHANGING: Final = SAFE_METHODS | {WEBSOCKET}
"""Requests that change nothing themselves; what comes over a socket is its route's business."""
REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
HOSTS_KEPT: Final = 256
"""Host headers of which it is remembered whether we answer for them."""
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
COOKIE: Final = "p2_session"
SECURE_COOKIE: Final = "__Host-p2_session"
SESSION_COOKIE: Final = b"p2_session="
"""Part of both names; a cookie that only looks like it asks for an Origin too."""
FROM_ELSEWHERE: Final = frozenset({b"cross-site", b"same-site"})

CSP: Final = (
    "default-src 'self'; script-src 'self'; "
    # Mantine and the chart's logo add style elements of their own.
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
SECURE_HEADERS: Final = (*HEADERS, HSTS)
NO_STORE: Final = (b"cache-control", b"no-store")


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway must know about where it stands.

    Attributes:
        hosts: names that a `Host` header may carry, lower case, without port.
        body_max_bytes: largest request body.
        is_tls: whether we speak TLS ourselves; decides cookie flags, HSTS and origins. Behind a
            trusted proxy its word decides, request by request.
        trusted_proxies: networks (CIDR) whose forwarding headers are believed.
    """

    hosts: frozenset[str] = LOCAL_HOSTS
    body_max_bytes: int = 1_048_576
    is_tls: bool = False
    trusted_proxies: tuple[str, ...] = ()


OnRefused = Callable[[Scope, int, str], None]
"""(scope, status, code) of a request that came no further than the perimeter."""


class _Asked(msgspec.Struct):
    """What the headers of an unsafe request tell of the page that it comes from."""

    origin: bytes = b""
    fetch_site: bytes = b""
    has_cookie: bool = False
    has_authorization: bool = False


class Perimeter:
    """Checks Host and Origin, names the request, and completes the answer's headers."""

    def __init__(
        self,
        app: ASGIApp,
        settings: GatewaySettings,
        ids: IdSource,
        on_refused: OnRefused = lambda _scope, _status, _code: None,
    ) -> None:
        self._app = app
        self._on_refused = on_refused
        self._is_answered = lru_cache(HOSTS_KEPT)(lambda host: _name_of(host) in settings.hosts)
        self._is_tls = settings.is_tls
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, WebSocket or lifespan."""
        if scope["type"] == "lifespan":  # type: ignore[comparison-overlap]  # ASGI has three types
            await self._app(scope, receive, send)
            return
        self._proxies.resolve(scope)
        method = method_of(scope)
        if self._is_tls:
            scope["scheme"] = "wss" if method == WEBSOCKET else "https"
        state = scope.setdefault("state", {})
        named = by_name(scope)
        request_id = _id_in(named, b"x-request-id") or self._ids.next_id("request")
        correlation_id = _id_in(named, b"x-correlation-id") or request_id
        state["request_id"] = request_id
        state["correlation_id"] = correlation_id
        refusal = self._refusal(scope, method, named.get(b"host", b""))
        if method == WEBSOCKET:
            await self._enter_socket(scope, receive, send, refused=refusal is not None)
            return
        completed = _completing(send, is_secure(scope), request_id, correlation_id)
        if refusal is not None:
            self._on_refused(scope, refusal.status, refusal.code)
            await _answer(completed, refusal)
            return
        await self._app(scope, receive, completed)

    async def _enter_socket(
        self, scope: Scope, receive: Receive, send: Send, *, refused: bool
    ) -> None:
        if refused:
            await receive()
            # Before the handshake this is HTTP 403.
            await send({"type": "websocket.close", "code": 4403, "reason": "forbidden"})
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, method: str, host: bytes) -> Problem | None:
        if not self._is_answered(host):
            return problem(
                403,
                "host_not_allowed",
                "The Host header names a host that this server does not answer for.",
                str(scope["state"]["request_id"]),
                remedy="Open Plan2 by the address it printed, or set server.host.",
            )
        if method not in SAFE_METHODS and not _is_ours(scope, host):
            return problem(
                403,
                "origin_not_allowed",
                "The Origin header is missing or names another page.",
                str(scope["state"]["request_id"]),
                remedy="Send the request from Plan2's own page, or with its Origin.",
            )
        return None


def _is_ours(scope: Scope, host: bytes) -> bool:
    """Whether no other page can have made a browser send this.

    Programs send no Origin; a browser that carries our cookie always names one.
    """
    asked = _read(scope)
    if asked.fetch_site.lower() in FROM_ELSEWHERE:
        return False
    if not asked.origin:
        return asked.has_authorization or not asked.has_cookie
    scheme = b"https://" if is_secure(scope) else b"http://"
    return asked.origin.lower() == scheme + host.lower()


def _completing(send: Send, is_tls: bool, request_id: str, correlation_id: str) -> Send:
    # No coroutine of its own: the server's is handed on.
    def completed(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = [
                *message["headers"],
                *(SECURE_HEADERS if is_tls else HEADERS),
                (b"x-request-id", request_id.encode()),
                (b"x-correlation-id", correlation_id.encode()),
            ]
            if not _says_how_long(message):
                headers.append(NO_STORE)
            message["headers"] = headers
        return send(message)

    return completed


def method_of(scope: Scope) -> str:
    """The HTTP method, or WEBSOCKET, which has none."""
    return str(scope.get("method", WEBSOCKET))


def cookie_name(*, is_tls: bool) -> str:
    """The session cookie's name; with the prefix browsers insist on Secure and Path=/."""
    return SECURE_COOKIE if is_tls else COOKIE


def _says_how_long(message: HTTPResponseStartEvent) -> bool:
    """Whether an answer says itself how long it may be kept."""
    for name, _ in message["headers"]:  # noqa: SIM110 - `any` with a generator takes twice as long
        if name.lower() == b"cache-control":
            return True
    return False


def _read(scope: Scope) -> _Asked:
    asked = _Asked()
    for name, value in scope["headers"]:
        if name == b"origin":
            asked.origin = value
        elif name == b"sec-fetch-site":
            asked.fetch_site = value
        elif name == b"cookie":
            asked.has_cookie |= SESSION_COOKIE in value
        elif name == b"authorization":
            asked.has_authorization = True
    return asked


def _id_in(named: dict[bytes, bytes], header: bytes) -> str:
    """The id that a caller gave, when it is one."""
    value = named.get(header)
    return value.decode() if value is not None and REQUEST_ID.fullmatch(value) else ""


def _name_of(host: bytes) -> str:
    """The host without its port, lower case; brackets of IPv6 stay."""
    name, colon, port = host.decode("latin-1").lower().rpartition(":")
    return name if colon and port.isdigit() else host.decode("latin-1").lower()


async def _answer(send: Send, refusal: Problem) -> None:
    body = msgspec.json.encode(refusal)
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
