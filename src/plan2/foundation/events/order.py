"""Facts about orders and positions; `ts_ns` is market time."""

import msgspec

from plan2.foundation.events.base import Event


class OrderPlaced(Event, frozen=True, kw_only=True, gc=False):
    """An approved order became durable in the order journal.

    `kind` and `trigger` are the words of the terminal port; orders of before they were kept have an
    empty kind. `position_id` and `opposite_id` name positions, `target_ticket` the pending order of
    a change or withdrawal; `order_expires_ts_ns` is when the broker withdraws it (0 = never),
    `expires_ts_ns` when the position it opens is closed. Six fields say who decided and who
    executed (a person `user:…` or an algorithm), with which version and models, for whom. `exits`
    is what a flow's position lives by (`intelligence.trading.flow_exits`), empty for all others.
    """

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
    kind: str = ""
    trigger: str = "market"
    limit_price: float = 0.0
    opposite_id: str = ""
    target_ticket: str = ""
    order_expires_ts_ns: int = 0
    flow_id: str = ""
    decided_by: str = ""
    executed_by: str = ""
    algorithm_version: str = ""
    models_hash: str = ""
    client: str = ""
    reason: str = ""
    exits: dict[str, float] = msgspec.field(default_factory=dict)


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


class OrderCompleted(Event, frozen=True, kw_only=True, gc=False):
    """The broker carried out a change of stops, a change of a pending order, or a withdrawal."""

    order_id: str
    account_id: str
    symbol: str


class OrderCancelled(Event, frozen=True, kw_only=True, gc=False):
    """What was left of an order will not be executed; `reason` says who or what ended it."""

    order_id: str
    account_id: str
    symbol: str
    reason: str


class OrderExpired(Event, frozen=True, kw_only=True, gc=False):
    """A pending order's time was over."""

    order_id: str
    account_id: str
    symbol: str


class OrderAmended(Event, frozen=True, kw_only=True, gc=False):
    """A working pending order of ours has other prices now; `order_id` is the pending order."""

    order_id: str
    account_id: str
    symbol: str
    price: float
    limit_price: float
    stop_loss: float
    take_profit: float
    order_expires_ts_ns: int


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
    """A position exists; prices in quote currency, quantity in lots.

    One that no order of ours opened is not managed: it is shown and counts in risk, nothing more.
    """

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
    is_managed: bool = True
    flow_id: str = ""


class PositionProtected(Event, frozen=True, kw_only=True, gc=False):
    """The stops of a position changed at the broker; 0.0 = none; `reason` says why."""

    position_id: str
    account_id: str
    symbol: str
    stop_loss: float
    take_profit: float
    reason: str


class PositionClaimed(Event, frozen=True, kw_only=True, gc=False):
    """A person handed a foreign position to Plan2's management, or took one away from it.

    Plan2 itself claims one only when the deal that opened it was its own and was told late.
    """

    position_id: str
    account_id: str
    symbol: str
    is_managed: bool
    expires_ts_ns: int
    actor: str
    reason: str


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
