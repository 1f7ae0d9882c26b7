"""The paper account's book: positions, orders, deals, balance; exact to the cent.

Invariants: balance = Σ operations + Σ (profit + commission + swap) over all deals; every amount is
a Decimal in account currency, signed as it acts on the balance; orders and deals are each numbered
from 1 without holes, but a deal that turns a position round is two rows, `7` and `7.in`. Swap grows
on the position and is booked with the deals that close it. `version` grows with every change.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from plan2.dataflow.terminals.port import Deal
from plan2.dataflow.terminals.simulated.orders import LOT_DIGITS, BrokerOrder, OrderState, order_of
from plan2.dataflow.terminals.simulated.requests import CLIENT, BrokerRequest
from plan2.foundation.errors import require
from plan2.foundation.instrument import CENT, Instrument
from plan2.foundation.values import Side

ZERO = Decimal("0.00")

ENTRY_OF_A_TURN = ".in"
FIRST_OPERATION = 1_000_000_001
"""Balance operations are numbered from here, apart from the deals."""


class Position(msgspec.Struct, kw_only=True):
    """An open position; quantity in lots, prices in quote currency, 0.0 = no stop.

    `identifier` never changes; `ticket` is replaced by the order's that turned the position round.
    `margin` was fixed at the rate of the opening; `swap` is what the nights brought so far.
    """

    identifier: str
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
    changed_ts_ns: int = 0
    reason: str = CLIENT


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """When, at what price and for how many lots an order is executed."""

    ts_ns: int
    price: float
    quantity: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a deal is beyond its order: its number, which way it goes, what it brings."""

    ticket: str
    is_exit: bool
    swap: Decimal = ZERO
    profit: Decimal = ZERO


class BalanceOperation(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came (+) or went (−) without a trade."""

    ticket: str
    ts_ns: int
    amount: Decimal
    comment: str


class Book:
    """Positions, orders and ledger of one account; `working` by ticket, `history` as they ended."""

    def __init__(
        self, deposit: Decimal, instruments: dict[str, Instrument], opened_ts_ns: int = 0
    ) -> None:
        self.balance = ZERO
        self.positions: dict[str, Position] = {}
        self.working: dict[str, BrokerOrder] = {}
        self.history: dict[str, BrokerOrder] = {}
        self.deals: list[Deal] = []
        self.operations: list[BalanceOperation] = []
        self.last_order = 0
        self.version = 0
        self._last_deal = 0
        self._instruments = instruments
        self.operate(deposit, "deposit", opened_ts_ns)

    def restore(
        self,
        operations: Iterable[BalanceOperation],
        positions: Iterable[Position],
        orders: Iterable[BrokerOrder],
        deals: Iterable[Deal],
        last_order: int,
    ) -> None:
        """Become the book that was written; the balance follows from operations and deals."""
        self.last_order = last_order
        self.version += 1
        self.operations = list(operations)
        self.positions = {one.identifier: one for one in positions}
        known = list(orders)
        self.working = {one.ticket: one for one in known if not one.done_ts_ns}
        self.history = {one.ticket: one for one in known if one.done_ts_ns}
        self.deals = list(deals)
        self._last_deal = max((deal_number(deal) for deal in self.deals), default=0)
        moves = (deal.profit + deal.commission + deal.swap for deal in self.deals)
        self.balance = sum((one.amount for one in self.operations), ZERO) + sum(moves, ZERO)

    def operate(self, amount: Decimal, comment: str, ts_ns: int) -> BalanceOperation:
        """Book a deposit (+) or withdrawal (−)."""
        made = BalanceOperation(
            ticket=str(FIRST_OPERATION + len(self.operations)),
            ts_ns=ts_ns,
            amount=amount.quantize(CENT),
            comment=comment,
        )
        self.version += 1
        self.operations.append(made)
        self.balance += made.amount
        return made

    def of_symbol(self, symbol: str) -> list[Position]:
        """Open positions of a symbol, oldest first."""
        return [one for one in self.positions.values() if one.symbol == symbol]

    def by_ticket(self, ticket: str) -> Position | None:
        """The position that has this ticket now."""
        return next((one for one in self.positions.values() if one.ticket == ticket), None)

    def take(self, request: BrokerRequest, ts_ns: int) -> BrokerOrder:
        """Number a request as an order; a new position has the number of its first order."""
        self.version += 1
        self.last_order += 1
        return order_of(request, str(self.last_order), ts_ns)

    def place(self, order: BrokerOrder) -> None:
        """Let a pending order work."""
        self.version += 1
        self.working[order.ticket] = order

    def end(self, order: BrokerOrder, state: OrderState, ts_ns: int, reason: str = "") -> None:
        """Move an order to the history; `reason`: why lots are left."""
        self.version += 1
        order.state, order.done_ts_ns, order.end_reason = state, ts_ns, reason
        self.working.pop(order.ticket, None)
        self.history[order.ticket] = order

    def protect(self, position: Position, stop_loss: float, take_profit: float, ts_ns: int) -> None:
        """Write both stops of a position."""
        self.version += 1
        position.stop_loss, position.take_profit = stop_loss, take_profit
        position.changed_ts_ns = ts_ns

    def change(self, order: BrokerOrder, request: BrokerRequest) -> None:
        """Write prices, stops and expiry of a working order."""
        self.version += 1
        order.price, order.limit_price = request.price, request.limit_price
        order.stop_loss, order.take_profit = request.stop_loss, request.take_profit
        order.expires_ts_ns = request.expires_ts_ns

    def activate(self, order: BrokerOrder) -> None:
        """Note that a stop or stop-limit order was reached."""
        self.version += 1
        order.is_activated = True

    def open(self, order: BrokerOrder, done: Execution, margin: Decimal) -> Deal:
        """Book an entry as a new position."""
        position = _position(order, done, margin, order.ticket)
        self.positions[position.identifier] = position
        return self._entry(position, order, done, self._next_deal())

    def add(self, position: Position, order: BrokerOrder, done: Execution, margin: Decimal) -> Deal:
        """Book an entry into an existing position, at the average price.

        The stops are the newer order's; those changed between its partial fills stay.
        """
        total = round(position.quantity + done.quantity, LOT_DIGITS)
        value = position.open_price * position.quantity + done.price * done.quantity
        digits = self._instruments[position.symbol].digits
        position.open_price = round(value / total, digits + 3)
        position.quantity = total
        position.margin += margin
        position.changed_ts_ns = done.ts_ns
        if round(order.rest + done.quantity, LOT_DIGITS) == order.quantity:
            position.stop_loss, position.take_profit = order.stop_loss, order.take_profit
        return self._entry(position, order, done, self._next_deal())

    def close(
        self, position: Position, order: BrokerOrder, done: Execution, quote_rate: float
    ) -> Deal:
        """Book an exit of all or part of a position; swap and margin leave in proportion."""
        require(
            0 < done.quantity <= position.quantity + 1e-9,
            f"position {position.identifier} has {position.quantity} lots, not {done.quantity}",
        )
        instrument = self._instruments[position.symbol]
        rest = round(position.quantity - done.quantity, LOT_DIGITS)
        swap = position.swap if rest == 0 else share(position.swap, done, position)
        profit = instrument.profit(
            position.side, done.quantity, position.open_price, done.price, quote_rate
        )
        outcome = Outcome(ticket=self._next_deal(), is_exit=True, swap=swap, profit=profit)
        deal = self._deal(position, order, done, outcome)
        position.margin -= position.margin if rest == 0 else share(position.margin, done, position)
        position.swap -= swap
        position.quantity = rest
        position.changed_ts_ns = done.ts_ns
        if rest == 0:
            del self.positions[position.identifier]
        return deal

    def turn(
        self, position: Position, order: BrokerOrder, done: Execution, margin: Decimal, rate: float
    ) -> list[Deal]:
        """Close a netting position and open its rest on the other side under the same identifier.

        `margin`: of the lots beyond the position. `rate`: of the quote currency.
        """
        rest = round(done.quantity - position.quantity, LOT_DIGITS)
        out = msgspec.structs.replace(done, quantity=position.quantity)
        leaving = self.close(position, order, out, rate)
        entry = msgspec.structs.replace(done, quantity=rest)
        turned = _position(order, entry, margin, position.identifier)
        self.positions[turned.identifier] = turned
        return [leaving, self._entry(turned, order, entry, leaving.ticket + ENTRY_OF_A_TURN)]

    def charge_swap(self, position: Position, nights: int, quote_rate: float) -> None:
        """Add what `nights` nights bring."""
        instrument = self._instruments[position.symbol]
        self.version += 1
        position.swap += instrument.swap(position.side, position.quantity, nights, quote_rate)

    def _next_deal(self) -> str:
        self._last_deal += 1
        return str(self._last_deal)

    def _entry(self, position: Position, order: BrokerOrder, done: Execution, ticket: str) -> Deal:
        return self._deal(position, order, done, Outcome(ticket=ticket, is_exit=False))

    def _deal(
        self, position: Position, order: BrokerOrder, done: Execution, outcome: Outcome
    ) -> Deal:
        instrument = self._instruments[position.symbol]
        deal = Deal(
            ticket=outcome.ticket,
            order_ticket=order.ticket,
            position_ticket=position.identifier,
            symbol=position.symbol,
            side=position.side.opposite if outcome.is_exit else position.side,
            is_exit=outcome.is_exit,
            quantity=done.quantity,
            price=done.price,
            commission=-instrument.commission(done.quantity),
            swap=outcome.swap,
            profit=outcome.profit,
            reason=order.reason,
            token=order.token,
            magic=order.magic,
            ts_ns=done.ts_ns,
        )
        self.version += 1
        order.position_ticket = position.identifier
        self.balance += deal.profit + deal.commission + deal.swap
        self.deals.append(deal)
        return deal


def share(amount: Decimal, done: Execution, position: Position) -> Decimal:
    """The part of an amount that belongs to the lots being closed, to the cent."""
    # Multiplied before it is divided: a third of an amount is no tie of its own making then.
    part = amount * Decimal(repr(done.quantity)) / Decimal(repr(position.quantity))
    return part.quantize(CENT, rounding=ROUND_HALF_EVEN)


def deal_number(deal: Deal) -> int:
    """The broker's number of a deal, the same for both rows of one that turned a position."""
    return int(deal.ticket.removesuffix(ENTRY_OF_A_TURN))


def _position(order: BrokerOrder, done: Execution, margin: Decimal, identifier: str) -> Position:
    return Position(
        identifier=identifier,
        ticket=order.ticket,
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
        changed_ts_ns=done.ts_ns,
        reason=order.reason,
    )
