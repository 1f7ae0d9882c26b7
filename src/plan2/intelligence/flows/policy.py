"""What a flow wants on a tick: the one thing that its policy says, whoever computes it."""

from typing import Final, Protocol

import msgspec

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Float64Array, Tick
from plan2.intelligence.models.forecast import Forecast


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted now; distances in price units, 0 = none.

    Attributes:
        entry: side of a new position, +1 or −1; 0 = none.
        exit_long, exit_short: whether positions of that side are to be closed.
        stop_loss, take_profit: distances from the quote that is decided upon.
        trailing, trailing_step: distance of the trailing stop from the best price, and the least
            improvement worth a change.
        break_even_offset: where break-even lies beyond the entry.
    """

    entry: int = 0
    exit_long: bool = False
    exit_short: bool = False
    stop_loss: float = 0.0
    take_profit: float = 0.0
    trailing: float = 0.0
    trailing_step: float = 0.0
    break_even_offset: float = 0.0

    def leaves(self, side: int) -> bool:
        """Whether positions of a side, +1 or −1, are to be closed."""
        return self.exit_long if side > 0 else self.exit_short

    def in_points(self, instrument: Instrument) -> "Signal":
        """With distances in whole points: what a terminal can be sent, and what sizes go by."""
        return msgspec.structs.replace(
            self,
            stop_loss=instrument.whole_points(self.stop_loss),
            take_profit=instrument.whole_points(self.take_profit),
            trailing=instrument.whole_points(self.trailing),
            trailing_step=instrument.whole_points(self.trailing_step),
            break_even_offset=instrument.whole_points(self.break_even_offset),
        )


NO_SIGNAL: Final = Signal()


class FlowPolicy(Protocol):
    """Decides for one flow on one symbol; the same ticks give the same signals."""

    @property
    def bars(self) -> int:
        """Bars closed so far: what `entry_gap` counts in."""
        ...

    def step(self, tick: Tick, forecast: Forecast | None, features: Float64Array) -> Signal:
        """Take in a tick, whether or not anybody acts on what it says.

        `features` is the engine's own vector, valid during the call. Without a wish it gives
        `NO_SIGNAL` itself, so that nothing is made on quiet ticks.
        """
        ...

    def why(self) -> str:
        """The condition behind the last signal with its values; asked only when it acts."""
        ...
