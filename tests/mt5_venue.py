"""The MetaTrader 5 engine under the terminal contract: over the twin, polled by hand.

The terminal here is the thinnest that can stand around a host engine: it calls on the caller's
thread and polls only while a test waits.
"""

from collections.abc import Callable
from typing import cast

from plan2.dataflow.terminals.mt5.engine import Mt5Engine
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    LinkChange,
    LinkState,
    TerminalListener,
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.dataflow.terminals.twin.module import build
from plan2.dataflow.terminals.twin.opening import open_world
from plan2.dataflow.terminals.twin.options import TwinAccount, TwinOptions
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, Side, TickBlock
from simulated_world import TUESDAY_NS
from terminal_venue import SYMBOLS, Venue, recorded_source

STEP_NS = 5_000 * NS_PER_MS
STEPS_MAX = 30_000
LOOK_MS = 10_000


class PolledTerminal:
    """A terminal around a host engine that is polled by whoever moves the clock."""

    def __init__(self, engine: Mt5Engine, clock: SimulatedClock) -> None:
        self.name = "mt5"
        self._engine = engine
        self._clock = clock
        self._listener: TerminalListener | None = None
        self._link = LinkState.DOWN
        self._heard_ns = 0

    async def start(self, listener: TerminalListener) -> None:
        """Connect and say so."""
        self._listener = listener
        self.connect()

    async def stop(self) -> None:
        """Disconnect."""
        self._listener = None
        self._engine.close()

    def connect(self) -> None:
        """What a host does first and after a break."""
        self._engine.connect()
        self._say(LinkChange(state=LinkState.UP, reason="connected", ts_ns=self._clock.now_ns()))

    def step(self) -> None:
        """Poll and pass on, updates before ticks."""
        polled = self._engine.poll()
        if self._listener is None:
            return
        if polled.link is not None:
            self._say(polled.link)
        for update in polled.updates:
            self._listener.on_order_update(update)
        for tick in polled.ticks:
            self._heard_ns = tick.ts_ns
            self._listener.on_tick(tick)

    def instruments(self) -> dict[str, Instrument]:
        """As the engine has them."""
        return self._engine.instruments() or {}

    async def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock:
        """As the engine has it, up to what was heard."""
        block = self._engine.history(symbol, start_ts_ns, min(end_ts_ns, self._heard_ns))
        if block is None:
            raise TerminalUnavailable("no history")
        return block

    def submit(self, order: ApprovedOrder) -> None:
        """Hand over at once; a terminal whose link is not UP takes nothing."""
        if self._link is not LinkState.UP or self._listener is None:
            raise TerminalUnavailable(f"not connected: order {order.order_id} was not sent")
        for update in self._engine.submit(order):
            self._listener.on_order_update(update)

    async def account(self) -> AccountState | None:
        """As the engine has it."""
        return self._engine.account()

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """As the engine has them."""
        return self._engine.positions()

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """As the engine has them."""
        return self._engine.deals(since_ts_ns)

    async def orders(self) -> tuple[TerminalOrder, ...] | None:
        """As the engine has them."""
        return self._engine.orders()

    async def trace(self, token: str) -> Trace | None:
        """As the engine has it."""
        return self._engine.trace(token)

    def _say(self, change: LinkChange) -> None:
        self._link = change.state
        if self._listener is not None:
            self._listener.on_link(change)


class Mt5Venue(Venue):
    """The engine over the twin; market time moves in steps of five seconds."""

    has_person = True
    can_break = True

    def __init__(self, is_hedging: bool) -> None:
        self.clock = SimulatedClock(TUESDAY_NS)
        twin = TwinOptions(
            symbols=SYMBOLS, suffix="m", accounts=(TwinAccount(is_hedging=is_hedging),)
        )
        self.world = open_world(twin, self.clock, source=recorded_source())
        options = Mt5Options(
            symbols=SYMBOLS, may_guess_terminal=True, account_poll_ms=LOOK_MS, settle_s=2.0
        )
        engine = Mt5Engine(cast(Mt5Module, build(self.world)), options, self.clock)
        self._polled = PolledTerminal(engine, self.clock)
        super().__init__(self._polled)

    async def until(self, is_done: Callable[[], bool]) -> None:
        """Step until the condition holds."""
        for _ in range(STEPS_MAX):
            self.clock.advance_to(self.clock.now_ns() + STEP_NS)
            self._polled.step()
            if is_done():
                return
        raise AssertionError("what the test waits for never came")

    def now_ns(self) -> int:
        """Market time."""
        return self.clock.now_ns()

    def person_opens(self, symbol: str, side: Side, lots: float) -> None:
        """A person buys or sells at the terminal."""
        self.world.person.opens(f"{symbol}m", side, lots)

    def person_closes(self, position: TerminalPosition) -> None:
        """A person closes a position at the terminal; its ticket is its identifier here."""
        self.world.person.closes(int(position.ticket))

    def cut(self, state: LinkState) -> None:
        """The pipe breaks, or somebody presses the AutoTrading button."""
        if state is LinkState.DOWN:
            self.world.break_pipe()
        else:
            self.world.terminal.has_autotrading = False
        self._look()

    def mend(self) -> None:
        """The host connects again, or the button is pressed once more."""
        self.world.terminal.has_autotrading = True
        if self.links[-1].state is LinkState.DOWN:
            self._polled.connect()
        self._look()

    def _look(self) -> None:
        """Let the engine look at the account."""
        self.clock.advance_to(self.clock.now_ns() + LOOK_MS * NS_PER_MS)
        self._polled.step()
