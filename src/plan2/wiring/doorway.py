"""The door for terminals on other machines: open in the product, and alone before it is built.

The first start on a remote account knows neither its money nor its symbols, and everything else is
built from them; so until the terminal has connected, the address serves nothing but this door.
"""

import asyncio
from collections.abc import Awaitable

from litestar import Litestar

from plan2.connectivity.gateway.middleware import GatewaySettings, Perimeter
from plan2.connectivity.gateway.server import run_server
from plan2.connectivity.identity.terminal_keys import PostgresTerminalKeys, TerminalKeys
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Server
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.ids import RandomIds
from plan2.foundation.storage import Database
from plan2.interface.api.terminal_link import TerminalDoor, TerminalLinkRoute
from plan2.wiring.front import gateway_settings


class Doorway:
    """Makes doors; a terminal's door is the same one before and after the product is built."""

    def __init__(self, database: Database, server: Server) -> None:
        self._table = PostgresTerminalKeys(database.uow, MAIN_TENANT)
        self._server = server
        self._door: TerminalDoor | None = None

    def door(self, terminal: RemoteTerminal) -> TerminalDoor:
        """The door to a terminal, for whoever holds a key of its account."""
        if self._door is None:
            keys = TerminalKeys(self._table, LiveClock(), RandomIds())
            self._door = TerminalDoor(keys, {terminal.name: terminal})
        return self._door

    async def let_in(self, terminal: RemoteTerminal, ready: Awaitable[None]) -> None:
        """Serve nothing but the door until the terminal is ready.

        Raises:
            TerminalUnavailable: it was not in time.
            ConfigError: the address cannot be used.
        """
        door = self.door(terminal)
        app = Litestar([*TerminalLinkRoute(door).handlers()], openapi_config=None)
        settings: GatewaySettings = gateway_settings(self._server)
        perimeter = Perimeter(app, settings, RandomIds())
        serving = asyncio.create_task(
            run_server(perimeter, self._server.host, self._server.port, lambda _: None)
        )
        watching = asyncio.create_task(door.run())
        try:
            await ready
        finally:
            serving.cancel()
            watching.cancel()
            results = await asyncio.gather(serving, watching, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
