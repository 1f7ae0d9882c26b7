"""What watches over an account beside its ticks: its books, orders, kills, and the kill file."""

from collections.abc import Callable
from pathlib import Path

from plan2.foundation.bus import Bus
from plan2.foundation.hub import Component
from plan2.intelligence.trading.control import Control
from plan2.intelligence.trading.kill_file import FILE_NAME, KillFile
from plan2.intelligence.trading.kill_watch import KillWatch
from plan2.intelligence.trading.reconcile import Reconciler
from plan2.intelligence.trading.saga import SAGA_EVENTS, SagaBook
from plan2.intelligence.trading.saga_watch import SagaWatch
from plan2.wiring.assembly import Floor
from plan2.wiring.markets import Market


class Safety:
    """The watches of one account, and the switches that people move.

    Args:
        folder: the data folder; a file named KILL in it kills.
        say: tells a person.
    """

    def __init__(
        self, floor: Floor, market: Market, folder: Path, say: Callable[[str], None]
    ) -> None:
        account, terminal, clock = floor.account, market.terminal, market.clock
        self.sagas = SagaBook()
        self.reconciler = Reconciler(account, terminal, clock, since_ns=market.since_ns)
        self.kill_file = KillFile(folder / FILE_NAME, say)
        self.control = Control({market.account_id: account}, clock, self.kill_file.locks)
        self._kill_watch = KillWatch(account, terminal, clock)
        self._saga_watch = SagaWatch(self.sagas, self.reconciler, account.management, clock)

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
                run=self.reconciler.run,
                check=self.reconciler.health,
                needs=("market",),
            ),
            Component(
                name="orders",
                level=4,
                run=self._saga_watch.run,
                check=self._saga_watch.health,
                needs=("market",),
            ),
            Component(name="kills", level=4, run=self._kill_watch.run, needs=("market",)),
            Component(name="kill_file", level=4, run=self._watch_file, needs=("market",)),
        )

    async def _watch_file(self) -> None:
        await self.kill_file.run(self.control)
