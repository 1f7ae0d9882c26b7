"""The limits as ASGI: one wrapper before the guard, one after it.

A refusal is answered here, at once, and goes out through the perimeter like every answer. Holding
refusals back to slow a loop without manners was measured and dropped: the timers and connections of
the held cost the other tenants more than the refusals do (`benchmarks/noisy_tenant.py`).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, cast

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from plan2.connectivity.gateway.addresses import client_address
from plan2.connectivity.gateway.callers import AUTHORIZATION
from plan2.connectivity.gateway.headers import header
from plan2.connectivity.gateway.middleware import WEBSOCKET, method_of
from plan2.connectivity.gateway.problems import PROBLEM_JSON, problem
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.ratelimit.limiter import Limiter, Refusal
from plan2.connectivity.ratelimit.route_policy import RoutePolicy

CLOSE_LIMITED: Final = 4429

Sleep = Callable[[float], Awaitable[None]]
Connection = tuple[Scope, Receive, Send]


class Doorway:
    """By address, before it is known who asks; use `around` as a wrapper."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application behind this door."""
        limiter = self._limiter

        async def entered(scope: Scope, receive: Receive, send: Send) -> None:
            policy = limiter.policy(method_of(scope), scope["path_template"])
            if not policy.is_signed_in:
                refusal = limiter.at_door(policy, client_address(scope))
            elif header(scope, AUTHORIZATION):
                await self._with_token(app, policy, (scope, receive, send))
                return
            else:
                refusal = None
            await _go_on(app, refusal, scope, receive, send)

        return entered

    async def _with_token(self, app: ASGIApp, policy: RoutePolicy, connection: Connection) -> None:
        """Tokens and keys cost work to check: an address that shows wrong ones has to wait."""
        scope, receive, send = connection
        address = client_address(scope)
        refusal = self._limiter.at_door(policy, address, shows_token=True)
        try:
            await _go_on(app, refusal, scope, receive, send)
        finally:
            if refusal is None and scope.get("auth") is None:
                self._limiter.note_failure(address)


class Turnstile:
    """By tenant, person and key, once the guard has let them through; use `around` as a wrapper."""

    def __init__(self, limiter: Limiter, sleep: Sleep = asyncio.sleep) -> None:
        self._limiter = limiter
        self._sleep = sleep

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application behind this turnstile."""

        async def passed(scope: Scope, receive: Receive, send: Send) -> None:
            session: Session | None = scope.get("auth")
            if session is None:
                await app(scope, receive, send)
                return
            refusal = self.admit(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
            elif method_of(scope) == WEBSOCKET:
                await self._serve_socket(session, app, (scope, receive, send))
            else:
                await app(scope, receive, send)

        return passed

    def admit(self, scope: Scope) -> ASGIApp | None:
        """Count a request of somebody known (`scope["auth"]`); what answers it when it may not."""
        policy = self._limiter.policy(method_of(scope), scope["path_template"])
        refusal = self._limiter.admit(policy, scope["auth"])
        return None if refusal is None else partial(_refuse, refusal)

    async def _serve_socket(self, session: Session, app: ASGIApp, connection: Connection) -> None:
        scope, receive, send = connection
        refusal = self._limiter.join(session)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
            return

        async def paced() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                while wait_s := self._limiter.message_wait_s(session):
                    await self._sleep(wait_s)
            return cast("Message", message)

        try:
            await app(scope, cast("Receive", paced), send)
        finally:
            self._limiter.leave(session)


async def _go_on(
    app: ASGIApp, refusal: Refusal | None, scope: Scope, receive: Receive, send: Send
) -> None:
    if refusal is None:
        await app(scope, receive, send)
    else:
        await _refuse(refusal, scope, receive, send)


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a problem; a handshake too, where the server can."""
    state = scope.setdefault("state", {})
    state["problem_code"] = refusal.code  # for the account of what was done and refused
    request_id = str(state.get("request_id", ""))
    told = problem(refusal.status, refusal.code, refusal.detail, request_id, remedy=refusal.remedy)
    body = msgspec.json.encode(told)
    kind = "http.response"
    if method_of(scope) == WEBSOCKET:
        await receive()
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": CLOSE_LIMITED, "reason": refusal.code})
            return
        kind = "websocket.http.response"
    headers = [*_headers(refusal), (b"content-length", str(len(body)).encode())]
    start = {"type": f"{kind}.start", "status": refusal.status, "headers": headers}
    for event in (start, {"type": f"{kind}.body", "body": body, "more_body": False}):
        await send(cast("Message", event))  # Litestar's types do not know the extension


def _headers(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", PROBLEM_JSON.encode())]
    if refusal.wait_s:
        wait = str(max(math.ceil(refusal.wait_s), 1)).encode()
        headers += [(b"retry-after", wait), (b"ratelimit-reset", wait)]
    if refusal.burst:
        headers += [
            (b"ratelimit-limit", str(refusal.burst).encode()),
            (b"ratelimit-remaining", str(refusal.remaining).encode()),
        ]
    return headers
