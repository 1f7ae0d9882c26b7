"""Where terminals on other machines come in: `/api/v1/terminal`, a WebSocket for programs.

The key in the Authorization header is checked before the handshake, and nobody without a good one
gets any further. A key belongs to one account; the account's newest link is the live one.
"""

import asyncio
import enum
from collections.abc import Mapping
from typing import Any, Final, cast

from litestar import WebSocket
from litestar.handlers import WebsocketRouteHandler, websocket

from plan2.connectivity.channels.channel import CloseCode
from plan2.connectivity.gateway.socket_channel import SocketChannel
from plan2.connectivity.identity.terminal_keys import TerminalKey, TerminalKeys
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.errors import StoreBusy
from plan2.foundation.log import logger

KEY_MAX: Final = 128
BEARER: Final = "bearer "

Socket = WebSocket[Any, Any, Any]  # Litestar leaves user, auth and state open


class Refused(enum.IntEnum):
    """Why somebody is not let in, as a status of HTTP."""

    UNKNOWN_KEY = 401
    NOT_NOW = 503


class TerminalDoor:
    """Lets the holder of a good key in to the terminal of the key's account.

    Args:
        keys: of the tenant.
        terminals: the accounts that are traded through a host on another machine.
    """

    def __init__(self, keys: TerminalKeys, terminals: Mapping[str, RemoteTerminal]) -> None:
        self._keys = keys
        self._terminals = terminals
        self._live: dict[SocketChannel, TerminalKey] = {}
        self._log = logger("terminal_door")

    async def find(self, secret: str) -> TerminalKey | Refused:
        """Who holds this secret; a key of an account that is not served is as good as none."""
        if not secret or len(secret) > KEY_MAX:
            return Refused.UNKNOWN_KEY
        try:
            key = await self._keys.find(secret)
        except StoreBusy:
            return Refused.NOT_NOW
        return key if key is not None and key.account_id in self._terminals else Refused.UNKNOWN_KEY

    async def serve(self, key: TerminalKey, channel: SocketChannel) -> None:
        """Serve a host until its link ends or its key is revoked."""
        self._live[channel] = key
        self._log.info("terminal_host_came", key_id=key.key_id, account_id=key.account_id)
        try:
            reason = await self._terminals[key.account_id].attach(channel)
        finally:
            del self._live[channel]
        self._log.info("terminal_host_left", key_id=key.key_id, reason=reason)
        await channel.close(CloseCode.GOING_AWAY, "the server ends this link")

    async def run(self) -> None:
        """Keep an eye on the keys until cancelled, and end the links of those that were revoked."""
        async with asyncio.TaskGroup() as closing:
            await self._keys.run(lambda: self._end_revoked(closing))

    def _end_revoked(self, closing: asyncio.TaskGroup) -> None:
        for channel, key in self._live.items():
            if not self._keys.is_good(key.key_id):
                closing.create_task(channel.close(CloseCode.REFUSED, "the key was revoked"))


class TerminalLinkRoute:
    """`/api/v1/terminal`; without a door it is closed to everybody."""

    def __init__(self, door: TerminalDoor | None) -> None:
        self._door = door

    def handlers(self) -> list[WebsocketRouteHandler]:
        """The one route."""
        return [websocket("/api/v1/terminal")(self.link)]

    async def link(self, socket: Socket) -> None:
        """Serve one host, if its key is good."""
        door = self._door
        if door is None:
            await _refuse(socket, Refused.UNKNOWN_KEY)
            return
        found = await door.find(_bearer(socket))
        if isinstance(found, Refused):
            await _refuse(socket, found)
            return
        await socket.accept()
        await door.serve(found, SocketChannel(socket))


def _bearer(socket: Socket) -> str:
    shown = socket.headers.get("authorization", "")
    return shown[len(BEARER) :].strip() if shown[: len(BEARER)].lower() == BEARER else ""


async def _refuse(socket: Socket, refused: Refused) -> None:
    """Answer the handshake with an error of HTTP; a server that cannot do that answers 403."""
    await socket.receive()
    if "websocket.http.response" not in (socket.scope.get("extensions") or {}):
        await socket.close(CloseCode.REFUSED)
        return
    headers = [(b"cache-control", b"no-store"), (b"www-authenticate", b"Bearer")]
    start = {"type": "websocket.http.response.start", "status": refused, "headers": headers}
    body = {"type": "websocket.http.response.body", "body": b"", "more_body": False}
    for event in (start, body):
        await socket.send(cast("Any", event))  # Litestar's types do not know this extension
