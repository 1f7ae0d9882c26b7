"""Entity tags: a GET whose JSON the caller has already is answered 304, without its body.

The tag is a hash of the body; answers that are long, or come in pieces, go without one.
"""

import hashlib
from typing import Final

from litestar.types import (
    ASGIApp,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Message,
    Receive,
    Scope,
    Send,
)

from plan2.connectivity.gateway.callers import header

TAGGED_MAX_BYTES: Final = 262_144
JSON: Final = b"application/json"
KEPT_WITH_304: Final = frozenset({b"etag", b"cache-control", b"vary", b"set-cookie", b"expires"})


class EntityTags:
    """The innermost middleware; it only looks at GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tag the answer, or say that nothing has changed."""
        if scope.get("method") != "GET":
            await self._app(scope, receive, send)
            return
        started: HTTPResponseStartEvent | None = None
        shown = header(scope, b"if-none-match")

        async def tagged(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and _is_tagged(message):
                started = message
                return
            if started is not None and message["type"] == "http.response.body":
                begin, started = started, None
                await _send_tagged(begin, message, shown, send)
                return
            await send(message)

        await self._app(scope, receive, tagged)


def is_shown(tag: str, shown: str) -> bool:
    """Whether If-None-Match names a tag, or any (RFC 9110 §13.1.2: weak comparison)."""
    return shown.strip() == "*" or tag in {
        part.strip().removeprefix("W/") for part in shown.split(",")
    }


def _is_tagged(message: HTTPResponseStartEvent) -> bool:
    if message["status"] != 200:
        return False
    is_json = False
    for name, value in message["headers"]:
        if name == b"etag":
            return False
        if name == b"content-type":
            is_json = value.startswith(JSON)
    return is_json


async def _send_tagged(
    begin: HTTPResponseStartEvent, body: HTTPResponseBodyEvent, shown: str, send: Send
) -> None:
    if body["more_body"] or len(body["body"]) > TAGGED_MAX_BYTES:
        await send(begin)
        await send(body)
        return
    tag = '"' + hashlib.blake2b(body["body"], digest_size=12).hexdigest() + '"'
    headers = [*begin["headers"], (b"etag", tag.encode())]
    if shown and is_shown(tag, shown):
        headers = [(name, value) for name, value in headers if name in KEPT_WITH_304]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send(body)
