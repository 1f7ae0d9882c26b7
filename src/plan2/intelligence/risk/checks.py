"""Which rules an order has to pass, by what it does: one small pure function per rule.

A rule says what it saw and its limit. A figure that is not a number fails the rule that needs it:
what cannot be checked is not allowed. Limits are inclusive (the limit itself passes) except those
on losses, where the limit itself refuses.
"""

from collections.abc import Callable
from typing import Final

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.config.schema import Risk
from plan2.intelligence.risk import rules_flow as flow
from plan2.intelligence.risk import rules_money as money
from plan2.intelligence.risk import rules_permission as permission
from plan2.intelligence.risk import rules_portfolio as portfolio
from plan2.intelligence.risk import rules_price as price
from plan2.intelligence.risk.limits import (
    FIRST_RULE_SET,
    PORTFOLIO_RULES_FROM,
    SECOND_RULE_SET,
    THIRD_RULE_SET,
    RiskInputs,
)
from plan2.intelligence.risk.parts import Check

Rule = Callable[[RiskInputs, Risk], Check]
Rules = tuple[Rule, ...]

_MAY_TRADE: Final[Rules] = (
    permission.trading_state,
    permission.link_up,
    permission.books_agree,
    permission.account_mode,
    permission.symbol_permitted,
    permission.symbol_blocked,
    permission.symbol_disputed,
    price.tick_age,
    price.reference_age,
)
_TOGETHER: Final[Rules] = (
    portfolio.volatility_target,
    portfolio.expected_shortfall,
    portfolio.currency,
)
_HOW_MUCH: Final[Rules] = (
    price.collar_window,
    price.spread,
    price.stop_distance,
    flow.volume,
    flow.order_volume,
    money.positions,
    money.positions_per_symbol,
    money.order_value,
    money.exposure,
    money.margin,
    *_TOGETHER,
    money.daily_loss,
    money.weekly_loss,
    money.drawdown,
    flow.messages_per_second,
    flow.messages_per_minute,
)
_HOW_OFTEN: Final[Rules] = (flow.order_rate, flow.executions, flow.duplicate)

OPENING: Final[Rules] = (*_MAY_TRADE, price.collar, price.collar_points, *_HOW_MUCH, *_HOW_OFTEN)
"""What an order that opens a position at once has to pass."""

PENDING: Final[Rules] = (*_MAY_TRADE, price.collar_pending, *_HOW_MUCH, *_HOW_OFTEN)
"""What an order that waits at the broker has to pass: its price may lie further away."""

CHANGING: Final[Rules] = (*_MAY_TRADE, price.collar_pending, *_HOW_MUCH)
"""What a new price for a waiting order has to pass; what it reserves already counts once."""

REDUCING: Final[Rules] = (
    permission.symbol_blocked,
    flow.volume,
    flow.reduces,
    flow.exit_messages_per_second,
    flow.exit_messages_per_minute,
)
"""What an order that only takes risk away has to pass: a halt never blocks the way out."""

PROTECTING: Final[Rules] = (
    permission.symbol_blocked,
    price.stop_kept,
    flow.exit_messages_per_second,
    flow.exit_messages_per_minute,
)
"""What a change of a position's stops has to pass."""

WITHDRAWING: Final[Rules] = ()
"""Nothing can keep an order from being withdrawn."""

RULES: Final[dict[OrderKind, Rules]] = {
    OrderKind.OPEN: OPENING,
    OrderKind.PENDING: PENDING,
    OrderKind.CHANGE: CHANGING,
    OrderKind.CLOSE: REDUCING,
    OrderKind.CLOSE_BY: REDUCING,
    OrderKind.PROTECT: PROTECTING,
    OrderKind.CANCEL: WITHDRAWING,
}

_FIRST_OPENING: Final[Rules] = (
    permission.trading_state,
    permission.symbol_blocked,
    price.tick_age,
    price.spread,
    price.stop_distance,
    flow.volume,
    money.positions,
    money.positions_per_symbol,
    money.order_value,
    money.exposure,
    money.margin,
    money.daily_loss,
    money.drawdown,
    flow.order_rate,
    flow.duplicate,
)
_FIRST_REDUCING: Final[Rules] = (permission.symbol_blocked, flow.volume, flow.reduces)

FIRST_RULES: Final[dict[OrderKind, Rules]] = {
    OrderKind.OPEN: _FIRST_OPENING,
    OrderKind.CLOSE: _FIRST_REDUCING,
}
"""The lists that records without a `rule_set` went by, so that they can be taken again."""


def rules_for(kind: OrderKind, rule_set: float) -> Rules:
    """The rules that an order of this kind has to pass."""
    if rule_set == FIRST_RULE_SET:
        return FIRST_RULES[kind]
    if rule_set >= PORTFOLIO_RULES_FROM:
        return RULES[kind]
    rules = tuple(rule for rule in RULES[kind] if rule not in _TOGETHER)
    if rule_set in {SECOND_RULE_SET, THIRD_RULE_SET}:
        return tuple(rule for rule in rules if rule is not money.weekly_loss)
    return rules
