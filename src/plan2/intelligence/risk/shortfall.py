"""How much a bad day may cost: expected shortfall, and the risk of several positions together.

All positions are assumed to move against us together with |ρ| = 0.9, whatever they did lately:
correlations are highest when they hurt. σ of one day, in account currency, of positions σᵢ:

    σ² = (1 − ρ)·Σσᵢ² + ρ·(Σσᵢ)²

Expected shortfall at 97.5 % is the mean loss of the worst 2.5 % of days: of a normal distribution
φ(Φ⁻¹(0.975))/0.025·σ = 2.3378·σ, taken 1.5 times because tails are fatter.
"""

import math
from collections.abc import Sequence

STRESS_CORRELATION = 0.9
NORMAL_SHORTFALL = 2.3378
FAT_TAILS = 1.5
TAIL = 0.025


def historical_shortfall(returns: Sequence[float]) -> float:
    """Mean loss of the worst 2.5 % of daily returns, as a positive fraction; 0 without a record.

    The last day of the tail counts with the share of it that belongs there (Acerbi and Tasche
    2002), so that short records are not rounded in our favour.
    """
    if not returns:
        return 0.0
    worst = sorted(returns)
    size = TAIL * len(worst)
    whole = int(size)
    total = math.fsum(worst[:whole]) + (size - whole) * worst[whole]
    return max(0.0, -total / size)


def joint_volatility(total: float, squares: float) -> float:
    """σ of all positions together, from Σσᵢ and Σσᵢ²; NaN when either is."""
    return math.sqrt((1.0 - STRESS_CORRELATION) * squares + STRESS_CORRELATION * total * total)


def room_within(limit: float, total: float, squares: float) -> float:
    """The largest σ of one more position with which all together stay within `limit`; 0 = none.

    Solves v² + 2ρ·Σσᵢ·v + σ² − limit² = 0 for v.
    """
    lean = STRESS_CORRELATION * total
    rest = limit * limit - joint_volatility(total, squares) ** 2
    return math.sqrt(lean * lean + rest) - lean if rest > 0.0 else 0.0


def volatility_within(limit: float) -> float:
    """The σ at which the parametric shortfall reaches `limit`."""
    return limit / (FAT_TAILS * NORMAL_SHORTFALL)
