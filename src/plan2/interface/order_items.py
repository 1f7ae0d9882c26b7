"""What is shown of orders, executions and positions: msgspec structs, mirrored by the web app.

Times are integer microseconds UTC, prices plain numbers in quote currency, quantities lots, money
decimal strings in account currency.
"""

import msgspec


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """An order and where it stands; `ts_us` is when it was placed.

    `kind` and `trigger` are the words of the terminal port. Price, stops and expiry are as they
    work now; a price is None where there is none. `expires_us` is when the broker withdraws it (0 =
    never), `decided_by` who wanted it and `why` for what reason; `reason` is the broker's.
    """

    order_id: str
    decision_id: str
    ts_us: int
    symbol: str
    side: str
    kind: str
    quantity: float
    state: str
    price: float | None
    stop_loss: float | None
    take_profit: float | None
    filled_price: float | None
    filled_quantity: float
    reason: str | None
    trigger: str = "market"
    limit_price: float | None = None
    expires_us: int = 0
    position_id: str = ""
    target_ticket: str = ""
    ticket: str = ""
    flow_id: str = ""
    decided_by: str = ""
    why: str = ""


class FillItem(msgspec.Struct, frozen=True, kw_only=True):
    """One execution; amounts are signed effects on the balance."""

    fill_id: str
    order_id: str
    position_id: str
    ts_us: int
    symbol: str
    side: str
    executed_price: float
    executed_quantity: float
    commission: str
    swap: str
    profit: str
    reason: str
    is_exit: bool


class PositionItem(msgspec.Struct, frozen=True, kw_only=True):
    """A position; `profit` is floating while it is open, realised once it is closed.

    Stops are as they are now. One that is not managed is somebody else's: shown and counted, left
    alone. `expires_us` is when it is closed (0 = never).
    """

    position_id: str
    symbol: str
    direction: str
    quantity: float
    open_price: float
    close_price: float | None
    stop_loss: float
    take_profit: float
    opened_us: int
    closed_us: int | None
    profit: str
    commission: str
    swap: str
    reason: str | None
    decision_id: str
    is_managed: bool = True
    expires_us: int = 0
    flow_id: str = ""


class OrderReceipt(msgspec.Struct, frozen=True):
    """A request was taken: the order it became (empty when it needed none) and where that stands.

    What becomes of it arrives as events.
    """

    request_id: str
    order_id: str
    state: str
