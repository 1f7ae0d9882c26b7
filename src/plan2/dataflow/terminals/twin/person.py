"""What a person does at the same account, by hand: not ours, without our magic and token."""

from typing import Protocol

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.requests import (
    MANUAL,
    BrokerAnswer,
    BrokerRequest,
    Filling,
)
from plan2.dataflow.terminals.twin.records import desk_ticket, order_number
from plan2.foundation.errors import InvariantBroken, require
from plan2.foundation.values import Side


class Floor(Protocol):
    """Where a person trades: the world, as far as it matters here."""

    @property
    def desk(self) -> Desk:
        """Of the account that is logged in."""
        ...

    def now_ns(self) -> int:
        """The present, UTC nanoseconds."""
        ...

    def advance(self) -> None:
        """Bring the market to the present."""
        ...

    def keep(self) -> None:
        """Write what changed."""
        ...


class Person:
    """Trades on the account that is logged in; symbols and tickets are the broker's.

    Every method raises InvariantBroken when the broker refuses.
    """

    def __init__(self, world: Floor) -> None:
        self._world = world

    def opens(
        self,
        symbol: str,
        side: Side,
        lots: float,
        stop_loss: float = 0.0,
        take_profit: float = 0.0,
    ) -> int:
        """Trade at the market; returns the order's ticket, on hedging also the position's."""
        wanted = BrokerRequest(
            kind=OrderKind.OPEN,
            symbol=symbol,
            side=side,
            quantity=lots,
            stop_loss=stop_loss,
            take_profit=take_profit,
            reason=MANUAL,
        )
        return order_number(self._done(wanted).order_ticket)

    def closes(self, ticket: int, lots: float | None = None) -> int:
        """Close (part of) a position; returns the order's ticket."""
        self._world.advance()
        held = self._world.desk.book.by_ticket(desk_ticket(ticket))
        if held is None:
            raise InvariantBroken(f"a person cannot close position {ticket}: it is not open")
        wanted = BrokerRequest(
            kind=OrderKind.CLOSE,
            symbol=held.symbol,
            side=held.side.opposite,
            quantity=held.quantity if lots is None else lots,
            position_ticket=held.identifier,
            reason=MANUAL,
        )
        return order_number(self._done(wanted).order_ticket)

    def moves_stops(self, ticket: int, stop_loss: float, take_profit: float) -> None:
        """Write both stops of a position."""
        self._world.advance()
        held = self._world.desk.book.by_ticket(desk_ticket(ticket))
        if held is None:
            raise InvariantBroken(f"a person cannot protect position {ticket}: it is not open")
        self._done(
            BrokerRequest(
                kind=OrderKind.PROTECT,
                symbol=held.symbol,
                position_ticket=held.identifier,
                stop_loss=stop_loss,
                take_profit=take_profit,
                reason=MANUAL,
            )
        )

    def places(self, symbol: str, side: Side, trigger: Trigger, lots: float, price: float) -> int:
        """Leave a pending order; returns its ticket."""
        wanted = BrokerRequest(
            kind=OrderKind.PENDING,
            symbol=symbol,
            side=side,
            trigger=trigger,
            quantity=lots,
            price=price,
            filling=Filling.RETURN,
            reason=MANUAL,
        )
        return order_number(self._done(wanted).order_ticket)

    def cancels(self, ticket: int) -> None:
        """Withdraw a pending order."""
        self._world.advance()
        order = self._world.desk.book.working.get(desk_ticket(ticket))
        if order is None:
            raise InvariantBroken(f"a person cannot cancel order {ticket}: it does not work")
        self._done(
            BrokerRequest(
                kind=OrderKind.CANCEL,
                symbol=order.symbol,
                order_ticket=order.ticket,
                reason=MANUAL,
            )
        )

    def _done(self, wanted: BrokerRequest) -> BrokerAnswer:
        world = self._world
        world.advance()
        tick = world.desk.quotes.last(wanted.symbol)
        if tick is None:
            raise InvariantBroken(f"a person cannot trade {wanted.symbol}: it has no quote")
        answer = world.desk.execute(wanted, tick, world.now_ns())
        require(answer.refusal is None, f"a person's {wanted.kind.value} was {answer.refusal}")
        world.keep()
        return answer
