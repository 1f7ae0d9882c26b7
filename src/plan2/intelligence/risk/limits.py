"""What sizing and the risk gate look at: the intent, and the account as plain numbers."""

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.values import Side


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A decision's wish for an order, before anybody approved it.

    Prices in quote currency; quantity in lots. `position_ticket` names what a CLOSE closes.
    """

    decision_id: str
    symbol: str
    kind: OrderKind
    side: Side
    quantity: float
    price: float
    stop_loss: float
    take_profit: float
    ts_ns: int
    position_ticket: str = ""


class AccountFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The account at one instant; floats, so that a decision record can hold them.

    Money is account currency; exposure is gross notional with what approved but unfilled orders
    have reserved included, and so are the position counts. `seconds_since_same` is the time since
    the last approved opening order of the symbol, `cooldown_left_s` what remains of the pause after
    a trade. `quote_rate` and `base_rate`: account currency per unit of quote and base currency.
    `position_quantity` is the position a closing order refers to, lots.
    """

    trading_state: float
    symbol_blocked: float
    equity: float
    day_start_equity: float
    peak_equity: float
    margin_free: float
    positions: float
    positions_symbol: float
    orders_pending_symbol: float
    exposure: float
    orders_last_minute: float
    seconds_since_same: float
    cooldown_left_s: float
    tick_age_ms: float
    quote_rate: float
    base_rate: float
    position_quantity: float


class RiskInputs(msgspec.Struct, frozen=True, kw_only=True):
    """The account's figures, and those of the order under review.

    Money in account currency, distances in quote currency. `quantity_tradable` is 1.0 when the
    quantity lies on the broker's volume grid.
    """

    account: AccountFigures
    quantity: float
    quantity_tradable: float
    order_value: float
    margin_needed: float
    spread: float
    stop_distance: float
