"""What sizing and the risk gate look at: the intent, and the account as plain numbers.

Figures that arrived with the second list of rules have defaults that refuse new risk: whoever
forgets one gets no order, never an unchecked one.
"""

import math

import msgspec

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.values import Side
from plan2.intelligence.risk.flow_limits import FlowFigures, FlowLimits

RULE_SET = 7.0
"""The list of rules in force; records of before it was written down went by list 1."""
FIRST_RULE_SET = 1.0
SECOND_RULE_SET = 2.0
"""The same rules as list 3, but sizes without regard to the other positions' volatility."""
THIRD_RULE_SET = 3.0
"""The same as list 4, but without a limit on the week's loss."""
PORTFOLIO_RULES_FROM = 6.0
"""Since this list the limits on all positions together bind every order, not only sizes."""
WHOLE_EXITS_FROM = 7.0
"""Since this list all that is left of a position can be closed, on the volume grid or not."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for an order, before anybody approved it.

    Prices in quote currency, 0.0 = none; quantity in lots; deviation in points. `position_ticket`
    names the position of CLOSE, CLOSE_BY and PROTECT, `opposite_ticket` the other one of CLOSE_BY,
    `order_ticket` the pending order of CHANGE and CANCEL. `expires_ts_ns` is when the broker
    withdraws a pending order (0 = never).
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
    opposite_ticket: str = ""
    order_ticket: str = ""
    trigger: Trigger = Trigger.MARKET
    limit_price: float = 0.0
    expires_ts_ns: int = 0
    deviation_points: int = 20


class AccountFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The account at one instant; floats, so that a decision record can hold them.

    Money is account currency; exposure is gross notional with what approved but unfilled orders
    have reserved included, and so are the position counts. `seconds_since_same` is the time since
    the last approved opening order of the symbol, `cooldown_left_s` what remains of the pause after
    a trade. `quote_rate` and `base_rate`: account currency per unit of quote and base currency.
    `position_quantity` is the position a closing order refers to, lots.

    `trading_state` is the strictest switch that bears on symbol and flow. `link_up`, `books_agree`,
    `symbol_permitted`: 1.0 = yes. `account_mode` and `armed_mode` are numbers of
    `risk.mode.AccountMode`. `volume_max_lots` is the symbol's limit per order. Messages are orders
    of any kind placed before this one; those that limit exits leave withdrawals out.
    `executions_in_window` are automatic entries of the flow. `reference_mid` is the symbol's last
    mid, `window_mid` its mean over the collar's window. `reserved_…` is what a pending order that
    is to be changed already takes. `symbol_disputed` is above 0 while the broker's account of the
    symbol contradicts ours. `model_size_factor` is the share of a size that the champion's standing
    leaves, `model_proven` 1.0 when it was validated, `news_size_factor` the share that tagged news
    leaves. `volatility_day` is the symbol's of one day, a fraction of the price;
    `volatility_sum` and `volatility_squares` are Σσ and Σσ² of a day over all positions, money;
    `base_exposure` and `quote_exposure` are net and signed; `shortfall_history` is the expected
    shortfall of the account's own days, a fraction of equity; `live_trades` counts closed trades;
    `novelty` is the percentile of the situation, 0 to 1 (0 = nothing to compare with).
    `rule_set` names the list of rules to go by.
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
    link_up: float = 0.0
    books_agree: float = 0.0
    symbol_permitted: float = 0.0
    account_mode: float = 4.0
    armed_mode: float = -1.0
    volume_max_lots: float = 0.0
    messages_last_second: float = math.nan
    messages_last_minute: float = math.nan
    exit_messages_last_second: float = math.nan
    exit_messages_last_minute: float = math.nan
    executions_in_window: float = math.nan
    reference_mid: float = math.nan
    reference_age_ms: float = math.nan
    window_mid: float = math.nan
    reserved_value: float = 0.0
    reserved_positions: float = 0.0
    symbol_disputed: float = 1.0
    volatility_day: float = math.nan
    volatility_sum: float = math.nan
    volatility_squares: float = math.nan
    base_exposure: float = math.nan
    quote_exposure: float = math.nan
    shortfall_history: float = math.nan
    live_trades: float = 0.0
    novelty: float = 0.0
    rule_set: float = RULE_SET
    model_size_factor: float = 1.0
    model_proven: float = 1.0
    week_start_equity: float = math.nan
    news_size_factor: float = 1.0


class RiskInputs(msgspec.Struct, frozen=True, kw_only=True):
    """The account's figures, and those of the order under review.

    Money in account currency, distances in quote currency, deviations as a fraction of the
    reference and in points. `quantity_tradable` is 1.0 when the quantity lies on the broker's
    volume grid. `stop_loosened` is how far a change of stops moves the stop-loss away from the
    market (at most 0 = set or tightened); `asked_by_person` is 1.0 when a person wants it. `side`
    is +1 for a purchase and −1 for a sale. What could not be computed is NaN, and no rule lets NaN
    pass.
    """

    account: AccountFigures
    quantity: float
    quantity_tradable: float
    order_value: float
    margin_needed: float
    spread: float
    stop_distance: float
    deviation_fraction: float = math.nan
    deviation_points: float = math.nan
    window_deviation_fraction: float = math.nan
    stop_loosened: float = math.nan
    asked_by_person: float = 0.0
    side: float = math.nan
    flow: tuple[FlowFigures, FlowLimits] | None = None
