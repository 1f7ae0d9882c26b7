"""Rules on what all positions do together: a day's deviation, the worst days, one currency.

They hold the same limits as the sizes of models and flows (`risk.sizing`), for every order that
opens risk, whoever wants it. What an order under change reserves already is taken out first.
Amounts are looked at to a millionth of the account's currency, so that a size that was cut down to
a limit is not one rounding above it.
"""

import math
from typing import Final

from plan2.foundation.config.schema import Risk
from plan2.intelligence.risk.limits import AccountFigures, RiskInputs
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.risk.shortfall import FAT_TAILS, NORMAL_SHORTFALL, joint_volatility
from plan2.intelligence.risk.verdicts import at_most

DECIMALS: Final = 6


def volatility_target(inputs: RiskInputs, limits: Risk) -> Check:
    """A day's deviation of all positions after this order, account currency."""
    limit = limits.volatility_target_fraction * inputs.account.equity
    return _money("volatility_target", _volatility_after(inputs, limits), limit)


def expected_shortfall(inputs: RiskInputs, limits: Risk) -> Check:
    """What the worst 2.5 % of days cost after this order, account currency.

    The largest of the account's own history, the normal distribution with fat tails, and the
    stress move against everything that is open.
    """
    account = inputs.account
    exposure = account.exposure + _added(inputs)
    worst = _worst_days(account, limits, _volatility_after(inputs, limits), exposure)
    limit = limits.expected_shortfall_max_fraction * account.equity
    return _money("expected_shortfall", worst, limit)


def currency(inputs: RiskInputs, limits: Risk) -> Check:
    """Net exposure to the currency that this order adds most to, account currency."""
    account, added = inputs.account, _added(inputs)
    bought = inputs.side * account.base_exposure + added
    sold = added - inputs.side * account.quote_exposure
    worst = math.nan if math.isnan(bought + sold) else max(bought, sold)
    return _money("currency", worst, limits.currency_exposure_max_fraction * account.equity)


def volatility_of(account: AccountFigures) -> float:
    """A day's deviation of all positions as they are, account currency."""
    return joint_volatility(account.volatility_sum, account.volatility_squares)


def shortfall_of(account: AccountFigures, limits: Risk) -> float:
    """What the worst 2.5 % of days cost with the positions as they are, account currency."""
    return _worst_days(account, limits, volatility_of(account), account.exposure)


def _worst_days(account: AccountFigures, limits: Risk, volatility: float, exposure: float) -> float:
    """The largest of history, the normal distribution with fat tails, and the stress move."""
    parts = (
        account.shortfall_history * account.equity,
        FAT_TAILS * NORMAL_SHORTFALL * volatility,
        limits.stress_move_fraction * exposure,
    )
    return math.nan if any(math.isnan(part) for part in parts) else max(parts)


def _added(inputs: RiskInputs) -> float:
    """Notional that this order brings beyond what is reserved for it already."""
    return inputs.order_value - inputs.account.reserved_value


def _volatility_after(inputs: RiskInputs, limits: Risk) -> float:
    """σ of a day of all positions with this order; the stress move where σ is not known yet."""
    account = inputs.account
    known = account.volatility_day
    sigma = limits.stress_move_fraction if math.isnan(known) else known
    before, after = account.reserved_value * sigma, inputs.order_value * sigma
    total = account.volatility_sum - before + after
    squares = account.volatility_squares - before * before + after * after
    return joint_volatility(total, max(squares, 0.0))  # in this order NaN stays NaN


def _money(rule: str, value: float, limit: float) -> Check:
    return at_most(rule, round(value, DECIMALS), round(limit, DECIMALS))
