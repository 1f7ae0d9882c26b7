"""Facts about orders and positions; `ts_ns` is market time."""

from plan2.foundation.events.base import Event


class OrderPlaced(Event, frozen=True, kw_only=True, gc=False):
    """An approved order became durable in the order journal."""

    order_id: str
    decision_id: str
    tenant_id: str
    account_id: str
    symbol: str
    side: str
    quantity: float
    price: float
    stop_loss: float
    take_profit: float
    reduce_only: bool
    token: str
    position_id: str
    expires_ts_ns: int


class OrderDenied(Event, frozen=True, kw_only=True, gc=False):
    """Our risk gate refused an intent; no order exists."""

    decision_id: str
    tenant_id: str
    account_id: str
    symbol: str
    rule_id: str
    current_value: float
    threshold: float


class OrderSent(Event, frozen=True, kw_only=True, gc=False):
    """The terminal was called, once."""

    order_id: str
    account_id: str
    symbol: str


class OrderAccepted(Event, frozen=True, kw_only=True, gc=False):
    """The broker took the order; `ticket` is its name there."""

    order_id: str
    account_id: str
    symbol: str
    ticket: str


class OrderRejected(Event, frozen=True, kw_only=True, gc=False):
    """The broker refused the order."""

    order_id: str
    account_id: str
    symbol: str
    reason: str


class OrderOutcomeUnknown(Event, frozen=True, kw_only=True, gc=False):
    """It is not known whether the order exists; its symbol is blocked until reconciled."""

    order_id: str
    account_id: str
    symbol: str
    reason: str


class OrderExecuted(Event, frozen=True, kw_only=True, gc=False):
    """A fill: the broker executed (part of) an order, or one of its stops."""

    order_id: str
    account_id: str
    symbol: str
    fill_id: str
    position_id: str
    side: str
    executed_price: float
    executed_quantity: float
    commission: str
    swap: str
    profit: str
    reason: str
    is_exit: bool


class PositionOpened(Event, frozen=True, kw_only=True, gc=False):
    """A position exists; prices in quote currency, quantity in lots."""

    position_id: str
    account_id: str
    tenant_id: str
    symbol: str
    direction: str
    quantity: float
    open_price: float
    stop_loss: float
    take_profit: float
    commission: str
    decision_id: str
    expires_ts_ns: int


class PositionClosed(Event, frozen=True, kw_only=True, gc=False):
    """A position is gone; amounts in account currency as decimal strings."""

    position_id: str
    account_id: str
    tenant_id: str
    symbol: str
    direction: str
    quantity: float
    open_price: float
    close_price: float
    profit: str
    commission: str
    swap: str
    reason: str
    decision_id: str


class ReconciliationDifference(Event, frozen=True, kw_only=True, gc=False):
    """Our books and the broker's disagreed; says how, and what was done about it."""

    account_id: str
    kind: str
    ours: str
    theirs: str
    action: str
