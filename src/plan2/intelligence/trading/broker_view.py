"""What only the broker knows of an account, as of the last comparison with it.

Nothing here is stored or decided on: it is shown to people, who may act on it.
"""

import msgspec

from plan2.dataflow.terminals.port import TerminalOrder


class BrokerView(msgspec.Struct):
    """The broker's side of an account; written by reconciliation alone.

    Attributes:
        foreign_orders: pending orders at the broker that neither we nor a program with our mark
        placed; empty until the first comparison.
        missing: our positions, by our name, that the broker does not have and that no deal
        explains, for so long that trading was halted.
    """

    foreign_orders: tuple[TerminalOrder, ...] = ()
    missing: tuple[str, ...] = ()
