"""Open positions of an account, folded from events, and what they are worth now."""

from decimal import Decimal

import msgspec

from plan2.foundation.errors import require
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderExecuted, PositionClosed, PositionOpened
from plan2.foundation.values import Side

FILLS_KEPT = 10_000
"""Fill ids remembered against duplicates; a broker repeats itself within minutes, not weeks."""


class Position(msgspec.Struct, kw_only=True):
    """One open position; prices in quote currency, quantity in lots, money in account currency."""

    position_id: str
    symbol: str
    side: Side
    quantity: float
    open_price: float
    stop_loss: float
    take_profit: float
    opened_ts_ns: int
    expires_ts_ns: int
    decision_id: str
    opened_quantity: float
    profit: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    swap: Decimal = Decimal(0)

    @property
    def ticket(self) -> str:
        """The broker's name for it."""
        return self.position_id.rpartition(":")[2]


def position_id_of(account_id: str, ticket: str) -> str:
    """Our name for a broker's position: unique over accounts."""
    return f"{account_id}:{ticket}"


class PositionBook:
    """All open positions; `apply` is the only way it changes."""

    def __init__(self) -> None:
        self.open: dict[str, Position] = {}
        self.fills: dict[str, None] = {}
        self.realised = Decimal(0)
        """Σ profit + commission + swap over all fills, account currency."""

    def apply(self, event: Event) -> None:
        """Fold one event; events that are not about positions are ignored."""
        if isinstance(event, OrderExecuted):
            self._fill(event)
        elif isinstance(event, PositionOpened):
            self._open(event)
        elif isinstance(event, PositionClosed):
            require(
                event.position_id in self.open, f"position {event.position_id} closed but not open"
            )
            del self.open[event.position_id]

    def of_symbol(self, symbol: str) -> list[Position]:
        """Open positions of a symbol, oldest first."""
        return [item for item in self.open.values() if item.symbol == symbol]

    def _fill(self, event: OrderExecuted) -> None:
        require(event.fill_id not in self.fills, f"fill {event.fill_id} is booked twice")
        self.fills[event.fill_id] = None
        if len(self.fills) > FILLS_KEPT:
            del self.fills[next(iter(self.fills))]
        amounts = Decimal(event.profit), Decimal(event.commission), Decimal(event.swap)
        self.realised += sum(amounts)
        position = self.open.get(event.position_id)
        if position is None:
            return  # an entry: PositionOpened follows and takes its figures from the fill
        position.profit += amounts[0]
        position.commission += amounts[1]
        position.swap += amounts[2]
        if event.is_exit:
            position.quantity = round(position.quantity - event.executed_quantity, 8)
            require(position.quantity >= 0, f"position {event.position_id} closed beyond zero")
        else:
            total = position.quantity + event.executed_quantity
            spent = position.quantity * position.open_price
            added = event.executed_quantity * event.executed_price
            position.open_price = (spent + added) / total
            position.quantity = position.opened_quantity = round(total, 8)

    def _open(self, event: PositionOpened) -> None:
        require(event.position_id not in self.open, f"position {event.position_id} opened twice")
        self.open[event.position_id] = Position(
            position_id=event.position_id,
            symbol=event.symbol,
            side=Side[event.direction.upper()],
            quantity=event.quantity,
            open_price=event.open_price,
            stop_loss=event.stop_loss,
            take_profit=event.take_profit,
            opened_ts_ns=event.ts_ns,
            expires_ts_ns=event.expires_ts_ns,
            decision_id=event.decision_id,
            opened_quantity=event.quantity,
            commission=Decimal(event.commission),
        )
