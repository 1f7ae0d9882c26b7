"""Answers as JSON: encoded once, tagged, and 304 for a caller who has them already.

What a route returns as a value goes this way: into bytes and two messages, without the general
response of Litestar around it, which costs some ten microseconds more. Answers that a route builds
itself (files, pages, downloads) stay Litestar's and have no tag, unless their route gives them one.
"""

import hashlib
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response
from litestar.response.base import ASGIResponse
from litestar.serialization import default_serializer
from litestar.types import HTTPResponseStartEvent, Receive, Scope, Send

from plan2.connectivity.gateway.headers import header

TAGGED_MAX_BYTES: Final = 262_144
"""Longer answers go without a tag."""
JSON: Final = "application/json"
CONTENT_TYPE: Final = (b"content-type", JSON.encode())
WITH_BODY: Final = frozenset({200, 201, 202})

_encode: Final = msgspec.json.Encoder(enc_hook=default_serializer).encode


class JsonAnswer(Response[Any]):
    """Litestar's response for what routes return as values: the application's response class."""

    def __init__(
        self,
        content: Any,  # whatever a route returns
        *,
        media_type: str | None = None,
        status_code: int | None = None,
        **more: Any,  # Litestar's other arguments; an answer that uses one takes Litestar's way
    ) -> None:
        self._is_plain = (
            media_type == JSON
            and status_code in WITH_BODY
            and not isinstance(content, (bytes, str))
            and not any(more.values())
        )
        if self._is_plain:
            self.content, self.status_code = content, status_code
        else:
            super().__init__(content, media_type=media_type, status_code=status_code, **more)

    def to_asgi_response(
        self,
        app: Litestar | None,
        request: Request[Any, Any, Any],
        **told: Any,  # as Litestar's
    ) -> ASGIResponse:
        """What is sent; the same bytes as Litestar's own."""
        if not self._is_plain:
            return super().to_asgi_response(app, request, **told)
        if told.get("headers") or told.get("cookies"):
            whole = Response(self.content, media_type=JSON, status_code=self.status_code)
            return whole.to_asgi_response(app, request, **told)
        return Encoded(_encode(self.content), self.status_code or 200)


class Encoded(ASGIResponse):
    """One whole JSON body; for a GET it has an entity tag, the hash of the body."""

    def __init__(self, body: bytes, status: int) -> None:
        # Not `super`: it builds headers that are the same every time.
        self.body = body
        self.status_code = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it, or say that nothing has changed (RFC 9110 §15.4.5)."""
        body = self.body
        headers = [CONTENT_TYPE, (b"content-length", b"%d" % len(body))]
        if self.status_code == 200 and scope.get("method") == "GET" and _is_short(body):
            tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            tagged = (b"etag", tag.encode())
            shown = header(scope, b"if-none-match")
            if shown and is_shown(tag, shown):
                await send(_start(304, [tagged]))
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            headers.append(tagged)
        await send(_start(self.status_code, headers))
        await send({"type": "http.response.body", "body": body, "more_body": False})


def is_shown(tag: str, shown: str) -> bool:
    """Whether If-None-Match names a tag, or any (RFC 9110 §13.1.2: weak comparison)."""
    return shown.strip() == "*" or tag in {
        part.strip().removeprefix("W/") for part in shown.split(",")
    }


def _is_short(body: bytes) -> bool:
    return len(body) <= TAGGED_MAX_BYTES


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> HTTPResponseStartEvent:
    return {"type": "http.response.start", "status": status, "headers": headers}
