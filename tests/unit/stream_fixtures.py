"""A running server and clients of its stream, over real sockets on this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from plan2.connectivity.gateway.server import run_server
from unit.interface_fixtures import Stage

JSON = "plan2.v1+json"
MSGPACK = "plan2.v1"
PATIENCE_S = 60.0


@contextlib.asynccontextmanager
async def serving(stage: Stage) -> AsyncIterator[str]:
    """The stage's gateway on a free port with its hub running; gives the base URL."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(run_server(stage.app, "127.0.0.1", 0, ready.set_result))
    hub = asyncio.create_task(stage.hub.run())
    try:
        await asyncio.wait({server, ready}, return_when=asyncio.FIRST_COMPLETED)
        yield await ready
    finally:
        hub.cancel()
        server.cancel()
        await asyncio.gather(hub, server, return_exceptions=True)


class Screen:
    """A client of the stream that keeps what it is sent."""

    def __init__(self, socket: ClientConnection, subprotocol: str) -> None:
        self.socket = socket
        self._is_text = subprotocol == JSON
        self._requests = 0
        self.hello: list[Any] = []

    async def send(self, kind: int, body: object, channel: int = 0, seq: int = 0) -> None:
        """One frame."""
        frame = [kind, channel, seq, 1, body]
        if self._is_text:
            await self.socket.send(msgspec.json.encode(frame).decode())
        else:
            await self.socket.send(msgspec.msgpack.encode(frame))

    async def ask(self, kind: int, body: object, channel: int = 0) -> list[Any]:
        """A request, and the reply or error to it; other frames that come first are lost."""
        self._requests += 1
        await self.send(kind, body, channel, self._requests)
        return await self.wait_for(lambda f: f[0] in {5, 6} and f[2] == self._requests)

    async def subscribe(self, channel: str, **extra: object) -> list[Any]:
        """Follow a channel; the reply."""
        return await self.ask(65, {"channel": channel, "params": {}, **extra})

    async def receive(self) -> list[Any]:
        """The next frame."""
        message = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        decode = msgspec.json.decode if isinstance(message, str) else msgspec.msgpack.decode
        frame: list[Any] = decode(message)
        return frame

    async def wait_for(self, fits: Any) -> list[Any]:
        """The next frame that fits."""
        while True:
            frame = await self.receive()
            if fits(frame):
                return frame

    async def next_of(self, channel: int, *kinds: int) -> list[Any]:
        """The next frame of a channel and kind."""
        return await self.wait_for(lambda f: f[1] == channel and f[0] in kinds)


@contextlib.asynccontextmanager
async def screen(
    url: str, cookie: str, subprotocol: str = JSON, origin: str | None = None, **options: Any
) -> AsyncIterator[Screen]:
    """A connected, greeted client."""
    address = url.replace("http://", "ws://") + "/api/v1/stream"
    async with connect(
        address,
        origin=origin or url,  # type: ignore[arg-type]  # a plain str is an Origin
        subprotocols=[Subprotocol(subprotocol)],
        additional_headers={"cookie": f"p2_session={cookie}"},
        compression=None,
        **options,
    ) as socket:
        client = Screen(socket, subprotocol)
        client.hello = await client.receive()
        yield client
