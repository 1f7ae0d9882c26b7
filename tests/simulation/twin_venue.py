"""The order path over the module-shaped twin: the engine of a MetaTrader host, polled each turn.

The twin's trade server outlives a crash of ours, its terminal too; the engine dies with the process
and finds again what it noted in its state file, as a host on the same machine does.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
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
    OrderUpdate,
    TerminalListener,
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.dataflow.terminals.simulated.book import Book, deal_number
from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.requests import BrokerAnswer, BrokerRequest
from plan2.dataflow.terminals.twin.faults import SeededFaults, TwinFaults
from plan2.dataflow.terminals.twin.manual import ManualSource
from plan2.dataflow.terminals.twin.module import build
from plan2.dataflow.terminals.twin.opening import open_world
from plan2.dataflow.terminals.twin.options import TwinAccount, TwinOptions
from plan2.dataflow.terminals.twin.records import Visibility, desk_ticket
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.clock import Clock
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.values import NS_PER_SECOND, Tick
from plan2.intelligence.trading.reconcile import Reconciler
from simulation.process import Parts
from simulation.world import SYMBOLS, TUESDAY_NS, World

SETTLE_S = 2.0
PIPE_BREAK_SHARE = 0.02
"""Of a run's chance of lost requests: a turn has dozens of calls, each of which may break."""


def engine_on(world: TwinWorld, clock: Clock, state_path: str = "") -> Mt5Engine:
    """A host's engine in front of the twin."""
    options = Mt5Options(
        symbols=SYMBOLS,
        may_guess_terminal=True,
        account_poll_ms=0,
        settle_s=SETTLE_S,
        state_path=state_path,
    )
    return Mt5Engine(cast(Mt5Module, build(world)), options, clock)


class TwinBroker:
    """The twin's trade server, as invariants and wishes speak of a broker.

    Attributes:
        _arrivals: orders on their way; there are none, as `order_send` waits for the answer.
    """

    _arrivals = ()

    def __init__(self, world: TwinWorld, clock: Clock) -> None:
        self._world = world
        self._clock = clock

    @property
    def _book(self) -> Book:
        return self._world.desk.book

    @property
    def desk(self) -> Desk:
        """Of the account."""
        return self._world.desk

    def on_tick(self, _tick: Tick) -> None:
        """The market moves on; quotes come from its source."""
        self._world.advance()

    def positions(self) -> tuple[TerminalPosition, ...]:
        """As another client sees them whom no misfortune meets."""
        with self._undisturbed() as engine:
            found = engine.positions()
        assert found is not None
        return found

    def orders(self) -> tuple[TerminalOrder, ...]:
        """As `positions`."""
        with self._undisturbed() as engine:
            found = engine.orders()
        assert found is not None
        return found

    def account(self) -> AccountState:
        """As `positions`."""
        with self._undisturbed() as engine:
            found = engine.account()
        assert found is not None
        return found

    def trade_manually(self, request: BrokerRequest) -> BrokerAnswer:
        """What a person does at the terminal."""
        world, ticket = self._world, request.position_ticket
        world.advance()
        if ticket:
            held = world.desk.book.by_ticket(desk_ticket(int(ticket)))
            assert held is not None
            request = BrokerRequest(
                kind=request.kind,
                symbol=request.symbol,
                side=request.side,
                quantity=request.quantity,
                position_ticket=held.identifier,
                reason=request.reason,
            )
        tick = world.quotes.last(request.symbol)
        assert tick is not None
        return world.desk.execute(request, tick, world.now_ns())

    @contextmanager
    def _undisturbed(self) -> Iterator[Mt5Engine]:
        world = self._world
        kept = world.faults, world.visibility, world._last_shown
        world.faults, world.visibility = TwinFaults(SeededFaults()), Visibility()
        engine = engine_on(world, self._clock)
        try:
            engine.connect()
            world._last_shown = None
            yield engine
        finally:
            world.faults, world.visibility, world._last_shown = kept


class TwinVenue(World):
    """A world whose broker is the twin; quotes go into its source."""

    def _open_broker(self) -> TwinBroker:
        self.mode = "demo"
        self.source = ManualSource(SYMBOLS)
        for symbol, price in (("EURUSD", 1.1), ("GBPUSD", 1.27)):
            before_ns = TUESDAY_NS - NS_PER_SECOND
            self.source.quote(symbol, before_ns, price, round(price + 0.0001, 5))
        chances = self.faults
        faults = SeededFaults(
            seed=self.seed,
            lost_request=chances.lost_order,
            lost_reply=chances.lost_reply,
            rejected=chances.rejected,
            bare=chances.late_reply,
            partial=chances.partial_fill,
            pipe_break=chances.lost_order * PIPE_BREAK_SHARE,
        )
        options = TwinOptions(
            symbols=SYMBOLS,
            accounts=(TwinAccount(is_hedging=self.is_hedging),),
            faults=faults,
            deals_delay_ms=int(chances.late_history * 10_000),
            orders_delay_ms=int(chances.late_history * 5_000),
            positions_delay_ms=int(chances.delay * 1_000),
        )
        self.twin = open_world(options, self.clock, source=self.source)
        return TwinBroker(self.twin, self.clock)

    def reversals(self) -> int:
        """Deals that turned a position round, as only a netting account has them."""
        rows = Counter(deal_number(deal) for deal in self.twin.desk.book.deals)
        return sum(count > 1 for count in rows.values())

    def calm(self) -> None:
        """No more misfortunes of pipe, terminal and trade server."""
        self.twin.faults = TwinFaults(SeededFaults())

    def next_ticks(self, gap_ms: int) -> list[Tick]:
        """As ever, and the trade server quotes them."""
        ticks = super().next_ticks(gap_ms)
        for tick in ticks:
            self.source.quote(tick.symbol, tick.ts_ns, tick.bid, tick.ask)
        return ticks


class TwinTerminal:
    """What stands around the engine in one life of the process; it is its own link.

    What the engine says while an order is handed over is heard at the next poll, as from a host.
    """

    name = "mt5"

    def __init__(self, world: TwinVenue, state_path: str) -> None:
        self.world, self.clock, self.link = world, world.clock, self
        self.state = LinkState.DOWN
        self._engine = engine_on(world.twin, world.clock, state_path)
        self._listener: TerminalListener | None = None
        self._heard: list[OrderUpdate] = []
        self._is_cut = False

    def connect(self, listener: TerminalListener) -> None:
        """Attach a listener, and the terminal if it can be had now; nobody leaves it barred."""
        self._listener = listener
        self.world.twin.terminal.has_autotrading = True
        self._attach()

    def abandon(self) -> None:
        """The process died, and the engine with it."""
        self._listener = None

    def poll(self) -> None:
        """Hear what is new; after a break, connect again."""
        heard, self._heard = self._heard, []
        self._tell(heard)
        if self.state is LinkState.DOWN and not self._is_cut:
            self._attach()
        polled = self._engine.poll()
        if polled.link is not None:
            self._say(polled.link)
        self._tell(polled.updates)

    def submit(self, order: ApprovedOrder) -> None:
        """Send an order; a crash may come before or after."""
        plan = self.world.plan
        plan.pass_by("submit_before")
        if self.state is not LinkState.UP:
            raise TerminalUnavailable("not connected")
        self.world.on_submit(order)
        self._heard += self._engine.submit(order)
        plan.pass_by("submit_after")

    def cut(self, state: LinkState, _reason: str) -> None:
        """The pipe breaks for a while, or somebody presses the AutoTrading button."""
        self._is_cut = state is LinkState.DOWN
        if self._is_cut:
            self.world.twin.break_pipe()
        else:
            self.world.twin.terminal.has_autotrading = False

    def restore(self) -> None:
        """The terminal can be had again; the next poll connects."""
        self._is_cut = False
        self.world.twin.terminal.has_autotrading = True

    async def account(self) -> AccountState | None:
        """See `OrderSide`."""
        return self._engine.account() if self._is_askable else None

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """See `OrderSide`."""
        return self._engine.positions() if self._is_askable else None

    async def orders(self) -> tuple[TerminalOrder, ...] | None:
        """See `OrderSide`."""
        return self._engine.orders() if self._is_askable else None

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """See `OrderSide`."""
        return self._engine.deals(since_ts_ns) if self._is_askable else None

    async def trace(self, token: str) -> Trace | None:
        """See `OrderSide`."""
        return self._engine.trace(token) if self._is_askable else None

    @property
    def _is_askable(self) -> bool:
        self.world.plan.pass_by("question")
        return not self.world.is_mute()

    def _attach(self) -> None:
        try:
            self._engine.connect()
        except TerminalUnavailable as error:
            self._say(self._change(LinkState.DOWN, str(error)))
        else:
            self._say(self._change(LinkState.UP, "connected"))

    def _change(self, state: LinkState, reason: str) -> LinkChange:
        return LinkChange(state=state, reason=reason, ts_ns=self.clock.now_ns())

    def _say(self, change: LinkChange) -> None:
        self.state = change.state
        if self._listener is not None:
            self._listener.on_link(change)

    def _tell(self, updates) -> None:
        for update in updates:
            if self._listener is not None:
                self._listener.on_order_update(update)


def twin_parts(state_path: Path) -> Parts:
    """What a process at the twin is made of."""
    state_path.parent.mkdir(parents=True, exist_ok=True)
    return Parts(
        terminal=partial(TwinTerminal, state_path=str(state_path)),
        reconciler=partial(Reconciler, since_ns=TUESDAY_NS),
    )
