"""Whether a horizon can pay its cost: below an hour that has to be shown first (ML-008)."""

import math
from typing import Final

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.training.labels import LabelRows, LabelRules

FREE_FROM_S: Final = 3_600
MOST_COST: Final = 0.15
"""Largest share of the usual move that cost may take within a shorter horizon."""
RECENT_NS: Final = 20 * NS_PER_DAY
MEAN_ABSOLUTE: Final = math.sqrt(2.0 / math.pi)
"""E|x| of a normal x with deviation one."""


def demand_worthwhile(symbol: str, labels: LabelRows, rules: LabelRules) -> None:
    """Refuse a horizon below an hour whose usual move the cost eats up.

    Cost and volatility are those of all events of the newest 20 days, untradeable ones too; the
    usual move is σ · √(bars in the horizon) · √(2/π).

    Raises:
        InputError: the cost is more than 15 % of it.
    """
    if rules.horizon_s >= FREE_FROM_S or len(labels) == 0:
        return
    recent = labels[labels["t0"] > labels["t0"][-1] - RECENT_NS]
    bars = rules.horizon_s / rules.bar_period_s
    move = float(np.mean(recent["sigma"])) * math.sqrt(bars) * MEAN_ABSOLUTE
    share = float(np.mean(recent["cost"])) / move
    if not share <= MOST_COST:
        raise InputError(
            f"{symbol}: within {rules.horizon_s // 60} minutes cost is {share:.0%} of the usual "
            f"move; a horizon below an hour may lose {MOST_COST:.0%} at most.",
            remedy="Choose a horizon of 60 to 240 minutes.",
        )
