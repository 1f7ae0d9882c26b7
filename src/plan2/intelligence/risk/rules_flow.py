"""Rules on how many and how large: volume, messages, repetitions, automatic executions."""

from plan2.foundation.config.schema import Risk
from plan2.intelligence.risk.limits import WHOLE_EXITS_FROM, RiskInputs
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.risk.verdicts import at_least, at_most

EXIT_ROOM = 2.0
"""Exits may use this many times the message limits, so that entries cannot take their room;
withdrawals do not count against them, or a kill's thousand would keep its own exits waiting."""


def volume(inputs: RiskInputs, _: Risk) -> Check:
    """The quantity is on the broker's volume grid, or all that is left of a position (1 = yes).

    The broker may have changed his grid since a position was opened.
    """
    account, lots = inputs.account, inputs.quantity
    is_whole = account.rule_set >= WHOLE_EXITS_FROM and lots == account.position_quantity > 0.0
    return at_least("volume", max(inputs.quantity_tradable, float(is_whole)), 1.0)


def order_volume(inputs: RiskInputs, _: Risk) -> Check:
    """Lots of this order against the symbol's limit per order."""
    return at_most("order_volume", inputs.quantity, inputs.account.volume_max_lots)


def reduces(inputs: RiskInputs, _: Risk) -> Check:
    """A closing order is not larger than the position it closes."""
    return at_most("reduces", inputs.quantity, inputs.account.position_quantity + 1e-9)


def order_rate(inputs: RiskInputs, limits: Risk) -> Check:
    """Orders in the last minute, this one included."""
    after = inputs.account.orders_last_minute + 1
    return at_most("order_rate", after, float(limits.orders_per_minute_max))


def messages_per_second(inputs: RiskInputs, limits: Risk) -> Check:
    """Messages to the broker in the last second, this one included."""
    after = inputs.account.messages_last_second + 1
    return at_most("messages_per_second", after, float(limits.messages_per_second_max))


def messages_per_minute(inputs: RiskInputs, limits: Risk) -> Check:
    """Messages to the broker in the last minute, this one included."""
    after = inputs.account.messages_last_minute + 1
    return at_most("messages_per_minute", after, float(limits.messages_per_minute_max))


def exit_messages_per_second(inputs: RiskInputs, limits: Risk) -> Check:
    """Messages but withdrawals in the last second with this exit, against the exits' own room."""
    after = inputs.account.exit_messages_last_second + 1
    limit = EXIT_ROOM * limits.messages_per_second_max
    return at_most("exit_messages_per_second", after, limit)


def exit_messages_per_minute(inputs: RiskInputs, limits: Risk) -> Check:
    """Messages but withdrawals in the last minute with this exit, against the exits' own room."""
    after = inputs.account.exit_messages_last_minute + 1
    limit = EXIT_ROOM * limits.messages_per_minute_max
    return at_most("exit_messages_per_minute", after, limit)


def executions(inputs: RiskInputs, limits: Risk) -> Check:
    """Automatic entries of the flow in the throttle's window, this one included."""
    after = inputs.account.executions_in_window + 1
    return at_most("executions", after, float(limits.executions_max))


def duplicate(inputs: RiskInputs, limits: Risk) -> Check:
    """Seconds since the same intent was approved."""
    return at_least("duplicate", inputs.account.seconds_since_same, limits.duplicate_window_s)
