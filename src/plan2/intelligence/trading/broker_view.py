"""What only the broker knows of an account, as of the last comparison with it.

Nothing here is stored or decided on: it is shown to people, who may act on it.
"""

from collections.abc import Callable

from plan2.dataflow.terminals.port import TerminalOrder
from plan2.foundation.events.base import Event
from plan2.intelligence.events import BrokerViewChanged


class BrokerView:
    """The broker's side of an account; written by reconciliation alone.

    Args:
        announce: told once about each change.

    Attributes:
        foreign_orders: pending orders at the broker that neither we nor a program with our mark
        placed; empty until the first comparison.
        missing: our positions, by our name, that the broker does not have and that no deal
        explains, for so long that trading was halted.
    """

    def __init__(self, announce: Callable[[Event], None]) -> None:
        self._announce = announce
        self.foreign_orders: tuple[TerminalOrder, ...] = ()
        self.missing: tuple[str, ...] = ()

    def see_orders(self, foreign_orders: tuple[TerminalOrder, ...], ts_ns: int) -> None:
        """Take over which foreign orders work now."""
        if foreign_orders != self.foreign_orders:
            self.foreign_orders = foreign_orders
            self._announce(BrokerViewChanged(ts_ns=ts_ns))

    def see_missing(self, missing: tuple[str, ...], ts_ns: int) -> None:
        """Take over which of our positions the broker does not have."""
        if missing != self.missing:
            self.missing = missing
            self._announce(BrokerViewChanged(ts_ns=ts_ns))
