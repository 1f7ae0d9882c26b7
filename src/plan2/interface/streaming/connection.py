"""A WebSocket connection of the stream: two loops around a `Client`, and an orderly end.

Host and Origin were checked by the perimeter. A missing or dead session is told by close code 4401
after the handshake, because a browser cannot see why a handshake failed; nothing else is sent.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from litestar import WebSocket
from litestar.handlers import WebsocketRouteHandler, websocket

from plan2.connectivity.gateway.guard import BARRED
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.right_table import CHANNELS, may_subscribe
from plan2.connectivity.identity.rights import Role
from plan2.interface.streaming.client import Client
from plan2.interface.streaming.hub import StreamHub
from plan2.interface.streaming.protocol import Close, Codec, codecs
from plan2.interface.streaming.requests import Requests

CLOSE_TIMEOUT_S: Final = 1.0
SENDS_BEFORE_YIELD: Final = 4
"""A socket whose peer has left takes writes until the loop has had a turn, and asyncio complains
of each after the fifth; a socket that never blocks would keep the loop for a whole replay."""

Hubs = Callable[[Session], StreamHub | None]
"""The stream of a caller's tenant; None while it is being opened."""

Socket = WebSocket[Any, Any, Any]  # Litestar leaves user, auth and state open


class StreamRoute:
    """`/api/v1/stream`."""

    def __init__(self, hubs: Hubs) -> None:
        self._hubs = hubs
        self._codecs = codecs()

    def handlers(self) -> list[WebsocketRouteHandler]:
        """The one route."""
        return [websocket("/api/v1/stream")(self.stream)]

    async def stream(self, socket: Socket) -> None:
        """Serve one client until either side ends it."""
        offered = socket.scope["subprotocols"]
        codec = next((self._codecs[name] for name in self._codecs if name in offered), None)
        await socket.accept(subprotocols=codec.subprotocol if codec else None)
        session: Session | None = socket.scope["auth"]
        hub = self._hubs(session) if session is not None else None
        is_barred = bool(socket.scope.get("state", {}).get(BARRED))
        refusal = Close.FORBIDDEN if is_barred else _refusal(session, codec, hub)
        if session is None or codec is None or hub is None or refusal is not None:
            await socket.close(code=refusal or Close.PROTOCOL)
            return
        client = hub.join(session, codec)
        try:
            await self._serve(socket, hub, client)
        finally:
            hub.leave(client)
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._end(socket, hub, client), CLOSE_TIMEOUT_S)

    async def _serve(self, socket: Socket, hub: StreamHub, client: Client) -> None:
        requests = Requests(hub, client)
        requests.greet()
        tasks = [
            asyncio.create_task(self._receive(socket, requests)),
            asyncio.create_task(self._send(socket, hub, client)),
            asyncio.create_task(client.closing.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError):
                raise result

    async def _receive(self, socket: Socket, requests: Requests) -> None:
        while True:
            message = await socket.receive()
            if message["type"] != "websocket.receive":
                return
            text = message.get("text")
            requests.take_in(message.get("bytes") or (text or "").encode())

    async def _send(self, socket: Socket, hub: StreamHub, client: Client) -> None:
        """Send what the client is due; a peer that is gone shows as an OSError."""
        is_text = client.codec.is_text
        count = 0
        while True:
            message = client.next_message(hub)
            if message is None:
                client.ready.clear()
                await client.ready.wait()
                continue
            await _send_one(socket, message, is_text=is_text)
            count += 1
            if count % SENDS_BEFORE_YIELD == 0:
                await asyncio.sleep(0)

    async def _end(self, socket: Socket, hub: StreamHub, client: Client) -> None:
        """Send the last control frames and the close code, if it is us who ends."""
        if client.close_code is None:
            return
        client.leave()
        while (message := client.next_message(hub)) is not None:
            await _send_one(socket, message, is_text=client.codec.is_text)
        await socket.close(code=client.close_code)


async def _send_one(socket: Socket, message: bytes, *, is_text: bool) -> None:
    if is_text:
        await socket.send({"type": "websocket.send", "bytes": None, "text": message.decode()})
    else:
        await socket.send({"type": "websocket.send", "bytes": message, "text": None})


def _refusal(session: Session | None, codec: Codec | None, hub: StreamHub | None) -> Close | None:
    """Why a socket is closed right after its handshake; None when it may stay."""
    if session is None:
        return Close.SIGNED_OUT
    if hub is None:
        return Close.RESTART
    if session.user.tenant_id != hub.info.tenant_id or not _may_follow_any(session.user.role):
        return Close.FORBIDDEN
    return Close.VERSION if codec is None else None


def _may_follow_any(role: Role) -> bool:
    return any(may_subscribe(role, name) for name in CHANNELS)
