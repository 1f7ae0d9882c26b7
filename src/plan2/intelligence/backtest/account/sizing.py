"""How many steps to trade."""

import math

from plan2.intelligence.backtest.account.records import Account
from plan2.intelligence.backtest.account.valuation import equity_now, quote_rate
from plan2.intelligence.features.kernels import kernel


@kernel
def lots_in_steps(account: Account, lots: float) -> int:
    """Lots as steps, rounded down to a tradable volume; 0 when even the least is too much."""
    terms = account.terms
    if not lots > 0.0:
        return 0
    steps = math.floor(min(lots / terms.volume_step, float(terms.volume_max)) + 1e-9)
    return steps if steps >= terms.volume_min else 0


@kernel
def lots_for_risk(account: Account, fraction: float, stop: int) -> int:
    """Steps whose loss at a stop so many points away is `fraction` of equity, rounded down.

    0 without a stop, without equity, or when the least volume risks more.
    """
    terms = account.terms
    loss = stop * 1000.0 * terms.money_up / terms.money_down * quote_rate(account)
    if not loss > 0.0:
        return 0
    steps = max(equity_now(account), 0) * fraction / loss
    return lots_in_steps(account, steps * terms.volume_step)
