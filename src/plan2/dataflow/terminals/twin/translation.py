"""From a MetaTrader request to one that the dealing desk takes, or the reason why it cannot be.

The desk names positions by their lasting identifier, MetaTrader by their ticket of today.
"""

from typing import Final

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.dataflow.terminals.simulated.book import Book
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.dataflow.terminals.simulated.requests import BrokerRequest
from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.clockwork import ServerTime
from plan2.dataflow.terminals.twin.records import FILLINGS, PENDING_TYPES, SIDES, desk_ticket
from plan2.dataflow.terminals.twin.requests import Request
from plan2.foundation.values import Side

DAY_S: Final = 86_400
FILLING_OF: Final = {number: filling for filling, number in FILLINGS.items()}
PENDING_OF: Final = {number: kind for kind, number in PENDING_TYPES.items()}
SIDE_OF: Final = {number: side for side, number in SIDES.items()}


class Translation:
    """Requests for one account's book.

    Args:
        book: of the account. server: the broker's wall clock. is_hedging: of the account.
    """

    def __init__(self, book: Book, server: ServerTime, *, is_hedging: bool) -> None:
        self._book = book
        self._server = server
        self._is_hedging = is_hedging

    def of(self, request: Request, now_ns: int) -> BrokerRequest | Refusal:
        """The desk's request, or why there is none."""
        match request.action:
            case constants.TRADE_ACTION_DEAL:
                return self._deal(request)
            case constants.TRADE_ACTION_PENDING:
                return self._pending(request, now_ns)
            case constants.TRADE_ACTION_SLTP:
                return self._protect(request)
            case constants.TRADE_ACTION_MODIFY:
                return self._change(request, now_ns)
            case constants.TRADE_ACTION_REMOVE:
                return BrokerRequest(kind=OrderKind.CANCEL, order_ticket=desk_ticket(request.order))
            case constants.TRADE_ACTION_CLOSE_BY:
                return self._close_by(request)
        return Refusal.INVALID_REQUEST

    def _deal(self, request: Request) -> BrokerRequest | Refusal:
        side, filling = SIDE_OF.get(request.type), FILLING_OF.get(request.type_filling)
        if filling is None:
            return Refusal.INVALID_FILLING
        identifier = self._identifier(request.position)
        if side is None or identifier is None:
            return Refusal.INVALID_REQUEST if side is None else Refusal.POSITION_CLOSED
        return BrokerRequest(
            kind=OrderKind.CLOSE if identifier else OrderKind.OPEN,
            symbol=request.symbol,
            side=side,
            quantity=request.volume,
            price=request.price,
            stop_loss=request.sl,
            take_profit=request.tp,
            magic=request.magic,
            token=request.comment,
            position_ticket=identifier,
            deviation_points=request.deviation,
            filling=filling,
        )

    def _pending(self, request: Request, now_ns: int) -> BrokerRequest | Refusal:
        kind, filling = PENDING_OF.get(request.type), FILLING_OF.get(request.type_filling)
        expires_ns = self._expiry_ns(request, now_ns)
        if kind is None or filling is None or expires_ns is None:
            if kind is None:
                return Refusal.INVALID_REQUEST
            return Refusal.INVALID_FILLING if filling is None else Refusal.INVALID_EXPIRATION
        return BrokerRequest(
            kind=OrderKind.PENDING,
            symbol=request.symbol,
            side=kind[1],
            trigger=kind[0],
            quantity=request.volume,
            price=request.price,
            limit_price=request.stoplimit,
            stop_loss=request.sl,
            take_profit=request.tp,
            magic=request.magic,
            token=request.comment,
            expires_ts_ns=expires_ns,
            filling=filling,
        )

    def _protect(self, request: Request) -> BrokerRequest | Refusal:
        identifier = self._identifier(request.position)
        if not request.position and not self._is_hedging:
            held = self._book.of_symbol(request.symbol)
            identifier = held[0].identifier if held else None
        if not identifier:
            return Refusal.POSITION_CLOSED
        return BrokerRequest(
            kind=OrderKind.PROTECT,
            position_ticket=identifier,
            stop_loss=request.sl,
            take_profit=request.tp,
        )

    def _change(self, request: Request, now_ns: int) -> BrokerRequest | Refusal:
        expires_ns = self._expiry_ns(request, now_ns)
        if expires_ns is None:
            return Refusal.INVALID_EXPIRATION
        order = self._book.working.get(desk_ticket(request.order))
        is_stop_limit = order is not None and order.trigger is Trigger.STOP_LIMIT
        return BrokerRequest(
            kind=OrderKind.CHANGE,
            side=order.side if order else Side.BUY,
            order_ticket=desk_ticket(request.order),
            price=request.price,
            limit_price=request.stoplimit if is_stop_limit else 0.0,
            stop_loss=request.sl,
            take_profit=request.tp,
            expires_ts_ns=expires_ns,
        )

    def _close_by(self, request: Request) -> BrokerRequest | Refusal:
        one, other = self._identifier(request.position), self._identifier(request.position_by)
        if not one or not other:
            return Refusal.POSITION_CLOSED
        return BrokerRequest(
            kind=OrderKind.CLOSE_BY,
            position_ticket=one,
            opposite_ticket=other,
            magic=request.magic,
            token=request.comment,
        )

    def _identifier(self, ticket: int) -> str | None:
        """The lasting name of a position; empty for ticket 0, None when there is no such one."""
        if ticket == 0:
            return ""
        found = self._book.by_ticket(desk_ticket(ticket))
        return found.identifier if found else None

    def _expiry_ns(self, request: Request, now_ns: int) -> int | None:
        """When a pending order ends, 0 for never, None for a time that cannot be meant."""
        match request.type_time:
            case constants.ORDER_TIME_GTC:
                return 0
            case constants.ORDER_TIME_DAY:
                return self._end_of_day_ns(self._server.s(now_ns))
            case constants.ORDER_TIME_SPECIFIED if request.expiration > 0:
                return self._server.utc_ns(request.expiration)
            case constants.ORDER_TIME_SPECIFIED_DAY if request.expiration > 0:
                return self._end_of_day_ns(request.expiration)
        return None

    def _end_of_day_ns(self, server_s: int) -> int:
        return self._server.utc_ns((server_s // DAY_S + 1) * DAY_S)
