"""The limits around real routes: answers, headers, sockets and their messages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from litestar import Litestar, WebSocket, delete, get, post, websocket
from litestar.types import ASGIApp, Receive, Scope, Send

from plan2.connectivity.gateway.problems import RequestRefused, answer_error
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.ratelimit.middleware import Doorway, Turnstile
from unit.interface_fixtures import problem_of
from unit.ratelimit_fixtures import Limits, caller


class Sleeper:
    """A sleep that takes no time, or as long as a test wants."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.gate: asyncio.Event | None = None

    async def __call__(self, seconds: float) -> None:
        """Note how long, and let the test's clock pass."""
        self.slept.append(seconds)
        if self.gate is not None:
            await self.gate.wait()
        else:
            self.limits.wait(seconds)

    limits: Limits


class Gate:
    """A few routes of the table behind the limits and a guard that knows two people."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.sleeper = Sleeper()
        self.sleeper.limits = self.limits
        self.people: dict[str, Session] = {"ann": caller(), "bo": caller("beta", "bo")}
        self.received: list[str] = []
        limiter = self.limits.limiter
        self.app = Litestar(
            [
                get("/api/v1/account")(_nothing),
                post("/api/v1/orders")(_nothing),
                post("/api/v1/commands/kill")(_nothing),
                delete("/api/v1/orders/{order_id:str}")(_nothing),
                post("/signin")(_nothing),
                websocket("/api/v1/stream")(self._stream),
            ],
            middleware=[
                Doorway(limiter).around,
                self._guard,
                Turnstile(limiter, self.sleeper).around,
            ],
            exception_handlers={Exception: answer_error},
            openapi_config=None,
            logging_config=None,
        )

    def client(self, person: str = "", **headers: str) -> httpx.AsyncClient:
        """A caller that shows who it is, or nothing."""
        transport = httpx.ASGITransport(app=self.app, client=("192.0.2.9", 1))
        shown = {"x-who": person} if person else {}
        return httpx.AsyncClient(
            transport=transport, base_url="http://plan2", headers=shown | headers
        )

    def _guard(self, app: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            shown = dict(scope["headers"]).get(b"x-who", b"").decode()
            scope["auth"] = self.people.get(shown)
            if scope["auth"] is None and scope["path"] != "/signin":
                raise RequestRefused(401, "signed_out", "Nobody.")
            await app(scope, receive, send)

        return guarded

    async def _stream(self, socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        async for text in socket.iter_data():
            self.received.append(text)

    @asynccontextmanager
    async def socket(self, person: str) -> AsyncIterator[tuple[asyncio.Queue[Any], list[Any]]]:
        """A WebSocket as the server speaks it: what it receives, what it has sent."""
        incoming: asyncio.Queue[Any] = asyncio.Queue()
        sent: list[Any] = []
        scope = {
            "type": "websocket", "path": "/api/v1/stream", "raw_path": b"/api/v1/stream",
            "query_string": b"", "headers": [(b"x-who", person.encode())], "subprotocols": [],
            "client": ("192.0.2.9", 1), "scheme": "ws", "root_path": "", "server": ("plan2", 80),
            "state": {}, "extensions": {},
        }  # fmt: skip

        async def send(message: Any) -> None:
            sent.append(message)

        incoming.put_nowait({"type": "websocket.connect"})
        task = asyncio.create_task(self.app(scope, incoming.get, send))  # type: ignore[arg-type]
        async with asyncio.timeout(10):
            while not sent:  # noqa: ASYNC110 - the answer to the handshake
                await asyncio.sleep(0)
        try:
            yield incoming, sent
        finally:
            incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
            await asyncio.wait_for(task, 10)


async def _nothing() -> None:
    """A route."""


async def answers(client: httpx.AsyncClient, method: str, path: str, tries: int) -> list[int]:
    """Statuses of some requests, one after the other."""
    return [(await client.request(method, path)).status_code for _ in range(tries)]


async def test_beyond_the_limit_a_problem_says_when_to_come_again() -> None:
    """429 with code, sentence, Retry-After and the limit's figures."""
    gate = Gate()
    gate.sleeper.gate = asyncio.Event()
    gate.sleeper.gate.set()
    async with gate.client("ann") as client:
        assert await answers(client, "GET", "/api/v1/account", 10) == [200] * 10
        refused = await client.get("/api/v1/account")
    problem = problem_of(refused)
    assert (refused.status_code, problem["code"]) == (429, "rate_limited")
    assert "person_reading" in str(problem["detail"])
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit-limit"] == "10"
    assert refused.headers["ratelimit-remaining"] == "0"
    assert refused.headers["ratelimit-reset"] == "1"


async def test_a_refusal_is_answered_at_once() -> None:
    """Nobody waits inside for an answer that is known; time alone lets the caller in again."""
    gate = Gate()
    async with gate.client("ann") as client:
        assert await answers(client, "GET", "/api/v1/account", 14) == [200] * 10 + [429] * 4
        assert gate.sleeper.slept == []
        gate.limits.wait(0.2)
        assert await answers(client, "GET", "/api/v1/account", 2) == [200, 429]


async def test_shedding_is_another_answer_than_a_limit() -> None:
    """503 `shedding`; kill still passes."""
    gate = Gate()
    gate.limits.strain(10_000.0)
    gate.limits.load.permille = dict.fromkeys(gate.limits.load.permille, 0)
    async with gate.client("ann") as client:
        refused = await client.get("/api/v1/account")
        killed = await client.post("/api/v1/commands/kill")
        left = await client.delete("/api/v1/orders/7")
    assert (refused.status_code, problem_of(refused)["code"]) == (503, "shedding")
    assert refused.headers["retry-after"] == "10"
    assert (killed.status_code, left.status_code) == (201, 204)


async def test_kill_passes_in_the_middle_of_a_flood() -> None:
    """With every other limit used up, by the same person from the same address."""
    gate = Gate()
    async with gate.client("ann") as client, gate.client("x", authorization="Bearer x") as stranger:
        gate.sleeper.gate = asyncio.Event()
        gate.sleeper.gate.set()
        await answers(client, "GET", "/api/v1/account", 30)
        await answers(client, "POST", "/api/v1/orders", 30)
        await answers(stranger, "GET", "/api/v1/account", 60)
        assert set(await answers(client, "POST", "/api/v1/commands/kill", 200)) == {201}


async def test_floods_of_wrong_tokens_end_before_the_guard() -> None:
    """50 get 401, then 429 without the guard being asked; the same address's cookies pass."""
    gate = Gate()
    async with gate.client("x", authorization="Bearer wrong") as stranger:
        assert await answers(stranger, "GET", "/api/v1/account", 60) == [401] * 50 + [429] * 10
    async with gate.client("ann") as client:
        assert await answers(client, "GET", "/api/v1/account", 1) == [200]
    async with gate.client("x") as nobody:
        assert await answers(nobody, "GET", "/api/v1/account", 1) == [401]


async def test_sign_in_is_limited_by_address() -> None:
    """20 tries at once; then 429 with the time to wait."""
    gate = Gate()
    async with gate.client() as client:
        assert await answers(client, "POST", "/signin", 21) == [201] * 20 + [429]


async def test_sockets_beyond_the_quota_are_refused_before_the_handshake() -> None:
    """Two are open; the third is closed unaccepted; after one has gone the next is let in."""
    gate = Gate()
    async with gate.socket("ann") as (_, first), gate.socket("ann") as (_, second):
        assert [first[0]["type"], second[0]["type"]] == ["websocket.accept"] * 2
        async with gate.socket("ann") as (_, third):
            assert third == [{"type": "websocket.close", "code": 4429, "reason": "quota_exceeded"}]
        async with gate.socket("bo") as (_, others):
            assert others[0]["type"] == "websocket.accept"
    async with gate.socket("ann") as (_, again):
        assert again[0]["type"] == "websocket.accept"
    assert gate.limits.usage.held() == {}


async def test_messages_are_slowed_down_and_none_is_lost() -> None:
    """300 at once of 100 per second: all arrive, in order, a second later."""
    gate = Gate()
    began_ns = gate.limits.clock.now_ns()
    async with gate.socket("ann") as (incoming, _):
        for number in range(300):
            incoming.put_nowait({"type": "websocket.receive", "text": str(number), "bytes": None})
        async with asyncio.timeout(10):
            while len(gate.received) < 300:  # noqa: ASYNC110
                await asyncio.sleep(0)
    assert gate.received == [str(number) for number in range(300)]
    assert gate.limits.clock.now_ns() - began_ns == pytest.approx(1e9, rel=0.02)
