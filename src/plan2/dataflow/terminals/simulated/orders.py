"""Orders in the broker's books: what they say, what became of them, when a quote reaches them."""

import enum

import msgspec

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.dataflow.terminals.simulated.requests import CLIENT, BrokerRequest, Filling
from plan2.foundation.values import Side, Tick

LOT_DIGITS = 8

NO_MONEY, WITHDRAWN, EXPIRED, REST_CANCELLED = "no_money", "withdrawn", "expired", "rest_cancelled"
"""Why an order ended with lots left."""


class OrderState(enum.Enum):
    """How far an order is; MetaTrader's ORDER_STATE_*."""

    PLACED = 1
    CANCELED = 2
    PARTIAL = 3
    FILLED = 4
    REJECTED = 5
    EXPIRED = 6


class BrokerOrder(msgspec.Struct, kw_only=True):
    """An order the broker took, working or ended; prices in quote currency, quantities in lots.

    Attributes:
        quantity: as asked for. rest: not executed. price: asked for, or of the execution.
        position_ticket: identifier of the position that it opened, changed or closed; "" before.
        reason: who sent it: client, manual, or the broker for stop_loss, take_profit, stop_out.
        done_ts_ns: when it ended, 0 while it works. end_reason: why with lots left.
        comment: the token, or what the broker wrote instead.
        is_activated: a stop-limit that became a limit order, a stop that was reached.
    """

    ticket: str
    kind: OrderKind
    symbol: str
    side: Side
    trigger: Trigger = Trigger.MARKET
    quantity: float
    rest: float
    price: float = 0.0
    limit_price: float = 0.0
    stop_loss: float = 0.0
    take_profit: float = 0.0
    expires_ts_ns: int = 0
    filling: Filling = Filling.IOC
    magic: int = 0
    token: str = ""
    order_id: str = ""
    position_ticket: str = ""
    opposite_ticket: str = ""
    placed_ts_ns: int
    state: OrderState = OrderState.PLACED
    done_ts_ns: int = 0
    reason: str = CLIENT
    end_reason: str = ""
    comment: str = ""
    is_activated: bool = False

    @property
    def level(self) -> float:
        """The price that a quote must reach next."""
        is_limit = self.trigger is Trigger.STOP_LIMIT and self.is_activated
        return self.limit_price if is_limit else self.price

    @property
    def is_waiting_for_better(self) -> bool:
        """Whether the next price lies on the good side of the market, as a limit's does."""
        return self.trigger is Trigger.LIMIT or (
            self.trigger is Trigger.STOP_LIMIT and self.is_activated
        )


def order_of(request: BrokerRequest, ticket: str, ts_ns: int) -> BrokerOrder:
    """The order that a request becomes once it is taken."""
    return BrokerOrder(
        ticket=ticket,
        kind=request.kind,
        symbol=request.symbol,
        side=request.side,
        trigger=request.trigger,
        quantity=request.quantity,
        rest=request.quantity,
        price=request.price,
        limit_price=request.limit_price,
        stop_loss=request.stop_loss,
        take_profit=request.take_profit,
        expires_ts_ns=request.expires_ts_ns,
        filling=request.filling,
        magic=request.magic,
        token=request.token,
        order_id=request.order_id,
        position_ticket=request.position_ticket,
        opposite_ticket=request.opposite_ticket,
        placed_ts_ns=ts_ns,
        reason=request.reason,
        comment=request.token,
    )


def opening_price(side: Side, tick: Tick) -> float:
    """What a position is opened at: a buyer pays the ask, a seller gets the bid."""
    return tick.ask if side is Side.BUY else tick.bid


def is_reached(order: BrokerOrder, tick: Tick) -> bool:
    """Whether a quote has reached the price that a working order waits for."""
    if order.trigger is Trigger.STOP and order.is_activated:
        return True
    beyond = order.side * (opening_price(order.side, tick) - order.level)
    return beyond <= 0 if order.is_waiting_for_better else beyond >= 0
