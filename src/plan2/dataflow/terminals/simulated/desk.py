"""The dealing desk: turns orders, stops, nights and want of margin into deals in the book."""

from decimal import Decimal

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, Deal, OrderKind
from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.book import LOT_DIGITS, ZERO, Book, Execution, Position
from plan2.dataflow.terminals.simulated.quotes import Quotes
from plan2.dataflow.terminals.simulated.refusals import Refusal, Request, first_refusal
from plan2.foundation.errors import InvariantBroken
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side, Tick

CLIENT, STOP_LOSS, TAKE_PROFIT, STOP_OUT = "client", "stop_loss", "take_profit", "stop_out"
STOP_OUT_LEVEL = Decimal("0.5")
"""Equity / margin at or below which positions are closed."""


class Desk:
    """Executes on one account's book.

    Args:
        book, quotes, instruments: of the account. is_hedging: several positions per symbol.
    """

    def __init__(
        self,
        book: Book,
        quotes: Quotes,
        instruments: dict[str, Instrument],
        *,
        is_hedging: bool,
    ) -> None:
        self.rollover_ns = 0
        self._book = book
        self._quotes = quotes
        self._instruments = instruments
        self._is_hedging = is_hedging

    def equity(self) -> Decimal:
        """Balance plus what the open positions would bring at the last quotes, swap included."""
        floating = (self.profit(one) + one.swap for one in self._book.positions.values())
        return self._book.balance + sum(floating, ZERO)

    def profit(self, position: Position) -> Decimal:
        """Gross profit of a position at the last quote, account currency."""
        return self._instruments[position.symbol].profit(
            position.side,
            position.quantity,
            position.open_price,
            closing_price(position, self._tick(position.symbol)),
            self._quote_rate(position.symbol),
        )

    def refusal(self, order: ApprovedOrder, tick: Tick) -> Refusal | None:
        """Why the order cannot be executed at this tick of its symbol; None when it can."""
        instrument = self._instruments[order.symbol]
        return first_refusal(
            Request(
                order=order,
                instrument=instrument,
                tick=tick,
                position=self._closed_by(order),
                new_lots=self._new_lots(order),
                base_rate=self._quotes.rate(instrument.base),
                quote_rate=self._quotes.rate(instrument.quote),
                free_margin=self.equity() - self._book.margin,
            )
        )

    def fill(self, order: ApprovedOrder, tick: Tick, quantity: float) -> list[Deal]:
        """Execute an order that was not refused; turning a netting position round takes two deals.

        Buys at the ask, sells at the bid.
        """
        done = Execution(
            ts_ns=tick.ts_ns,
            price=tick.ask if order.side is Side.BUY else tick.bid,
            quantity=quantity,
            reason=CLIENT,
            order_ticket=self._book.next_order_ticket(),
            token=order.token,
        )
        closed = self._closed_by(order)
        if order.kind is OrderKind.CLOSE:
            if closed is None:
                raise InvariantBroken(f"order {order.order_id}: no position to close")
            return [self._close(closed, done)]
        if closed is not None:
            return self._turn(closed, order, done)
        margin = self._margin(order.symbol, quantity)
        if not self._is_hedging and (held := self._book.of_symbol(order.symbol)):
            return [self._book.add(held[0], order, done, margin)]
        return [self._book.open(order, done, margin)]

    def run_stops(self, tick: Tick) -> list[Deal]:
        """Close the positions whose stop this tick reaches, at the tick's own price."""
        reached = (
            (position, triggered_stop(position, closing_price(position, tick)))
            for position in self._book.of_symbol(tick.symbol)
        )
        return [self._close_all(one, tick.ts_ns, reason) for one, reason in reached if reason]

    def pass_nights(self, ts_ns: int) -> bool:
        """Charge swap for every rollover up to `ts_ns`; whether any position was charged."""
        if self.rollover_ns == 0:
            self.rollover_ns = calendar.next_rollover_ns(ts_ns)
        has_charged = False
        while ts_ns >= self.rollover_ns:
            day = calendar.rollover_weekday(self.rollover_ns)
            for position in self._book.positions.values():
                nights = 3 if day == self._instruments[position.symbol].swap_rollover3days else 1
                self._book.charge_swap(position, nights, self._quote_rate(position.symbol))
                has_charged = True
            self.rollover_ns = calendar.next_rollover_ns(self.rollover_ns)
        return has_charged

    def run_stop_out(self, ts_ns: int) -> list[Deal]:
        """While equity is at or below the stop-out level of the margin, close the largest loss."""
        deals: list[Deal] = []
        while self._book.positions and self.equity() <= self._book.margin * STOP_OUT_LEVEL:
            worst = min(self._book.positions.values(), key=self.profit)
            deals.append(self._close_all(worst, ts_ns, STOP_OUT))
        return deals

    def _closed_by(self, order: ApprovedOrder) -> Position | None:
        """The position that the order closes or, on a netting account, reduces."""
        if order.position_ticket:
            return self._book.positions.get(order.position_ticket)
        if self._is_hedging:
            return None
        held = self._book.of_symbol(order.symbol)
        return held[0] if held and held[0].side is not order.side else None

    def _new_lots(self, order: ApprovedOrder) -> float:
        """The lots for which the order needs margin."""
        if order.kind is OrderKind.CLOSE:
            return 0.0
        closed = self._closed_by(order)
        return order.quantity if closed is None else max(0.0, order.quantity - closed.quantity)

    def _turn(self, held: Position, order: ApprovedOrder, done: Execution) -> list[Deal]:
        """Reduce a netting position; lots beyond it open one on the other side."""
        rest = round(max(0.0, done.quantity - held.quantity), LOT_DIGITS)
        out = round(done.quantity - rest, LOT_DIGITS)
        deals = [self._close(held, msgspec.structs.replace(done, quantity=out))]
        if rest > 0:
            entry = msgspec.structs.replace(done, quantity=rest)
            deals.append(self._book.open(order, entry, self._margin(order.symbol, rest)))
        return deals

    def _close(self, position: Position, done: Execution) -> Deal:
        return self._book.close(position, done, self._quote_rate(position.symbol))

    def _close_all(self, position: Position, ts_ns: int, reason: str) -> Deal:
        """The broker closes a position by itself, at the last quote of its symbol."""
        done = Execution(
            ts_ns=ts_ns,
            price=closing_price(position, self._tick(position.symbol)),
            quantity=position.quantity,
            reason=reason,
            order_ticket=self._book.next_order_ticket(),
        )
        return self._close(position, done)

    def _margin(self, symbol: str, lots: float) -> Decimal:
        instrument = self._instruments[symbol]
        return instrument.margin(lots, _known(self._quotes.rate(instrument.base), instrument.base))

    def _quote_rate(self, symbol: str) -> float:
        currency = self._instruments[symbol].quote
        return _known(self._quotes.rate(currency), currency)

    def _tick(self, symbol: str) -> Tick:
        tick = self._quotes.last(symbol)
        if tick is None:
            raise InvariantBroken(f"{symbol}: a position is open but no quote was ever seen")
        return tick


def closing_price(position: Position, tick: Tick) -> float:
    """What the position is closed at: a long at the bid, a short at the ask."""
    return tick.bid if position.side is Side.BUY else tick.ask


def triggered_stop(position: Position, price: float) -> str:
    """Which stop the closing price has reached, empty for none."""
    side = position.side
    if position.stop_loss and side * (price - position.stop_loss) <= 0:
        return STOP_LOSS
    if position.take_profit and side * (price - position.take_profit) >= 0:
        return TAKE_PROFIT
    return ""


def _known(rate: float | None, currency: str) -> float:
    if rate is None:
        raise InvariantBroken(f"a position is open but no quote converts {currency}")
    return rate
