"""The paper account's book: open positions, deals, balance; exact to the cent.

Invariants: balance = deposit + Σ (profit + commission + swap) over all deals; every amount is a
Decimal in account currency, signed as it acts on the balance; orders and deals are each numbered
from 1 without holes. Swap grows on the position and is booked with the deals that close it.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, Deal
from plan2.foundation.errors import require
from plan2.foundation.instrument import CENT, Instrument
from plan2.foundation.values import Side

ZERO = Decimal("0.00")
LOT_DIGITS = 8


class Position(msgspec.Struct, kw_only=True):
    """An open position; quantity in lots, prices in quote currency, 0.0 = no stop.

    `margin` was fixed at the rate of the opening; `swap` is what the nights brought so far.
    """

    ticket: str
    symbol: str
    side: Side
    quantity: float
    open_price: float
    stop_loss: float
    take_profit: float
    margin: Decimal
    swap: Decimal
    magic: int
    token: str
    opened_ts_ns: int


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """What a deal is made of beyond its position: when, at what, why and on whose order."""

    ts_ns: int
    price: float
    quantity: float
    reason: str
    order_ticket: str
    token: str = ""


class Book:
    """Positions and ledger of one account; `version` grows with every change."""

    def __init__(self, deposit: Decimal, instruments: dict[str, Instrument]) -> None:
        self.deposit = deposit
        self.balance = deposit
        self.positions: dict[str, Position] = {}
        self.deals: list[Deal] = []
        self.last_order = 0
        self.version = 0
        self._instruments = instruments

    def restore(
        self,
        deposit: Decimal,
        last_order: int,
        positions: Iterable[Position],
        deals: Iterable[Deal],
    ) -> None:
        """Become the book that was written; the balance follows from the deals."""
        self.deposit = deposit
        self.last_order = last_order
        self.version += 1
        self.positions = {one.ticket: one for one in positions}
        self.deals = list(deals)
        moves = (deal.profit + deal.commission + deal.swap for deal in self.deals)
        self.balance = deposit + sum(moves, ZERO)

    def next_order_ticket(self) -> str:
        """The next order's number; a new position has that of the order that opened it."""
        self.last_order += 1
        return str(self.last_order)

    def of_symbol(self, symbol: str) -> list[Position]:
        """Open positions of a symbol, oldest first."""
        return [one for one in self.positions.values() if one.symbol == symbol]

    @property
    def margin(self) -> Decimal:
        """Σ margin of the open positions; opposite positions do not offset each other."""
        return sum((one.margin for one in self.positions.values()), ZERO)

    def open(self, order: ApprovedOrder, done: Execution, margin: Decimal) -> Deal:
        """Book an entry as a new position."""
        position = Position(
            ticket=done.order_ticket,
            symbol=order.symbol,
            side=order.side,
            quantity=done.quantity,
            open_price=done.price,
            stop_loss=order.stop_loss,
            take_profit=order.take_profit,
            margin=margin,
            swap=ZERO,
            magic=order.magic,
            token=order.token,
            opened_ts_ns=done.ts_ns,
        )
        self.positions[position.ticket] = position
        return self._entry(position, done)

    def add(
        self, position: Position, order: ApprovedOrder, done: Execution, margin: Decimal
    ) -> Deal:
        """Book an entry into an existing position of a netting account, at the average price."""
        total = round(position.quantity + done.quantity, LOT_DIGITS)
        value = position.open_price * position.quantity + done.price * done.quantity
        digits = self._instruments[position.symbol].digits
        position.open_price = round(value / total, digits + 3)
        position.quantity = total
        position.margin += margin
        position.stop_loss, position.take_profit = order.stop_loss, order.take_profit
        return self._entry(position, done)

    def close(self, position: Position, done: Execution, quote_rate: float) -> Deal:
        """Book an exit of all or part of a position; swap and margin leave in proportion."""
        require(
            0 < done.quantity <= position.quantity + 1e-9,
            f"position {position.ticket} has {position.quantity} lots, not {done.quantity}",
        )
        instrument = self._instruments[position.symbol]
        rest = round(position.quantity - done.quantity, LOT_DIGITS)
        swap = position.swap if rest == 0 else share(position.swap, done, position)
        deal = self._deal(
            position,
            done,
            is_exit=True,
            swap=swap,
            profit=instrument.profit(
                position.side, done.quantity, position.open_price, done.price, quote_rate
            ),
        )
        position.margin -= position.margin if rest == 0 else share(position.margin, done, position)
        position.swap -= swap
        position.quantity = rest
        if rest == 0:
            del self.positions[position.ticket]
        return deal

    def charge_swap(self, position: Position, nights: int, quote_rate: float) -> None:
        """Add what `nights` nights bring: points · point · lots · contract size · rate."""
        instrument = self._instruments[position.symbol]
        is_long = position.side is Side.BUY
        points = instrument.swap_long_points if is_long else instrument.swap_short_points
        units = Decimal(repr(position.quantity)) * Decimal(repr(instrument.contract_size))
        night = Decimal(repr(points)).scaleb(-instrument.digits) * units * Decimal(repr(quote_rate))
        self.version += 1
        position.swap += (night * nights).quantize(CENT, rounding=ROUND_HALF_EVEN)

    def _entry(self, position: Position, done: Execution) -> Deal:
        return self._deal(position, done, is_exit=False, swap=ZERO, profit=ZERO)

    def _deal(
        self, position: Position, done: Execution, *, is_exit: bool, swap: Decimal, profit: Decimal
    ) -> Deal:
        instrument = self._instruments[position.symbol]
        deal = Deal(
            ticket=str(len(self.deals) + 1),
            order_ticket=done.order_ticket,
            position_ticket=position.ticket,
            symbol=position.symbol,
            side=position.side.opposite if is_exit else position.side,
            is_exit=is_exit,
            quantity=done.quantity,
            price=done.price,
            commission=-instrument.commission(done.quantity),
            swap=swap,
            profit=profit,
            reason=done.reason,
            token=done.token,
            magic=position.magic,
            ts_ns=done.ts_ns,
        )
        self.version += 1
        self.balance += deal.profit + deal.commission + deal.swap
        self.deals.append(deal)
        return deal


def share(amount: Decimal, done: Execution, position: Position) -> Decimal:
    """The part of an amount that belongs to the lots being closed, to the cent."""
    part = Decimal(repr(done.quantity)) / Decimal(repr(position.quantity))
    return (amount * part).quantize(CENT, rounding=ROUND_HALF_EVEN)
