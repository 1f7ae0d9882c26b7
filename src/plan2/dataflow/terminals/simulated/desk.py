"""The dealing desk: one account's MetaTrader server, synchronous and without misfortunes.

`execute` carries out or refuses a request at the quote it is given; `on_tick` does what a quote and
the time bring about by themselves. Within a tick: the nights that passed, expiries, stops, pending
orders, and last the stop-out. Same quotes and same requests give the same books.
"""

from collections import deque
from collections.abc import Callable
from decimal import Decimal

import msgspec

from plan2.dataflow.terminals.port import OrderKind, UpdateKind
from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.book import BalanceOperation, Book, Execution, Position
from plan2.dataflow.terminals.simulated.checks import refusal_at_activation, refusal_of
from plan2.dataflow.terminals.simulated.dealer import STOP_OUT, Dealer, stop_level, triggered_stop
from plan2.dataflow.terminals.simulated.nights import Nights
from plan2.dataflow.terminals.simulated.orders import (
    LOT_DIGITS,
    REST_CANCELLED,
    WITHDRAWN,
    OrderState,
    opening_price,
)
from plan2.dataflow.terminals.simulated.pendings import DeskEvent, Pendings
from plan2.dataflow.terminals.simulated.quotes import Quotes
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.dataflow.terminals.simulated.requests import BrokerAnswer, BrokerRequest, Filling
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.dataflow.terminals.simulated.situations import Situations
from plan2.dataflow.terminals.simulated.valuation import Valuation, closing_price
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Tick

NEEDS_RATES = {OrderKind.OPEN, OrderKind.CLOSE, OrderKind.CLOSE_BY}


class Desk:
    """Executes on one account's book; made by `open_desk`.

    Attributes:
        book, quotes, instruments: of the account. rules: replace them to change what is allowed;
        `is_hedging` stays as it was at first.
    """

    def __init__(
        self,
        book: Book,
        quotes: Quotes,
        instruments: dict[str, Instrument],
        rules: AccountRules,
        is_session: Callable[[int], bool],
    ) -> None:
        self.book = book
        self.quotes = quotes
        self.instruments = instruments
        self.rules = rules
        self._is_session = is_session
        self._valuation = Valuation(book, quotes, instruments)
        self._situations = Situations(book, self._valuation, instruments)
        self._dealer = Dealer(book, self._valuation, is_hedging=rules.is_hedging)
        self.nights = Nights(book, self._valuation, instruments)
        self.pendings = Pendings(book, self._dealer, self._doubt)
        self._request_times: deque[int] = deque()

    def equity(self) -> Decimal:
        """Balance plus what the open positions would bring at the last quotes, swap included."""
        return self._valuation.equity()

    def margin(self) -> Decimal:
        """What the open positions bind."""
        return self._valuation.margin(self.rules)

    def free_margin(self) -> Decimal:
        """What is left for further positions."""
        return self.equity() - self.margin()

    def profit(self, position: Position) -> Decimal:
        """Gross profit of a position at the last quote, account currency."""
        return self._valuation.profit(position)

    def wake_ns(self) -> int:
        """Until when nothing happens by the time alone: the next rollover or expiry."""
        return min(self.nights.rollover_ns, self.pendings.next_expiry_ns())

    def operate(self, amount: Decimal, comment: str, ts_ns: int) -> BalanceOperation:
        """Book a deposit (+) or withdrawal (−), account currency."""
        return self.book.operate(amount, comment, ts_ns)

    def early_refusal(self, symbol: str, ts_ns: int) -> Refusal | None:
        """What can be refused without a quote of the symbol."""
        if not self.rules.trade_allowed:
            return Refusal.TRADE_DISABLED
        if symbol not in self.instruments:
            return Refusal.UNKNOWN_SYMBOL
        return None if self._is_session(ts_ns) else Refusal.MARKET_CLOSED

    def refusal(self, request: BrokerRequest, tick: Tick, ts_ns: int) -> Refusal | None:
        """Why the request would be refused at this quote of its symbol; changes nothing."""
        early = self.early_refusal(tick.symbol, ts_ns)
        if early is not None:
            return early
        if request.kind in NEEDS_RATES and not self._valuation.has_rates(tick.symbol):
            return Refusal.NO_CONVERSION_RATE
        return refusal_of(self._situations.of(request, self.rules, tick, ts_ns))

    def execute(
        self, request: BrokerRequest, tick: Tick, ts_ns: int, available: float | None = None
    ) -> BrokerAnswer:
        """Carry out or refuse a request now.

        `tick`: the last quote of the symbol. ts_ns: the server's time, not before the quote's.
        `available`: how many lots can be filled at this quote, None = any.
        """
        if not request.symbol:
            request = msgspec.structs.replace(request, symbol=tick.symbol)
        refusal = self._overload(ts_ns) or self.refusal(request, tick, ts_ns)
        if refusal is None and not self._can_fill(request, available):
            refusal = Refusal.REJECTED
        if refusal is not None:
            return BrokerAnswer(refusal=refusal)
        lots = request.quantity if available is None else min(request.quantity, available)
        match request.kind:
            case OrderKind.OPEN | OrderKind.CLOSE:
                return self._trade(request, tick, ts_ns, lots)
            case OrderKind.PENDING:
                return self._place(request, ts_ns)
            case OrderKind.CLOSE_BY:
                return self._close_by(request, ts_ns)
            case OrderKind.PROTECT:
                return self._protect(request, ts_ns)
            case OrderKind.CHANGE:
                return self._change(request)
            case OrderKind.CANCEL:
                return self._cancel(request, ts_ns)

    def on_tick(self, tick: Tick) -> list[DeskEvent]:
        """All that a new quote brings about."""
        self.quotes.update(tick)
        return [*self.open_tick(tick), *self.close_tick(tick.ts_ns)]

    def open_tick(self, tick: Tick) -> list[DeskEvent]:
        """What comes before new requests: nights, expiries, stops, pending orders."""
        self.nights.pass_until(tick.ts_ns)
        events = self.pendings.expire(tick.ts_ns)
        events += self._run_stops(tick)
        return events + self.pendings.run(tick, tick.ts_ns)

    def close_tick(self, ts_ns: int) -> list[DeskEvent]:
        """What comes last: while equity is at the stop-out level, close the largest loss."""
        events = []
        book, level = self.book, self.rules.stop_out_level
        while book.positions and (equity := self.equity()) <= (margin := self.margin()) * level:
            worst = min(book.positions.values(), key=self.profit)
            share = f"{100 * equity / margin:.2f}%" if margin else "0.00%"
            events.append(self._closed_own(worst, ts_ns, STOP_OUT, share))
        return events

    def expire(self, ts_ns: int) -> list[DeskEvent]:
        """End the pending orders whose time is over, without a quote."""
        return self.pendings.expire(ts_ns)

    def _run_stops(self, tick: Tick) -> list[DeskEvent]:
        """Close the positions whose stop this tick reaches, at the tick's own price."""
        digits = self.instruments[tick.symbol].digits
        events = []
        for position in self.book.of_symbol(tick.symbol):
            reason = triggered_stop(position, closing_price(position, tick))
            if reason:
                remark = f"{stop_level(position, reason):.{digits}f}"
                events.append(self._closed_own(position, tick.ts_ns, reason, remark))
        return events

    def _closed_own(self, position: Position, ts_ns: int, reason: str, remark: str) -> DeskEvent:
        deal = self._dealer.close_own(position, ts_ns, reason, remark)
        order = self.book.history[deal.order_ticket]
        return DeskEvent(kind=UpdateKind.FILLED, ts_ns=ts_ns, order=order, deal=deal, reason=reason)

    def _doubt(self, request: BrokerRequest, tick: Tick, ts_ns: int) -> Refusal | None:
        """Why a pending order that was reached cannot be executed."""
        if not self._valuation.has_rates(tick.symbol):
            return Refusal.NO_CONVERSION_RATE
        return refusal_at_activation(self._situations.of(request, self.rules, tick, ts_ns))

    def _overload(self, ts_ns: int) -> Refusal | None:
        """Count a request; too many within a second are refused, and not counted."""
        limit, times = self.rules.max_requests_per_s, self._request_times
        if not limit:
            return None
        while times and times[0] <= ts_ns - NS_PER_SECOND:
            times.popleft()
        if len(times) >= limit:
            return Refusal.TOO_MANY_REQUESTS
        times.append(ts_ns)
        return None

    def _can_fill(self, request: BrokerRequest, available: float | None) -> bool:
        if available is None or request.kind not in {OrderKind.OPEN, OrderKind.CLOSE}:
            return True
        return available > 0 and (
            request.filling is not Filling.FOK or available >= request.quantity
        )

    def _trade(self, request: BrokerRequest, tick: Tick, ts_ns: int, lots: float) -> BrokerAnswer:
        """An OPEN or CLOSE at the market: buys at the ask, sells at the bid."""
        order = self.book.take(request, ts_ns)
        order.price = opening_price(request.side, tick)
        done = Execution(ts_ns=ts_ns, price=order.price, quantity=lots)
        if request.kind is OrderKind.CLOSE:
            deals = [self._dealer.leave(self._position_of(request), order, done)]
        else:
            deals = self._dealer.enter(order, done)
        is_partial = round(order.rest, LOT_DIGITS) > 0
        if is_partial:
            self.book.end(order, OrderState.CANCELED, ts_ns, REST_CANCELLED)
        else:
            self.book.end(order, OrderState.FILLED, ts_ns)
        return BrokerAnswer(
            order_ticket=order.ticket,
            deals=tuple(deals),
            is_partial=is_partial,
            price=order.price,
            quantity=lots,
        )

    def _place(self, request: BrokerRequest, ts_ns: int) -> BrokerAnswer:
        order = self.book.take(request, ts_ns)
        self.book.place(order)
        return BrokerAnswer(
            order_ticket=order.ticket, price=request.price, quantity=request.quantity
        )

    def _close_by(self, request: BrokerRequest, ts_ns: int) -> BrokerAnswer:
        positions = self.book.positions
        one, other = positions[request.position_ticket], positions[request.opposite_ticket]
        order = self.book.take(request, ts_ns)
        order.side = one.side.opposite
        deals = self._dealer.close_by(one, other, order, ts_ns)
        return BrokerAnswer(
            order_ticket=order.ticket,
            deals=tuple(deals),
            price=order.price,
            quantity=order.quantity,
        )

    def _protect(self, request: BrokerRequest, ts_ns: int) -> BrokerAnswer:
        position = self._position_of(request)
        self.book.protect(position, request.stop_loss, request.take_profit, ts_ns)
        return BrokerAnswer()

    def _change(self, request: BrokerRequest) -> BrokerAnswer:
        self.book.change(self.book.working[request.order_ticket], request)
        return BrokerAnswer(order_ticket=request.order_ticket, price=request.price)

    def _cancel(self, request: BrokerRequest, ts_ns: int) -> BrokerAnswer:
        order = self.book.working[request.order_ticket]
        self.book.end(order, OrderState.CANCELED, ts_ns, WITHDRAWN)
        return BrokerAnswer(order_ticket=request.order_ticket)

    def _position_of(self, request: BrokerRequest) -> Position:
        """The position that the checks found; on a netting account the symbol may name it."""
        if request.position_ticket:
            return self.book.positions[request.position_ticket]
        return self.book.of_symbol(request.symbol)[0]


def open_desk(
    instruments: dict[str, Instrument],
    rules: AccountRules | None = None,
    currency: str = "USD",
    deposit: Decimal = Decimal("10000.00"),
    is_session: Callable[[int], bool] = calendar.is_open,
    ts_ns: int = 0,
) -> Desk:
    """A desk for a new account that was opened at `ts_ns` with a deposit in `currency`."""
    book = Book(deposit, instruments, ts_ns)
    quotes = Quotes(currency, instruments.values())
    return Desk(book, quotes, instruments, rules or AccountRules(), is_session)
