"""A twin of the MetaTrader5 package on a market that the test quotes by hand."""

from dataclasses import dataclass
from typing import Any

from plan2.dataflow.terminals.twin.manual import ManualSource
from plan2.dataflow.terminals.twin.module import TwinModule, build
from plan2.dataflow.terminals.twin.opening import open_world
from plan2.dataflow.terminals.twin.options import TwinOptions
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.values import NS_PER_SECOND

TUESDAY_NS = 1_709_625_600_000_000_000
"""2024-03-05 08:00 UTC; New York is at UTC-5, so the server's clock shows 10:00."""
SERVER_SHIFT_S = 2 * 3_600
EURUSD, USDJPY = "EURUSD", "USDJPY"


@dataclass
class Ground:
    """A client of a twin, the world behind it, and the levers of the test."""

    mt5: TwinModule
    world: TwinWorld
    clock: SimulatedClock
    source: ManualSource

    def quote(self, bid: float, ask: float, symbol: str = EURUSD, after_s: float = 1.0) -> None:
        """A quote some time later."""
        self.wait(after_s)
        self.source.quote(symbol, self.clock.now_ns(), bid, ask)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.now_ns() + int(seconds * NS_PER_SECOND))

    def server_s(self) -> int:
        """The present as the broker's wall clock shows it, seconds."""
        return self.clock.now_ns() // NS_PER_SECOND + SERVER_SHIFT_S


def ground(start_ns: int = TUESDAY_NS, **options: Any) -> Ground:
    """A client that is connected, both symbols selected and quoted at the start."""
    clock = SimulatedClock(start_ns)
    source = ManualSource((EURUSD, USDJPY))
    options.setdefault("symbols", (EURUSD, USDJPY))
    world = open_world(TwinOptions(**options), clock, source)
    made = Ground(build(world), world, clock, source)
    made.quote(1.08500, 1.08507, after_s=0)
    made.quote(150.200, 150.209, USDJPY, after_s=0)
    made.mt5.initialize()
    for symbol in world.market.ours:
        made.mt5.symbol_select(symbol, True)
    return made


def market_order(**changes: Any) -> dict[str, Any]:
    """A request to buy 0.10 EURUSD at the market."""
    request: dict[str, Any] = {
        "action": 1,
        "symbol": EURUSD,
        "volume": 0.10,
        "type": 0,
        "type_filling": 1,
        "magic": 7,
        "comment": "token-1",
    }
    return request | changes
