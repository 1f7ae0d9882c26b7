"""What watches over an account beside its ticks: its books, orders, kills, and the kill file."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from plan2.foundation.bus import Bus
from plan2.foundation.hub import Component
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.control import Control
from plan2.intelligence.trading.kill_file import KillFile
from plan2.intelligence.trading.kill_watch import KillWatch
from plan2.intelligence.trading.reconcile import Reconciler
from plan2.intelligence.trading.saga import SAGA_EVENTS, SagaBook
from plan2.intelligence.trading.saga_watch import SagaWatch
from plan2.wiring.markets import Market
from plan2.wiring.persevering import Persevering


class Safety:
    """The watches of one account, and the switches that people move.

    Args:
        kill_files: each kills when it appears; the first is the account's own.
        say: tells a person. halt: stops trading, and says why.
    """

    def __init__(
        self,
        account: TradingAccount,
        market: Market,
        kill_files: Sequence[Path],
        say: Callable[[str], None],
        halt: Callable[[str], None],
    ) -> None:
        terminal, clock = market.terminal, market.clock
        self.sagas = SagaBook()
        self.reconciler = Reconciler(account, terminal, clock, since_ns=market.since_ns)
        self._kill_files = tuple(KillFile(path, say) for path in kill_files)
        self.control = Control({market.account_id: account}, clock, self.locks)
        sagas = SagaWatch(self.sagas, self.reconciler, account.management, clock)
        self._books = Persevering(self.reconciler.run, halt, self.reconciler.health)
        self._orders = Persevering(sagas.run, halt, sagas.health)
        self._kills = Persevering(KillWatch(account, terminal, clock).run, halt)

    def listen(self, bus: Bus) -> None:
        """Follow every order."""
        for kind in SAGA_EVENTS:
            bus.subscribe(kind, self.sagas.apply)

    def components(self) -> tuple[Component, ...]:
        """What the hub runs and checks, once the market is there."""
        return (
            Component(
                name="reconcile",
                level=4,
                run=self._books.run,
                check=self._books.check,
                needs=("market",),
            ),
            Component(
                name="orders",
                level=4,
                run=self._orders.run,
                check=self._orders.check,
                needs=("market",),
            ),
            Component(
                name="kills",
                level=4,
                run=self._kills.run,
                check=self._kills.check,
                needs=("market",),
            ),
            Component(name="kill_file", level=4, run=self._watch_files, needs=("market",)),
        )

    def locks(self) -> str:
        """Why nothing may be resumed; empty without a kill file."""
        return next((why for file in self._kill_files if (why := file.locks())), "")

    async def hold(self) -> None:
        """Before the first tick: halt everything when a kill file is there, and say so."""
        for file in self._kill_files:
            await file.hold(self.control)

    async def _watch_files(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for file in self._kill_files:
                tasks.create_task(file.run(self.control))
