"""One paper account behind the account side of the terminal port, on whatever market there is.

Whoever plays the market gives each tick to the account first and then to the listener, so the
listener hears of a deal before the tick that caused it.
"""

from collections.abc import Awaitable, Callable

import msgspec

from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    LinkState,
    TerminalListener,
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.dataflow.terminals.simulated.account_file import AccountFile
from plan2.dataflow.terminals.simulated.broker import PaperBroker
from plan2.dataflow.terminals.simulated.link import Link
from plan2.dataflow.terminals.simulated.requests import MANUAL, BrokerAnswer, BrokerRequest
from plan2.foundation.clock import Clock
from plan2.foundation.errors import JournalLost, TerminalUnavailable
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick, TickBlock

History = Callable[[str, int, int], Awaitable[TickBlock]]


class PaperAccountSide:
    """What a paper account answers and is told; the market comes from elsewhere.

    Args:
        name: of the terminal. clock: market time. broker: the account.
    """

    def __init__(self, name: str, clock: Clock, broker: PaperBroker) -> None:
        self.name = name
        self._broker = broker
        self._link = Link(broker, clock.now_ns)

    def instruments(self) -> dict[str, Instrument]:
        """Contract data of every symbol on offer."""
        return dict(self._broker.instruments)

    def submit(self, order: ApprovedOrder) -> None:
        """Hand the order to the broker; the answer comes with a later tick.

        Raises:
            TerminalUnavailable: while not connected; the order was certainly not sent.
        """
        if self._link.state is not LinkState.UP:
            raise TerminalUnavailable(
                f"terminal {self.name} is not connected: order {order.order_id} was not sent"
            )
        self._broker.submit(order)

    async def account(self) -> AccountState | None:
        """The account's figures, or None while not connected."""
        if self._link.state is LinkState.UP:
            return self._broker.account()
        return self._link.memory.account if self._link.memory else None

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """All open positions, or None while not connected."""
        if self._link.state is LinkState.UP:
            return self._broker.positions()
        return self._link.memory.positions if self._link.memory else None

    async def orders(self) -> tuple[TerminalOrder, ...] | None:
        """All working pending orders, or None while not connected."""
        if self._link.state is LinkState.UP:
            return self._broker.orders()
        return self._link.memory.orders if self._link.memory else None

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """All deals at or after a market time, oldest first, or None while not connected."""
        if self._link.state is LinkState.UP:
            return self._broker.deals(since_ts_ns)
        if self._link.memory is None:
            return None
        return tuple(deal for deal in self._link.memory.deals if deal.ts_ns >= since_ts_ns)

    async def trace(self, token: str) -> Trace | None:
        """What became of the order with this token; None while that cannot be told."""
        return self._broker.trace(token) if self._link.state is LinkState.UP else None

    def break_link(self, state: LinkState, reason: str) -> None:
        """For tests: lose the broker; DEGRADED answers from memory, DOWN not at all."""
        self._link.cut(state, reason)

    def restore_link(self) -> None:
        """For tests: reach the broker again; what was missed is told first."""
        self._link.restore()

    def trade_manually(self, request: BrokerRequest) -> BrokerAnswer:
        """For tests and demonstrations: what a person does at the terminal, at the last quote."""
        return self._broker.trade_manually(msgspec.structs.replace(request, reason=MANUAL))


class PaperTerminal(PaperAccountSide):
    """A further paper account on a market that another terminal plays.

    Args:
        name, clock, broker: as for the account side. history: the market's.
        file: the account's, None when nothing is kept; closed by `stop`.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        broker: PaperBroker,
        history: History,
        file: AccountFile | None = None,
    ) -> None:
        super().__init__(name, clock, broker)
        self._history = history
        self._file = file

    async def start(self, listener: TerminalListener) -> None:
        """Say that the account can be reached; ticks come by `on_tick`."""
        self._link.connect(listener)

    async def stop(self) -> None:
        """Close the account file; harmless when repeated."""
        self._link.close()
        if self._file is not None:
            self._file.close()
            self._file = None

    async def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock:
        """The market's ticks with start ≤ time < end."""
        return await self._history(symbol, start_ts_ns, end_ts_ns)

    def on_tick(self, tick: Tick) -> None:
        """Do all that a quote of the market brings about, before anybody else hears of it.

        An account that cannot be kept any more is cut off; those beside it hear the tick.
        """
        try:
            self._broker.on_tick(tick)
        except JournalLost as error:
            if self._link.state is not LinkState.DOWN:
                self._link.cut(LinkState.DOWN, error.message)
