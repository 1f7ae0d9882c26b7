"""What a terminal host runs: a broker connection whose calls block, on the one thread it has.

`MetaTrader5` never releases the interpreter and its calls have no time limit, so an engine lives in
a process of its own and a watchdog lives elsewhere. The methods are the terminal port's, without
`async`; `None` means "could not be asked", never "there are none".
"""

from typing import Protocol

import msgspec

from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    LinkChange,
    OrderUpdate,
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick, TickBlock


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """What is new since the last poll; ticks per symbol in the broker's order, UTC.

    `updates` holds deals and ends of pending orders that no `submit` has told yet, also those that
    the broker or a person did; repeating one is allowed, forgetting one is not.
    """

    ticks: tuple[Tick, ...] = ()
    updates: tuple[OrderUpdate, ...] = ()
    link: LinkChange | None = None


class HostEngine(Protocol):
    """A broker connection with blocking calls; used from one thread, one call at a time."""

    def connect(self) -> AccountState:
        """Attach to the terminal and verify account and rights; repeat it after a break.

        Raises:
            TerminalUnavailable: it cannot be reached now; try again later.
            ConfigError: it is another account or server than configured: a person must act.
        """
        ...

    def close(self) -> None:
        """Detach; harmless when repeated."""
        ...

    def poll(self) -> Polled:
        """Ticks, deals and link changes since the last call; quick, never asks for history."""
        ...

    def submit(self, order: ApprovedOrder) -> tuple[OrderUpdate, ...]:
        """Send the order exactly once and say what the broker answered; UNKNOWN when unclear."""
        ...

    def instruments(self) -> dict[str, Instrument] | None:
        """Contract data of the configured symbols by our names."""
        ...

    def account(self) -> AccountState | None:
        """The account's figures."""
        ...

    def positions(self) -> tuple[TerminalPosition, ...] | None:
        """All open positions, foreign ones too."""
        ...

    def orders(self) -> tuple[TerminalOrder, ...] | None:
        """All working pending orders, foreign ones too."""
        ...

    def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """All deals at or after a UTC time, oldest first."""
        ...

    def trace(self, token: str) -> Trace | None:
        """What became of the order that carried `token`."""
        ...

    def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock | None:
        """Ticks with start ≤ time < end, oldest first; may block for minutes on a cold cache."""
        ...
