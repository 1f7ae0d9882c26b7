"""What a broker is asked and what it answers at once, whoever asks: our port or a MetaTrader twin.

Positions are named by their lasting identifier, prices are in quote currency (0.0 = none),
quantities in lots, deviation in points.
"""

import enum

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, Deal, OrderKind, Trigger
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.foundation.values import Side

CLIENT, MANUAL = "client", "manual"
"""Who asked: a program, or a person at the terminal."""


class Filling(enum.Enum):
    """What happens when not all lots can be filled at once; MetaTrader's filling modes."""

    FOK = "fok"
    """All or nothing."""
    IOC = "ioc"
    """The rest is cancelled."""
    RETURN = "return"
    """The rest of a pending order goes on working."""


class BrokerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the broker.

    Attributes:
        kind: which of the other fields count; `symbol` may be empty where a position or order says
        it. token: the comment. reason: "client" or "manual".
        order_id: how our side calls the order; the broker only repeats it.
    """

    kind: OrderKind
    symbol: str = ""
    side: Side = Side.BUY
    quantity: float = 0.0
    price: float = 0.0
    limit_price: float = 0.0
    trigger: Trigger = Trigger.MARKET
    stop_loss: float = 0.0
    take_profit: float = 0.0
    magic: int = 0
    token: str = ""
    position_ticket: str = ""
    opposite_ticket: str = ""
    order_ticket: str = ""
    expires_ts_ns: int = 0
    deviation_points: int = 0
    filling: Filling = Filling.IOC
    reason: str = CLIENT
    order_id: str = ""


class BrokerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request; `refusal` None means it was carried out.

    Attributes:
        order_ticket: of the order that was executed, placed, changed or withdrawn.
        is_partial: not all lots were filled and the rest was cancelled.
        price: of the execution or the placed order. quantity: lots executed or placed.
    """

    refusal: Refusal | None = None
    order_ticket: str = ""
    deals: tuple[Deal, ...] = ()
    is_partial: bool = False
    price: float = 0.0
    quantity: float = 0.0


def request_of(order: ApprovedOrder) -> BrokerRequest:
    """The order as the broker reads it; a pending order's rest goes on working, others' do not."""
    return BrokerRequest(
        kind=order.kind,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        limit_price=order.limit_price,
        trigger=order.trigger,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        magic=order.magic,
        token=order.token,
        position_ticket=order.position_ticket,
        opposite_ticket=order.opposite_ticket,
        order_ticket=order.order_ticket,
        expires_ts_ns=order.expires_ts_ns,
        deviation_points=order.deviation_points,
        filling=Filling.RETURN if order.kind is OrderKind.PENDING else Filling.IOC,
        order_id=order.order_id,
    )
