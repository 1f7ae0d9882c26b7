"""A market from its warm-up to its end, also when its terminal comes later than everything else."""

import asyncio
from collections.abc import Awaitable, Callable

from plan2.foundation.errors import ConfigError
from plan2.intelligence.warm_state import WarmState
from plan2.wiring.assembly import Floor
from plan2.wiring.markets import Gate, Market
from plan2.wiring.recovery import Say, warm_up
from plan2.wiring.tenant_run import TenantRun
from plan2.wiring.venue import Venue


class MarketRun:
    """Starts the market of a run, and the main tenant's account with it.

    Args:
        market: whose terminal is not started yet. floor: what is warmed up.
        main: the tenant that trades the market's own account. kept: features of an earlier run.
        gate: opened once the books are settled. say: tells a person.
    """

    def __init__(
        self, market: Market, floor: Floor, main: TenantRun, kept: WarmState, gate: Gate, say: Say
    ) -> None:
        self._market = market
        self._floor = floor
        self._main = main
        self._kept = kept
        self._gate = gate
        self._say = say

    async def warm_up(self) -> None:
        """Bring features and models to where the market goes on, if its terminal is there."""
        if self._market.wait_start is None:
            self._say("Warming up the features …")
            await warm_up(self._floor, self._market, self._kept, self._say)

    async def start(self, venue: Venue) -> None:
        """Let ticks in, or leave that to `follow` when the terminal is not there yet."""
        if self._market.wait_start is None:
            await self._begin(venue)

    async def follow(self, venue: Venue) -> None:
        """Start what was not there at first, then wait for the market's end."""
        if self._market.wait_start is not None:
            await self._begin_late(self._market.wait_start, venue)
        if not await self._market.wait_end():
            return
        if self._market.finished is not None:
            self._market.finished.touch()
        self._say(f"The market ended after {self._floor.pipeline.ticks:,} ticks.")
        self._say(f"Decisions digest: {self._floor.keeper.digest}")

    async def stop(self) -> None:
        """Let no tick in any more."""
        self._gate.is_open = False
        await self._market.terminal.stop()

    async def _begin(self, venue: Venue) -> None:
        account = self._main.account
        await self._market.terminal.start(venue)
        await self._main.settle()
        self._say(
            f"Account {self._market.account_id}: {self._main.folded} events, "
            f"{len(account.positions.open)} open positions, trading {account.state.word}"
        )
        self._gate.is_open = True

    async def _begin_late(self, wait_start: Callable[[], Awaitable[None]], venue: Venue) -> None:
        try:
            await wait_start()
        except ConfigError as error:
            self._main.halt(f"the market cannot be started: {error}")
            await asyncio.Event().wait()  # only a person can settle it; the rest goes on
        self._say("The terminal has connected. Warming up the features …")
        await warm_up(self._floor, self._market, self._kept, self._say)
        await self._begin(venue)
