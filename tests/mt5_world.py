"""The MetaTrader 5 engine over the twin: a market fed by hand, a clock moved by hand."""

from dataclasses import dataclass, field
from typing import Any, cast

from plan2.dataflow.terminals.mt5.engine import Mt5Engine
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.dataflow.terminals.port import LinkChange, OrderUpdate, UpdateKind
from plan2.dataflow.terminals.twin.manual import ManualSource
from plan2.dataflow.terminals.twin.module import TwinModule, build
from plan2.dataflow.terminals.twin.opening import open_world
from plan2.dataflow.terminals.twin.options import TwinOptions
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Tick
from simulated_world import TUESDAY_NS

SYMBOLS = ("EURUSD", "USDJPY")


@dataclass
class Mt5World:
    """A broker's world, the package in front of it, and our engine in front of that."""

    clock: SimulatedClock
    source: ManualSource
    world: TwinWorld
    module: TwinModule
    engine: Mt5Engine
    ticks: list[Tick] = field(default_factory=list)
    updates: list[OrderUpdate] = field(default_factory=list)
    links: list[LinkChange] = field(default_factory=list)

    def poll(self) -> None:
        """Poll once and keep what was told."""
        polled = self.engine.poll()
        self.ticks += polled.ticks
        self.updates += polled.updates
        self.links += [polled.link] if polled.link is not None else []

    def after(self, ms: int) -> None:
        """Let market time pass, then poll."""
        self.clock.advance_to(self.clock.now_ns() + ms * NS_PER_MS)
        self.poll()

    def quote(self, bid: float, ask: float, symbol: str = "EURUSD", after_ms: int = 100) -> None:
        """A quote some time later, then a poll."""
        self.source.quote(symbol, self.clock.now_ns() + after_ms * NS_PER_MS, bid, ask)
        self.after(after_ms)

    def kinds(self, order_id: str) -> list[UpdateKind]:
        """What polls told of an order, in order."""
        return [one.kind for one in self.updates if one.order_id == order_id]

    def ensure(self) -> None:
        """Poll and connect as often as it takes until the terminal answers."""
        for _ in range(20):
            self.poll()
            if self.engine.account() is not None:
                return
            self.connect()

    def connect(self) -> None:
        """Connect, and again when the pipe breaks meanwhile."""
        for _ in range(20):
            try:
                self.engine.connect()
            except TerminalUnavailable:
                continue
            return

    def reconnect(self) -> None:
        """What the host does after DOWN."""
        self.engine.connect()
        self.poll()


def mt5_world(
    twin: TwinOptions | None = None, start_ns: int = TUESDAY_NS, **options: Any
) -> Mt5World:
    """A connected engine; one quote of each symbol lies just before the start."""
    twin = twin or TwinOptions(symbols=SYMBOLS)
    clock = SimulatedClock(start_ns)
    source = ManualSource(twin.symbols)
    for symbol in twin.symbols:
        bid, ask = (150.200, 150.208) if symbol == "USDJPY" else (1.08500, 1.08508)
        source.quote(symbol, start_ns - NS_PER_SECOND, bid, ask)
    world = open_world(twin, clock, source=source)
    module = build(world)
    settings: dict[str, Any] = {
        "symbols": twin.symbols,
        "account_poll_ms": 0,
        "may_guess_terminal": True,
    } | options
    engine = Mt5Engine(cast(Mt5Module, module), Mt5Options(**settings), clock)
    made = Mt5World(clock, source, world, module, engine)
    made.connect()
    made.poll()
    return made
