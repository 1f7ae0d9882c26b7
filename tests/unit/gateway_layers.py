"""Single layers of the gateway around an application that a test writes by hand."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar.types import ASGIApp

from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.rights import Role

NEVER_NS = (1 << 63) - 1
HEADERS_OF_NOBODY: Mapping[str, str] = {}


def user(name: str = "ann", tenant: str = "main", role: Role = Role.TENANT_ADMIN) -> User:
    """A person whose id is made of the tenant and the name."""
    return User(user_id=f"{tenant}-{name}", name=name, tenant_id=tenant, role=role)


def session(of: User | None = None, via: Via = Via.COOKIE) -> Session:
    """A session without an end."""
    return Session(session_id="s-1", user=of or user(), csrf="c", expires_ns=NEVER_NS, via=via)


class FakeKeys:
    """Keys of programs: what is shown is looked up in a dictionary."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    def find(self, shown: str, address: str) -> Session | None:
        """See the port."""
        return self.sessions.get(shown)

    def is_live(self, key_id: str) -> bool:
        """See the port."""
        return any(each.session_id == key_id for each in self.sessions.values())


class Given(msgspec.Struct):
    """What a caller got."""

    status: int
    headers: dict[str, str]
    body: bytes


class Echo:
    """An application that answers as told, once per request that reaches it."""

    def __init__(self, status: int = 200, body: bytes = b'{"n":1}') -> None:
        self.status = status
        self.body = body
        self.calls: list[bytes] = []
        self.gate: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read the body, wait if told to, answer."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.calls.append(body)
        if self.gate is not None:
            await self.gate.wait()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def scope_of(
    method: str = "POST",
    path: str = "/api/v1/things",
    headers: Mapping[str, str] = HEADERS_OF_NOBODY,
    **more: object,
) -> dict[str, Any]:
    """What routing hands on: a scope with template, state and a caller."""
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "path_template": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "state": {"request_id": "r-1", "correlation_id": "c-1"},
        "auth": session(),
        **more,
    }


async def call(app: ASGIApp, scope: Mapping[str, Any], body: bytes = b"") -> Given:
    """Send one request and collect the answer."""
    given = Given(0, {}, b"")
    pending = [body]

    async def receive() -> Any:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            given.status = message["status"]
            given.headers = {
                name.decode().lower(): value.decode() for name, value in message["headers"]
            }
        else:
            given.body += message["body"]

    await app(dict(scope), receive, send)  # type: ignore[arg-type]  # a scope made by hand
    return given


def at(time_ns: list[int]) -> Callable[[], int]:
    """A clock that shows what the list holds."""
    return lambda: time_ns[0]
