"""What each open position of a flow lives by, folded from the orders that opened them.

It travels with the order, so that it holds over restarts, and for a position whose flow has been
retired or replaced meanwhile. All values are floats, distances in price units:

    trailing, trailing_step      distance from the best price, least improvement
    break_even_after_r           profit, in multiples of the initial risk, that moves the stop …
    break_even_offset            … this far beyond the entry
    time_s                       seconds after the entry's fill when it is closed
    partial_1_at_r, partial_1_fraction, partial_2_…    shares of the position closed at a profit
"""

from typing import Final

from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderPlaced, PositionClosed, PositionOpened
from plan2.intelligence.flows.flow import Exits, Partial
from plan2.intelligence.flows.policy import Signal

ORDERS_KEPT: Final = 1_000
"""Orders whose position may still come; an order that never brought one is forgotten."""


class FlowExits:
    """By position of ours; nothing for those that no flow opened, or that need nothing."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, float]] = {}
        self._orders: dict[str, dict[str, float]] = {}

    def apply(self, event: Event) -> None:
        """Fold an event, live and at a restart."""
        if isinstance(event, OrderPlaced):
            if event.exits:
                self._orders[event.decision_id] = event.exits
                if len(self._orders) > ORDERS_KEPT:
                    del self._orders[next(iter(self._orders))]
        elif isinstance(event, PositionOpened):
            exits = self._orders.pop(event.decision_id, None)
            if exits is not None:
                self.of[event.position_id] = exits
        elif isinstance(event, PositionClosed):
            self.of.pop(event.position_id, None)


def exits_of(declared: Exits, signal: Signal) -> dict[str, float]:
    """What a position lives by that is opened on a signal; empty = its stop and target alone."""
    found = {
        "trailing": signal.trailing,
        "trailing_step": signal.trailing_step,
        "break_even_after_r": declared.break_even_after_r,
        "break_even_offset": signal.break_even_offset,
        "time_s": declared.time_s,
    }
    for number, part in enumerate(declared.partial, 1):
        found[f"partial_{number}_at_r"] = part.at_r
        found[f"partial_{number}_fraction"] = part.fraction
    return {name: value for name, value in found.items() if value}


def partials_of(exits: dict[str, float]) -> tuple[Partial, ...]:
    """The shares that are to be closed, in the order in which they were declared."""
    found: list[Partial] = []
    while (fraction := exits.get(f"partial_{len(found) + 1}_fraction")) is not None:
        at_r = exits[f"partial_{len(found) + 1}_at_r"]
        found.append(Partial(at_r=at_r, fraction=fraction))
    return tuple(found)
