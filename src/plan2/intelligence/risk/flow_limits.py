"""Limits that a flow sets itself, and how it stands on its account; plain numbers."""

import msgspec


class FlowLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the flow itself, 0 = none; fractions are of equity.

    `minute_from`, `minute_until`: of the UTC day, when entries are allowed; both −1 = always.
    """

    positions_max: int = 1
    daily_loss_max_fraction: float = 0.0
    drawdown_max_fraction: float = 0.0
    spread_max_points: float = 0.0
    orders_per_day_max: int = 0
    minute_from: int = -1
    minute_until: int = -1


class FlowFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How the flow stands on the account; entries under way count as positions.

    `daily_loss`: what it lost since the broker's midnight, `drawdown`: since its best result, both
    with open positions, as fractions of the account's equity at the day's start and at its peak.
    `orders_today`: entries since that midnight; `minute`: of the UTC day.
    """

    positions: float
    daily_loss: float
    drawdown: float
    spread_points: float
    orders_today: float
    minute: float
