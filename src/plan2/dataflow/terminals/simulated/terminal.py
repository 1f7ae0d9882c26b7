"""The simulated terminal: a replayed market and a paper account behind the terminal port.

Each tick goes to the broker first, then to the listener; so the listener hears of a deal before the
tick that caused it. The clock is market time: it moves with the ticks and stands still between
them, while paused, and while the process is off. `history` never shows a tick that is yet to come.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from plan2.dataflow.replay import Pacing, Player
from plan2.dataflow.sources import TickSource
from plan2.dataflow.terminals.port import TerminalListener
from plan2.dataflow.terminals.simulated.account_file import AccountFile
from plan2.dataflow.terminals.simulated.broker import PaperBroker
from plan2.dataflow.terminals.simulated.paper import PaperAccountSide
from plan2.dataflow.tick_merge import join_ticks
from plan2.foundation.clock import SimulatedClock, stopwatch_ns
from plan2.foundation.errors import require
from plan2.foundation.values import NS_PER_SECOND, Tick, TickBlock

NOTE_EVERY_NS = NS_PER_SECOND
"""Real time between two notes of the market's place: what a kill makes the market repeat."""
NOTE_TICKS = 16
"""Ticks between two looks at the real time."""


@dataclass(frozen=True, slots=True)
class MarketReplay:
    """What the terminal plays: a source from `start_ns` on, at a pace, moving a clock.

    `gate` is false while somebody downstream is behind; then nothing is played.
    """

    source: TickSource
    start_ns: int
    clock: SimulatedClock
    pacing: Pacing = field(default_factory=Pacing)
    gate: Callable[[], bool] = lambda: True


class SimulatedTerminal(PaperAccountSide):
    """One paper account on one market; a terminal plays once.

    Args:
        name: of the terminal. market: what is played. broker: the account.
        file: the broker's account file, None when nothing is kept; closed by `stop`.
    """

    def __init__(
        self, name: str, market: MarketReplay, broker: PaperBroker, file: AccountFile | None = None
    ) -> None:
        super().__init__(name, market.clock, broker)
        self.clock = market.clock
        self.player = Player(market.source, market.clock, market.pacing, market.gate)
        self._source = market.source
        self._start_ns = market.start_ns
        self._file = file
        self._task: asyncio.Task[None] | None = None
        self._unnoted_ticks = 0
        self._noted_at_ns = 0
        self.clock.advance_to(max(market.start_ns, self.clock.now_ns()))

    @property
    def market(self) -> str:
        """Which market is played, as its account files name it."""
        return self._source.identity

    async def start(self, listener: TerminalListener) -> None:
        """Begin to play to `listener`; the first tick comes when the loop has its turn."""
        require(self._task is None, f"terminal {self.name} was started before")
        self._noted_at_ns = stopwatch_ns()
        self._link.connect(listener)
        self._task = asyncio.create_task(self.player.run(self._deliver(), self._start_ns))

    async def stop(self) -> None:
        """Stop playing, note the market's place, close the account file; harmless when repeated."""
        self.player.stop()
        self._link.close()
        if self._task is not None:
            await asyncio.wait({self._task})
        if self._file is not None:
            self._note_place(self._file)
            self._file.close()
            self._file = None

    async def wait(self) -> None:
        """Until the market ends or `stop`; raises what the listener or the source raised."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock:
        """Ticks with start ≤ time < end that lie before the market's present; may be empty."""
        parts = []
        for part in self._source.history(symbol, start_ts_ns, min(end_ts_ns, self.clock.now_ns())):
            parts.append(part)
            await asyncio.sleep(0)
        return join_ticks(symbol, parts)

    def _deliver(self) -> Callable[[Tick], None]:
        """The path of a tick: broker, listener, now and then a note of the place."""
        at_broker, at_listener = self._broker.on_tick, self._link.on_tick
        file = self._file

        def deliver(tick: Tick) -> None:
            at_broker(tick)
            at_listener(tick)
            if file is not None:
                self._unnoted_ticks += 1
                if self._unnoted_ticks >= NOTE_TICKS:
                    self._note_place_when_due(file)

        return deliver

    def _note_place_when_due(self, file: AccountFile) -> None:
        self._unnoted_ticks = 0
        now_ns = stopwatch_ns()
        if now_ns - self._noted_at_ns >= NOTE_EVERY_NS:
            self._noted_at_ns = now_ns
            self._note_place(file)

    def _note_place(self, file: AccountFile) -> None:
        """The restart begins with the ticks of this very instant, some of which may be unheard."""
        ts_ns = self.clock.now_ns()
        file.note_place(ts_ns, self._source.state(ts_ns))
