"""The broker's book as MetaTrader's records: numbers for tickets, server time, MetaTrader's codes.

Orders and positions share one numbering, deals have another, as on a trade server. A netting
reversal, two rows in the book, is one in/out deal here.
"""

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Final

import msgspec

from plan2.dataflow.terminals.port import Deal, OrderKind, Trigger
from plan2.dataflow.terminals.simulated.book import BalanceOperation, Position, deal_number
from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.orders import BrokerOrder
from plan2.dataflow.terminals.simulated.requests import Filling
from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.clockwork import ServerTime
from plan2.dataflow.terminals.twin.structs import TradeDeal, TradeOrder, TradePosition, record
from plan2.foundation.values import Side

ORDER_BASE: Final = 500_000_000
DEAL_BASE: Final = 400_000_000
"""Added to the desk's numbers, so that nobody takes a deal for an order."""

REASONS: Final = {
    "client": constants.DEAL_REASON_EXPERT,
    "manual": constants.DEAL_REASON_CLIENT,
    "stop_loss": constants.DEAL_REASON_SL,
    "take_profit": constants.DEAL_REASON_TP,
    "stop_out": constants.DEAL_REASON_SO,
}
"""Deals, orders and positions number their reasons alike."""
FILLINGS: Final = {
    Filling.FOK: constants.ORDER_FILLING_FOK,
    Filling.IOC: constants.ORDER_FILLING_IOC,
    Filling.RETURN: constants.ORDER_FILLING_RETURN,
}
PENDING_TYPES: Final = {
    (Trigger.LIMIT, Side.BUY): constants.ORDER_TYPE_BUY_LIMIT,
    (Trigger.LIMIT, Side.SELL): constants.ORDER_TYPE_SELL_LIMIT,
    (Trigger.STOP, Side.BUY): constants.ORDER_TYPE_BUY_STOP,
    (Trigger.STOP, Side.SELL): constants.ORDER_TYPE_SELL_STOP,
    (Trigger.STOP_LIMIT, Side.BUY): constants.ORDER_TYPE_BUY_STOP_LIMIT,
    (Trigger.STOP_LIMIT, Side.SELL): constants.ORDER_TYPE_SELL_STOP_LIMIT,
}
SIDES: Final = {Side.BUY: constants.ORDER_TYPE_BUY, Side.SELL: constants.ORDER_TYPE_SELL}


class Visibility(msgspec.Struct, kw_only=True):
    """How much later than the trade server the terminal shows what happened, milliseconds."""

    deals_ms: int = 0
    orders_ms: int = 0
    positions_ms: int = 0


class Records:
    """One account's book as records; what has ended is made once.

    Args:
        desk: of the account. server: the broker's wall clock. comment_keeps: characters of a
            comment that the broker keeps.
    """

    def __init__(self, desk: Desk, server: ServerTime, comment_keeps: int) -> None:
        self._desk = desk
        self._server = server
        self._comment_keeps = comment_keeps
        self._past: list[tuple[int, TradeOrder]] = []
        self._done: list[tuple[int, TradeDeal]] = []
        self._rows_seen = 0

    def positions(self, until_ns: int) -> tuple[TradePosition, ...]:
        """Open positions that were opened by `until_ns`, oldest first."""
        held = self._desk.book.positions.values()
        return tuple(self._position(one) for one in held if one.opened_ts_ns <= until_ns)

    def orders(self, until_ns: int) -> tuple[TradeOrder, ...]:
        """Working orders that were placed by `until_ns`, oldest first."""
        working = self._desk.book.working.values()
        return tuple(self.order(one) for one in working if one.placed_ts_ns <= until_ns)

    def past_orders(self, until_ns: int) -> tuple[TradeOrder, ...]:
        """Orders that ended by `until_ns`, in the order in which they ended."""
        ended = self._desk.book.history
        for ticket in islice(ended, len(self._past), None):
            self._past.append((ended[ticket].done_ts_ns, self.order(ended[ticket])))
        return tuple(one for done_ns, one in self._past if done_ns <= until_ns)

    def deals(self, until_ns: int) -> tuple[TradeDeal, ...]:
        """Deals and balance operations up to `until_ns`, by time."""
        book = self._desk.book
        self._done += (
            (rows[0].ts_ns, self._deal(rows)) for rows in _deals_in(book.deals[self._rows_seen :])
        )
        self._rows_seen = len(book.deals)
        operations = ((one.ts_ns, self._operation(one)) for one in book.operations)
        done = [deal for ts_ns, deal in [*operations, *self._done] if ts_ns <= until_ns]
        return tuple(sorted(done, key=lambda deal: deal.time_msc))

    def order(self, one: BrokerOrder) -> TradeOrder:
        """One order, working or ended."""
        tick = self._desk.quotes.last(one.symbol)
        is_timed = one.expires_ts_ns > 0
        return record(
            TradeOrder,
            ticket=order_number(one.ticket),
            **self._times("time_setup", one.placed_ts_ns),
            **self._times("time_done", one.done_ts_ns),
            time_expiration=self._server.s(one.expires_ts_ns) if is_timed else 0,
            type=order_type(one),
            type_time=constants.ORDER_TIME_SPECIFIED if is_timed else constants.ORDER_TIME_GTC,
            type_filling=FILLINGS[one.filling],
            state=one.state.value,
            magic=one.magic,
            position_id=order_number(one.position_ticket),
            position_by_id=order_number(one.opposite_ticket),
            reason=REASONS[one.reason],
            volume_initial=one.quantity,
            volume_current=one.rest,
            price_open=one.price,
            sl=one.stop_loss,
            tp=one.take_profit,
            price_current=0.0 if tick is None else (tick.ask if one.side is Side.BUY else tick.bid),
            price_stoplimit=one.limit_price,
            symbol=one.symbol,
            comment=self._kept(one.comment, one.token),
        )

    def _position(self, one: Position) -> TradePosition:
        tick = self._desk.quotes.last(one.symbol)
        is_long = one.side is Side.BUY
        return record(
            TradePosition,
            ticket=order_number(one.ticket),
            **self._times("time", one.opened_ts_ns),
            **self._times("time_update", one.changed_ts_ns or one.opened_ts_ns),
            type=constants.POSITION_TYPE_BUY if is_long else constants.POSITION_TYPE_SELL,
            magic=one.magic,
            identifier=order_number(one.identifier),
            reason=REASONS[one.reason],
            volume=one.quantity,
            price_open=one.open_price,
            sl=one.stop_loss,
            tp=one.take_profit,
            price_current=0.0 if tick is None else (tick.bid if is_long else tick.ask),
            swap=one.swap,
            profit=self._desk.profit(one),
            symbol=one.symbol,
            comment=self._kept(one.token, one.token),
        )

    def _deal(self, rows: tuple[Deal, ...]) -> TradeDeal:
        last = rows[-1]
        order = self._order_of(last)
        return record(
            TradeDeal,
            ticket=DEAL_BASE + deal_number(last),
            order=order_number(last.order_ticket),
            **self._times("time", last.ts_ns),
            type=SIDES[last.side],
            entry=_entry(rows, order),
            magic=last.magic,
            position_id=order_number(last.position_ticket),
            reason=REASONS[last.reason],
            volume=round(sum(row.quantity for row in rows), 8),
            price=last.price,
            commission=sum(row.commission for row in rows),
            swap=sum(row.swap for row in rows),
            profit=sum(row.profit for row in rows),
            symbol=last.symbol,
            comment=self._kept(order.comment if order else last.token, last.token),
        )

    def _operation(self, one: BalanceOperation) -> TradeDeal:
        return record(
            TradeDeal,
            ticket=int(one.ticket),
            **self._times("time", one.ts_ns),
            type=constants.DEAL_TYPE_BALANCE,
            profit=one.amount,
            comment=one.comment,
        )

    def _order_of(self, deal: Deal) -> BrokerOrder | None:
        book = self._desk.book
        return book.history.get(deal.order_ticket) or book.working.get(deal.order_ticket)

    def _times(self, name: str, ts_ns: int) -> dict[str, int]:
        """A time in seconds and in milliseconds; zeros for none."""
        ms = self._server.ms(ts_ns) if ts_ns else 0
        return {name: ms // 1_000, f"{name}_msc": ms}

    def _kept(self, comment: str, token: str) -> str:
        """What the broker keeps of our comment; its own words stay whole."""
        return comment[: self._comment_keeps] if comment == token else comment


def order_number(ticket: str) -> int:
    """The number that MetaTrader shows for an order or position; 0 for none."""
    return ORDER_BASE + int(ticket) if ticket else 0


def desk_ticket(number: int) -> str:
    """The desk's name of an order or position; a number that never was stays one."""
    return str(number - ORDER_BASE) if number else ""


def order_type(order: BrokerOrder) -> int:
    """ORDER_TYPE_* of an order."""
    if order.kind is OrderKind.CLOSE_BY:
        return constants.ORDER_TYPE_CLOSE_BY
    return PENDING_TYPES.get((order.trigger, order.side), SIDES[order.side])


def _deals_in(rows: list[Deal]) -> Iterator[tuple[Deal, ...]]:
    """The book's rows, those of one deal together."""
    for _, same in groupby(rows, deal_number):
        yield tuple(same)


def _entry(rows: tuple[Deal, ...], order: BrokerOrder | None) -> int:
    if len(rows) > 1:
        return constants.DEAL_ENTRY_INOUT
    if order is not None and order.kind is OrderKind.CLOSE_BY:
        return constants.DEAL_ENTRY_OUT_BY
    return constants.DEAL_ENTRY_OUT if rows[0].is_exit else constants.DEAL_ENTRY_IN
