"""Requests that Plan2 makes to its own routes in a person's name, without a network.

Whoever is asked by another way than the web (a chat) goes through the very same application: its
table of rights, second factor, four eyes, limits and audit trail hold for them unchanged.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import quote, unquote, urlencode

import msgspec
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

from plan2.connectivity.gateway.callers import WITHIN
from plan2.connectivity.identity.principal import Session
from plan2.foundation.errors import Recoverable

DEADLINE_S: Final = 20.0


class Answer(msgspec.Struct, frozen=True):
    """What a route answered: JSON as plain data, or a problem when `status` is 400 or more."""

    status: int
    data: Any  # any JSON: each route has a shape of its own

    @property
    def is_ok(self) -> bool:
        """Whether it was done."""
        return self.status < 400

    @property
    def code(self) -> str:
        """The problem's code, "" when it was done."""
        return self._word("code")

    @property
    def refusal(self) -> str:
        """Why it was not done, and what to do about it."""
        return f"{self._word('detail')} {self._word('remedy')}".strip()

    def _word(self, name: str) -> str:
        return str(self.data.get(name) or "") if isinstance(self.data, dict) else ""


class Inside:
    """The application as Plan2's own parts ask it; `attach` it before the first question."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._app: ASGIApp | None = None
        self._deadline_s = deadline_s

    def attach(self, app: ASGIApp) -> None:
        """Ask this application from now on."""
        self._app = app

    async def ask(
        self,
        session: Session,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request in the name of a session.

        Args:
            session: whose rights hold.
            method: of HTTP.
            path: with its values filled in (`at`).
            query: parameters.
            body: what is sent as JSON; None sends no body.
            headers: more headers, such as `idempotency-key`.

        Raises:
            Recoverable: nothing is served yet, or there was no answer in time.
        """
        if self._app is None:
            raise Recoverable("Plan2 is starting.", remedy="Try again in a few seconds.")
        sent = b"" if body is None else msgspec.json.encode(body)
        scope = _scope(session, method, path, urlencode(query or {}), _headers(sent, headers or {}))
        heard = _Heard(sent)
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._app(scope, cast("Receive", heard.receive), cast("Send", heard.send))
        except TimeoutError as error:
            raise Recoverable(
                f"Plan2 did not answer within {self._deadline_s:.0f} s.",
                remedy="Look at the state before you try again: it may have been done.",
            ) from error
        return Answer(heard.status, heard.decoded())


def at(template: str, **values: str) -> str:
    """A path template with its values, each quoted as one segment."""
    return template.format(**{name: quote(value, safe="") for name, value in values.items()})


class _Heard:
    """One exchange: hands the body over, then waits; collects the answer."""

    def __init__(self, sent: bytes) -> None:
        self.status = 500
        self._sent: bytes | None = sent
        self._body = bytearray()

    async def receive(self) -> dict[str, object]:
        """The body once; then nothing more ever comes, and nobody hangs up."""
        if self._sent is None:
            await asyncio.Event().wait()
        sent, self._sent = self._sent, None
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(self, message: Message) -> None:
        """Keep status and body."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self._body += message["body"]

    def decoded(self) -> Any:  # any JSON, see `Answer.data`
        """The body as plain data; None when there is none, or it is no JSON."""
        try:
            return msgspec.json.decode(bytes(self._body)) if self._body else None
        except msgspec.DecodeError:
            return None


def _headers(sent: bytes, more: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    found = {"host": "localhost", **more}
    if sent:
        found |= {"content-type": "application/json", "content-length": str(len(sent))}
    return [(name.lower().encode(), value.encode()) for name, value in found.items()]


def _scope(
    session: Session, method: str, path: str, query: str, headers: list[tuple[bytes, bytes]]
) -> HTTPScope:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "client": None,
        "server": ("localhost", 0),
        "state": {WITHIN: session},
        "extensions": {},
    }
    return cast("HTTPScope", scope)
