"""The dealer: turns lots of an order at a price into deals in the book."""

from decimal import Decimal

from plan2.dataflow.terminals.port import Deal, OrderKind
from plan2.dataflow.terminals.simulated.book import Book, Execution, Position
from plan2.dataflow.terminals.simulated.orders import LOT_DIGITS, BrokerOrder, OrderState
from plan2.dataflow.terminals.simulated.requests import BrokerRequest
from plan2.dataflow.terminals.simulated.valuation import Valuation, closing_price

STOP_LOSS, TAKE_PROFIT, STOP_OUT = "stop_loss", "take_profit", "stop_out"
COMMENTS = {STOP_LOSS: "sl", TAKE_PROFIT: "tp", STOP_OUT: "so"}
"""What MetaTrader writes into the comment of an order of its own."""


class Dealer:
    """Executes on one account's book.

    Args:
        is_hedging: several positions per symbol, else one that is added to, reduced and turned.
    """

    def __init__(self, book: Book, valuation: Valuation, *, is_hedging: bool) -> None:
        self._book = book
        self._valuation = valuation
        self._is_hedging = is_hedging

    def enter(self, order: BrokerOrder, done: Execution) -> list[Deal]:
        """Buy or sell on the account; turning a netting position round takes two deals."""
        order.rest = round(order.rest - done.quantity, LOT_DIGITS)
        held = self._added_to(order)
        if not held:
            return [self._book.open(order, done, self._margin(order, done.quantity))]
        position = held[0]
        if position.side is order.side:
            return [self._book.add(position, order, done, self._margin(order, done.quantity))]
        beyond = round(done.quantity - position.quantity, LOT_DIGITS)
        if beyond <= 0:
            return [self._close(position, order, done)]
        rate = self._valuation.quote_rate(order.symbol)
        return self._book.turn(position, order, done, self._margin(order, beyond), rate)

    def _added_to(self, order: BrokerOrder) -> list[Position]:
        """What the order adds to, reduces or turns; on a hedging account only what it opened."""
        if not self._is_hedging:
            return self._book.of_symbol(order.symbol)
        mine = self._book.positions.get(order.ticket)
        return [mine] if mine is not None else []

    def leave(self, position: Position, order: BrokerOrder, done: Execution) -> Deal:
        """Close (part of) a position."""
        order.rest = round(order.rest - done.quantity, LOT_DIGITS)
        return self._close(position, order, done)

    def close_by(
        self, one: Position, other: Position, order: BrokerOrder, ts_ns: int
    ) -> list[Deal]:
        """Close two opposite positions against each other, as far as the smaller one goes.

        Both deals are at the price at which the other one was opened, so that the first brings all
        of the profit and the second none.
        """
        done = Execution(
            ts_ns=ts_ns, price=other.open_price, quantity=min(one.quantity, other.quantity)
        )
        order.quantity, order.rest, order.price = done.quantity, 0.0, done.price
        deals = [self._close(one, order, done), self._close(other, order, done)]
        order.position_ticket = one.identifier
        self._book.end(order, OrderState.FILLED, ts_ns)
        return deals

    def close_own(self, position: Position, ts_ns: int, reason: str, remark: str) -> Deal:
        """The broker closes a position by itself, at the last quote of its symbol.

        `remark`: what the comment says besides the reason, such as the price of the stop.
        """
        price = closing_price(position, self._valuation.tick(position.symbol))
        request = BrokerRequest(
            kind=OrderKind.CLOSE,
            symbol=position.symbol,
            side=position.side.opposite,
            quantity=position.quantity,
            price=price,
            magic=position.magic,
            position_ticket=position.identifier,
            reason=reason,
        )
        order = self._book.take(request, ts_ns)
        order.comment = f"[{COMMENTS[reason]} {remark}]"
        done = Execution(ts_ns=ts_ns, price=price, quantity=position.quantity)
        deal = self.leave(position, order, done)
        self._book.end(order, OrderState.FILLED, ts_ns)
        return deal

    def _close(self, position: Position, order: BrokerOrder, done: Execution) -> Deal:
        rate = self._valuation.quote_rate(position.symbol)
        return self._book.close(position, order, done, rate)

    def _margin(self, order: BrokerOrder, lots: float) -> Decimal:
        return self._valuation.lots_margin(order.symbol, order.side, lots)


def triggered_stop(position: Position, price: float) -> str:
    """Which stop the closing price has reached, empty for none."""
    side = position.side
    if position.stop_loss and side * (price - position.stop_loss) <= 0:
        return STOP_LOSS
    if position.take_profit and side * (price - position.take_profit) >= 0:
        return TAKE_PROFIT
    return ""


def stop_level(position: Position, reason: str) -> float:
    """The price of the stop that was reached."""
    return position.stop_loss if reason == STOP_LOSS else position.take_profit
