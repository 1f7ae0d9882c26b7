"""The server's end of a channel over a WebSocket that Litestar has accepted."""

import contextlib
from typing import Any

from litestar import WebSocket

from plan2.connectivity.channels.channel import (
    MESSAGE_MAX_BYTES,
    ChannelClosed,
    CloseCode,
    short_reason,
)
from plan2.foundation.errors import require

Socket = WebSocket[Any, Any, Any]  # Litestar leaves user, auth and state open


class SocketChannel:
    """A channel over a server's WebSocket."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._end: ChannelClosed | None = None

    async def send(self, message: bytes) -> None:
        """Send one binary message; waits while the peer does not read."""
        require(len(message) <= MESSAGE_MAX_BYTES, f"a message of {len(message)} bytes is too long")
        if self._end is not None:
            raise self._end
        try:
            await self._socket.send({"type": "websocket.send", "bytes": message, "text": None})
        except OSError as error:  # uvicorn's word for a peer that is gone
            raise ChannelClosed(CloseCode.LOST, "the connection broke") from error

    async def receive(self) -> bytes:
        """The next message; a text counts as its UTF-8."""
        if self._end is not None:
            raise self._end
        event = await self._socket.receive()
        if event["type"] == "websocket.receive":
            return event.get("bytes") or (event.get("text") or "").encode()
        if event["type"] == "websocket.disconnect":
            self._end = ChannelClosed(event["code"], str(event.get("reason") or ""))
            raise self._end
        raise ChannelClosed(CloseCode.PROTOCOL, f"{event['type']} after the handshake")

    async def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Close and say why, unless the peer was faster."""
        if self._end is not None:
            return
        self._end = ChannelClosed(code, reason)
        with contextlib.suppress(OSError, RuntimeError):
            await self._socket.close(code, short_reason(reason))
