"""Where terminals on other machines come in: `/api/v1/terminal`, a WebSocket for programs.

The key in the Authorization header is checked before the handshake, and nobody without a good one
gets any further. A key belongs to one account of one tenant; the account's newest link is the live
one. Keys of other tenants than the main one begin with the tenant's id and a dot, so that a guess
is looked up in one tenant's table only.
"""

import asyncio
import enum
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from litestar import WebSocket
from litestar.handlers import WebsocketRouteHandler, websocket

from plan2.connectivity.channels.channel import CloseCode
from plan2.connectivity.gateway.socket_channel import SocketChannel
from plan2.connectivity.identity.terminal_keys import (
    READ_EVERY_S,
    TerminalKey,
    TerminalKeys,
    split_key,
)
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InvariantBroken, StoreBusy
from plan2.foundation.log import logger, speaking_for

KEY_MAX: Final = 128
BEARER: Final = "bearer "

Socket = WebSocket[Any, Any, Any]  # Litestar leaves user, auth and state open


class Refused(enum.IntEnum):
    """Why somebody is not let in, as a status of HTTP."""

    UNKNOWN_KEY = 401
    NOT_NOW = 503


class Visitor(msgspec.Struct, frozen=True):
    """Who holds a good key of an account that is served."""

    tenant_id: str
    key: TerminalKey


class TerminalDoor:
    """Lets the holder of a good key in to the terminal of the key's account.

    Args:
        keys: of the main tenant.
        terminals: its accounts that are traded through a host on another machine.
    """

    def __init__(self, keys: TerminalKeys, terminals: Mapping[str, RemoteTerminal]) -> None:
        self._rings: dict[str, TerminalKeys] = {MAIN_TENANT: keys}
        self._terminals = {(str(MAIN_TENANT), name): one for name, one in terminals.items()}
        self._live: dict[SocketChannel, Visitor] = {}
        self._log = logger("terminal_door")

    def admit(self, tenant_id: str, keys: TerminalKeys, terminal: RemoteTerminal) -> None:
        """Let hosts of another tenant's account in from now on, instead of an earlier one's."""
        self.release(tenant_id)
        self._rings[tenant_id] = keys
        self._terminals[tenant_id, terminal.name] = terminal

    def release(self, tenant_id: str) -> None:
        """Let no host of another tenant in any more; its terminal ends the links there are."""
        if tenant_id == MAIN_TENANT:
            raise InvariantBroken("the main tenant's terminals stay")
        self._rings.pop(tenant_id, None)
        for place in [place for place in self._terminals if place[0] == tenant_id]:
            del self._terminals[place]

    async def find(self, secret: str) -> Visitor | Refused:
        """Who holds this secret; a key of an account that is not served is as good as none."""
        if not secret or len(secret) > KEY_MAX:
            return Refused.UNKNOWN_KEY
        tenant_id, own = split_key(secret)
        ring = self._rings.get(tenant_id)
        if ring is None:
            return Refused.UNKNOWN_KEY
        try:
            key = await ring.find(own)
        except StoreBusy:
            return Refused.NOT_NOW
        if key is None or (tenant_id, key.account_id) not in self._terminals:
            return Refused.UNKNOWN_KEY
        return Visitor(tenant_id, key)

    async def serve(self, visitor: Visitor, channel: SocketChannel) -> None:
        """Serve a host until its link ends or its key is revoked."""
        key = visitor.key
        terminal = self._terminals.get((visitor.tenant_id, key.account_id))
        if terminal is None:  # it was let go between the handshake and now
            await channel.close(CloseCode.REFUSED, "this account is not served any more")
            return
        self._live[channel] = visitor
        with speaking_for(visitor.tenant_id):
            self._log.info("terminal_host_came", key_id=key.key_id, account_id=key.account_id)
            try:
                reason = await terminal.attach(channel)
            finally:
                del self._live[channel]
            self._log.info("terminal_host_left", key_id=key.key_id, reason=reason)
        await channel.close(CloseCode.GOING_AWAY, "the server ends this link")

    async def run(self) -> None:
        """Keep an eye on the keys until cancelled, and end the links of those that were revoked."""
        async with asyncio.TaskGroup() as tasks:
            main = self._rings[MAIN_TENANT]
            tasks.create_task(main.run(lambda: self._end_revoked(MAIN_TENANT, tasks)))
            while True:
                await asyncio.sleep(READ_EVERY_S)
                for tenant_id in {each.tenant_id for each in self._live.values()} - {MAIN_TENANT}:
                    await self._look_at(tenant_id, tasks)

    async def _look_at(self, tenant_id: str, closing: asyncio.TaskGroup) -> None:
        """Read the keys of a tenant that has a link; those that were read last remain in force."""
        ring = self._rings.get(tenant_id)
        try:
            if ring is not None:
                await ring.refresh()
        except StoreBusy:
            return
        self._end_revoked(tenant_id, closing)

    def _end_revoked(self, tenant_id: str, closing: asyncio.TaskGroup) -> None:
        ring = self._rings.get(tenant_id)
        for channel, visitor in self._live.items():
            if visitor.tenant_id != tenant_id:
                continue
            if ring is None or not ring.is_good(visitor.key.key_id):
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
