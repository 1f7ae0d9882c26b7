"""From an approved order to the package's request: one small builder for each kind of order.

Types are exact (the package refuses numpy numbers and integers where it wants floats); a field that
is not named is zero at the broker, so a stop change always writes both levels.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5.codes import Action, OrderFilling, OrderTime, OrderType
from plan2.dataflow.terminals.mt5.shape import Request
from plan2.dataflow.terminals.mt5.symbols import Contract
from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind, Trigger
from plan2.foundation.values import Side

PENDING_TYPES: Final = {
    (Trigger.LIMIT, Side.BUY): OrderType.BUY_LIMIT,
    (Trigger.LIMIT, Side.SELL): OrderType.SELL_LIMIT,
    (Trigger.STOP, Side.BUY): OrderType.BUY_STOP,
    (Trigger.STOP, Side.SELL): OrderType.SELL_STOP,
    (Trigger.STOP_LIMIT, Side.BUY): OrderType.BUY_STOP_LIMIT,
    (Trigger.STOP_LIMIT, Side.SELL): OrderType.SELL_STOP_LIMIT,
}
LOT_DIGITS: Final = 8


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked up for an order right before it is sent.

    `bid`, `ask`: the last quote. `position`, `opposite`: the tickets that the positions have now,
    which are not always their identifiers. `expiration_s`: server time, 0 = never.
    """

    contract: Contract
    filling: OrderFilling = OrderFilling.IOC
    bid: float = 0.0
    ask: float = 0.0
    position: int = 0
    opposite: int = 0
    expiration_s: int = 0


def request_of(order: ApprovedOrder, ground: Ground) -> Request:
    """The request for an order; volumes in lots, prices on the symbol's grid.

    Raises:
        ValueError: a ticket is not a number, or a pending order has no trigger.
    """
    return BUILDERS[order.kind](order, ground)


def _market(order: ApprovedOrder, ground: Ground) -> Request:
    """Opening and closing at market: the price is what the deviation is measured from."""
    quoted = ground.ask if order.side is Side.BUY else ground.bid
    request: Request = {
        "action": int(Action.DEAL),
        "symbol": ground.contract.name,
        "volume": _lots(order),
        "type": int(OrderType.BUY if order.side is Side.BUY else OrderType.SELL),
        "type_filling": int(ground.filling),
        "price": ground.contract.price(order.price or quoted),
        "deviation": int(order.deviation_points),
        "sl": ground.contract.price(order.stop_loss),
        "tp": ground.contract.price(order.take_profit),
        "magic": int(order.magic),
        "comment": order.token,
    }
    if ground.position:
        request["position"] = ground.position
    return request


def _pending(order: ApprovedOrder, ground: Ground) -> Request:
    kind = PENDING_TYPES.get((order.trigger, order.side))
    if kind is None:
        raise ValueError(f"a pending order needs a trigger, not {order.trigger.value}")
    request: Request = {
        "action": int(Action.PENDING),
        "symbol": ground.contract.name,
        "volume": _lots(order),
        "type": int(kind),
        "type_filling": int(ground.filling),
        "price": ground.contract.price(order.price),
        "sl": ground.contract.price(order.stop_loss),
        "tp": ground.contract.price(order.take_profit),
        "magic": int(order.magic),
        "comment": order.token,
        **_lifetime(ground),
    }
    if order.trigger is Trigger.STOP_LIMIT:
        request["stoplimit"] = ground.contract.price(order.limit_price)
    return request


def _protect(order: ApprovedOrder, ground: Ground) -> Request:
    return {
        "action": int(Action.SLTP),
        "position": ground.position,
        "symbol": ground.contract.name,
        "sl": ground.contract.price(order.stop_loss),
        "tp": ground.contract.price(order.take_profit),
    }


def _change(order: ApprovedOrder, ground: Ground) -> Request:
    request: Request = {
        "action": int(Action.MODIFY),
        "order": int(order.order_ticket),
        "price": ground.contract.price(order.price),
        "sl": ground.contract.price(order.stop_loss),
        "tp": ground.contract.price(order.take_profit),
        **_lifetime(ground),
    }
    if order.limit_price > 0:
        request["stoplimit"] = ground.contract.price(order.limit_price)
    return request


def _cancel(order: ApprovedOrder, ground: Ground) -> Request:  # noqa: ARG001 - as its siblings
    return {"action": int(Action.REMOVE), "order": int(order.order_ticket)}


def _close_by(order: ApprovedOrder, ground: Ground) -> Request:
    return {
        "action": int(Action.CLOSE_BY),
        "position": ground.position,
        "position_by": ground.opposite,
        "magic": int(order.magic),
        "comment": order.token,
    }


def _lots(order: ApprovedOrder) -> float:
    return float(round(order.quantity, LOT_DIGITS))


def _lifetime(ground: Ground) -> Request:
    if ground.expiration_s == 0:
        return {"type_time": int(OrderTime.GTC), "expiration": 0}
    return {"type_time": int(OrderTime.SPECIFIED), "expiration": int(ground.expiration_s)}


BUILDERS: Final[dict[OrderKind, Callable[[ApprovedOrder, Ground], Request]]] = {
    OrderKind.OPEN: _market,
    OrderKind.CLOSE: _market,
    OrderKind.PENDING: _pending,
    OrderKind.PROTECT: _protect,
    OrderKind.CHANGE: _change,
    OrderKind.CANCEL: _cancel,
    OrderKind.CLOSE_BY: _close_by,
}
