"""The door for terminals on other machines: open before the product is built, and part of it after.

The first start on a remote account knows neither its money nor its symbols, and any start wants its
history; so the address is served from the beginning, with nothing but this door, and the product
takes its place without a link being lost.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send

from plan2.connectivity.gateway.middleware import Perimeter
from plan2.connectivity.gateway.server import run_server
from plan2.connectivity.gateway.tls import TlsFiles, server_context
from plan2.connectivity.identity.terminal_keys import PostgresTerminalKeys, TerminalKeys
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Server
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import ConfigError
from plan2.foundation.ids import RandomIds
from plan2.foundation.storage import Database
from plan2.interface.api.terminal_link import TerminalDoor, TerminalLinkRoute
from plan2.wiring.front import gateway_settings


def tls_files_of(server: Server) -> TlsFiles | None:
    """The certificate that is configured, or None for plain http.

    Raises:
        ConfigError: a certificate without its key, or the other way round; none where other
            machines would come in plain.
    """
    if not server.tls_cert and not server.tls_key:
        _check_plain(server)
        return None
    if not server.tls_cert or not server.tls_key:
        raise ConfigError("server.tls_cert and server.tls_key belong together: set both or none.")
    certificate, key = (Path(name).expanduser() for name in (server.tls_cert, server.tls_key))
    return TlsFiles(certificate=certificate, key=key, minimum=server.tls_min)


def _check_plain(server: Server) -> None:
    """Passwords and sessions never cross a network in the clear by mistake."""
    if _is_here(server.host) or server.trusted_proxies:
        return
    raise ConfigError(
        f"server.host = {server.host!r} is open to other machines, and there is no TLS.",
        remedy="Set server.tls_cert and server.tls_key; or name the proxy that does TLS in "
        "server.trusted_proxies; or use 127.0.0.1.",
    )


def _is_here(host: str) -> bool:
    """Whether only this machine reaches an address; a name other than localhost is not trusted."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class _Shown:
    """An application that may be changed for another one while it is served."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class _Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What is served, where, and the tasks that serve it and watch the door's keys."""

    shown: _Shown
    url: str
    serving: asyncio.Task[None]
    keys: asyncio.Task[None]


class Doorway:
    """The address of one run, and the door in it, which is the same one all the time."""

    def __init__(self, database: Database, server: Server) -> None:
        self._table = PostgresTerminalKeys(database.uow, MAIN_TENANT)
        self._server = server
        self._files = tls_files_of(server)
        self._tls = server_context(self._files) if self._files is not None else None
        self._door: TerminalDoor | None = None
        self._opened: _Opened | None = None

    def door(self, terminal: RemoteTerminal | None = None) -> TerminalDoor:
        """The door, for whoever holds a key; `terminal` is the main account's, if it is remote."""
        if self._door is None:
            keys = TerminalKeys(self._table, LiveClock(), RandomIds())
            terminals = {} if terminal is None else {terminal.name: terminal}
            self._door = TerminalDoor(keys, terminals)
        return self._door

    def certificate(self) -> str:
        """Our own certificate as PEM; empty without TLS."""
        return self._files.leaf() if self._files is not None else ""

    @asynccontextmanager
    async def let_in(self, terminal: RemoteTerminal) -> AsyncIterator[None]:
        """Serve the door, and what `serve` is given, as long as the context is open.

        Raises:
            ConfigError: the address cannot be used.
        """
        door = self.door(terminal)
        shown = _Shown(self._entry(door))
        url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        host, port = self._server.host, self._server.port
        proxies = self._server.trusted_proxies
        serving = asyncio.create_task(
            run_server(shown, host, port, url.set_result, self._tls, proxies)
        )
        watching = asyncio.create_task(door.run())
        try:
            ends: list[asyncio.Future[Any]] = [serving, url]  # they end differently
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                await serving
            self._opened = _Opened(shown=shown, url=url.result(), serving=serving, keys=watching)
            yield
        finally:
            self._opened = None
            serving.cancel()
            watching.cancel()
            await asyncio.gather(serving, watching, return_exceptions=True)

    async def serve(self, app: ASGIApp, on_ready: Callable[[str], None]) -> None:
        """Serve the product until cancelled; it has to see to the door's keys from now on.

        Raises:
            ConfigError: the address cannot be used.
        """
        opened = self._opened
        if opened is None:
            where, proxies = (self._server.host, self._server.port), self._server.trusted_proxies
            await run_server(app, *where, on_ready, self._tls, proxies)
            return
        opened.keys.cancel()
        entry, opened.shown.app = opened.shown.app, app
        try:
            on_ready(opened.url)
            await asyncio.shield(opened.serving)
        finally:
            opened.shown.app = entry

    def _entry(self, door: TerminalDoor) -> ASGIApp:
        """An application that is nothing but the door."""
        app = Litestar([*TerminalLinkRoute(door).handlers()], openapi_config=None)
        return Perimeter(app, gateway_settings(self._server), RandomIds())
