"""Limits that a flow sets itself: only those that it has are looked at, beside the account's."""

from plan2.intelligence.risk.flow_limits import FlowFigures, FlowLimits
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.risk.verdicts import at_most, below, equal


def flow_checks(figures: FlowFigures, limits: FlowLimits) -> tuple[Check, ...]:
    """Every limit of the flow with the figure it saw; a figure that is not a number refuses."""
    found = [at_most("flow_positions", figures.positions + 1, float(limits.positions_max))]
    if limits.daily_loss_max_fraction > 0.0:
        found.append(below("flow_daily_loss", figures.daily_loss, limits.daily_loss_max_fraction))
    if limits.drawdown_max_fraction > 0.0:
        found.append(below("flow_drawdown", figures.drawdown, limits.drawdown_max_fraction))
    if limits.spread_max_points > 0.0:
        found.append(at_most("flow_spread", figures.spread_points, limits.spread_max_points))
    if limits.orders_per_day_max > 0:
        after = figures.orders_today + 1
        found.append(at_most("flow_orders_per_day", after, float(limits.orders_per_day_max)))
    if limits.minute_from >= 0:
        found.append(equal("flow_hours", float(is_within(figures.minute, limits)), 1.0))
    return tuple(found)


def is_within(minute: float, limits: FlowLimits) -> bool:
    """Whether a minute of the UTC day lies in the flow's hours; they may span midnight."""
    begin, end = limits.minute_from, limits.minute_until
    if begin <= end:
        return begin <= minute < end
    return minute >= begin or minute < end
