"""What is shown of the broker's side of an account; mirrored by the web app.

Times are integer microseconds UTC, prices plain numbers in quote currency, quantities lots.
"""

import msgspec

from plan2.dataflow.terminals.port import TerminalOrder
from plan2.intelligence.trading.broker_view import BrokerView
from plan2.interface.screen import to_us


class ForeignOrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """A pending order at the broker that Plan2 did not place: shown, never changed or withdrawn.

    It counts in the risk figures once it is executed, as a foreign position. `quantity` is what is
    left of it, a price or stop is None where there is none, `expires_us` 0 means never.
    """

    ticket: str
    symbol: str
    side: str
    trigger: str
    quantity: float
    price: float | None
    limit_price: float | None
    stop_loss: float | None
    take_profit: float | None
    expires_us: int
    placed_us: int


class BrokerItem(msgspec.Struct, frozen=True, kw_only=True):
    """What only the broker tells, as of the last comparison.

    `missing` names our open positions that the broker does not have and that no deal explains:
    trading stays halted until a deal comes or a person accepts the broker's view.
    """

    account_id: str
    foreign_orders: tuple[ForeignOrderItem, ...]
    missing: tuple[str, ...]


def item_of(account_id: str, broker: BrokerView) -> BrokerItem:
    """The broker's side of an account, the newest order first."""
    orders = sorted(broker.foreign_orders, key=lambda one: (-one.placed_ts_ns, one.ticket))
    return BrokerItem(
        account_id=account_id,
        foreign_orders=tuple(_order_item(order) for order in orders),
        missing=broker.missing,
    )


def _order_item(order: TerminalOrder) -> ForeignOrderItem:
    return ForeignOrderItem(
        ticket=order.ticket,
        symbol=order.symbol,
        side=order.side.name.lower(),
        trigger=order.trigger.value,
        quantity=order.quantity,
        price=order.price or None,
        limit_price=order.limit_price or None,
        stop_loss=order.stop_loss or None,
        take_profit=order.take_profit or None,
        expires_us=to_us(order.expires_ts_ns),
        placed_us=to_us(order.placed_ts_ns),
    )
