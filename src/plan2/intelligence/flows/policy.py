"""What a flow wants on a tick: the one thing that its policy says, whoever computes it."""

import enum
from typing import Final, Protocol

import msgspec

from plan2.foundation.values import Tick
from plan2.intelligence.models.forecast import Forecast


class Action(enum.StrEnum):
    """What a policy may want."""

    NONE = "none"
    LONG = "long"
    SHORT = "short"
    EXIT_LONG = "exit_long"
    EXIT_SHORT = "exit_short"
    EXIT = "exit"
    """Leave whatever is held."""

    @property
    def is_entry(self) -> bool:
        """Whether it wants a new position."""
        return self in {Action.LONG, Action.SHORT}

    @property
    def leaves(self) -> frozenset[int]:
        """Sides (+1, −1) of the positions that it wants closed."""
        return _LEAVES.get(self, frozenset())


_LEAVES: Final = {
    Action.EXIT_LONG: frozenset({1}),
    Action.EXIT_SHORT: frozenset({-1}),
    Action.EXIT: frozenset({1, -1}),
}


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted now; distances from the entry in price units, 0 = none.

    `trailing`, `trailing_step`: distance of the trailing stop from the best price, and the least
    improvement worth a change; `break_even_offset`: where break-even lies beyond the entry.
    """

    action: Action
    stop_loss: float = 0.0
    take_profit: float = 0.0
    trailing: float = 0.0
    trailing_step: float = 0.0
    break_even_offset: float = 0.0


NO_SIGNAL: Final = Signal(action=Action.NONE)


class FlowPolicy(Protocol):
    """Decides for one flow on one symbol; the same ticks give the same signals."""

    def step(self, tick: Tick, forecast: Forecast | None) -> Signal:
        """Take in a tick, whether or not anybody acts on what it says."""
        ...

    def why(self) -> str:
        """The condition behind the last signal with its values; asked only when it acts."""
        ...
