"""Opens whatever market a run trades on: simulated, replayed, or a broker's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.hub import Component
from plan2.interface.api.terminal_link import TerminalDoor
from plan2.wiring.doorway import Doorway
from plan2.wiring.live import Say, open_live
from plan2.wiring.markets import Gate, Market, ReplayWindow, open_replay, open_simulated
from plan2.wiring.terminal_health import health_of


class OpenedMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A market, and the address it is shown at.

    For a broker's also its terminal, with the door when that is on another machine, or the task
    that keeps it running on this one.
    """

    market: Market
    doorway: Doorway
    remote: RemoteTerminal | None = None
    door: TerminalDoor | None = None
    hosting: asyncio.Task[None] | None = None

    def components(self, halt: Callable[[str], None]) -> tuple[Component, ...]:
        """What the hub runs and checks of a broker's terminal; `halt` stops trading."""
        if self.remote is None:
            return ()

        async def watch() -> None:
            async with asyncio.TaskGroup() as tasks:
                if self.door is not None:
                    tasks.create_task(self.door.run())
                if self.hosting is not None:
                    tasks.create_task(_follow(self.hosting, halt))

        return (Component(name="terminal", level=3, run=watch, check=health_of(self.remote)),)


async def _follow(hosting: asyncio.Task[None], halt: Callable[[str], None]) -> None:
    """Halt trading when the terminal's process is given up: a person has to settle why."""
    await asyncio.wait({hosting})
    error = None if hosting.cancelled() else hosting.exception()
    if error is not None:
        halt(f"the terminal is given up: {error}")
        await asyncio.Event().wait()  # so that health goes on saying how the link is


@asynccontextmanager
async def open_market(
    replay: ReplayWindow | None, settings: Settings, gate: Gate, doorway: Doorway, say: Say
) -> AsyncIterator[OpenedMarket]:
    """The market of a run; a broker's is connected, or known from before, when this yields.

    Raises:
        Plan2Error: it cannot be opened; the message says what a person has to do.
    """
    folder = data_dir(settings)
    if replay is not None:
        yield OpenedMarket(market=open_replay(settings, folder, replay, gate), doorway=doorway)
    elif settings.terminal.kind == "simulated":
        yield OpenedMarket(market=open_simulated(settings, folder, gate), doorway=doorway)
    else:
        async with open_live(settings, folder, doorway.let_in, say) as live:
            door = doorway.door(live.terminal) if live.hosting is None else None
            if door is None and settings.tenant_brokers.enabled:
                door = doorway.door()
            yield OpenedMarket(
                market=live.market,
                doorway=doorway,
                remote=live.terminal,
                door=door,
                hosting=live.hosting,
            )
