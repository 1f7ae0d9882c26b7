"""Rules on how much: positions, value, exposure, margin, losses."""

from plan2.foundation.config.schema import Risk
from plan2.intelligence.risk.limits import RiskInputs
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.risk.verdicts import at_most, below


def positions(inputs: RiskInputs, limits: Risk) -> Check:
    """Positions after this order, orders under way and working ones included."""
    account = inputs.account
    after = account.positions - account.reserved_positions + 1
    return at_most("positions", after, float(limits.positions_max))


def positions_per_symbol(inputs: RiskInputs, limits: Risk) -> Check:
    """Positions of the symbol after this order."""
    after = inputs.account.positions_symbol + 1
    return at_most("positions_per_symbol", after, float(limits.positions_per_symbol_max))


def order_value(inputs: RiskInputs, limits: Risk) -> Check:
    """Notional of this order, account currency."""
    limit = limits.order_value_max_fraction * inputs.account.equity
    return at_most("order_value", inputs.order_value, limit)


def exposure(inputs: RiskInputs, limits: Risk) -> Check:
    """Gross notional after this order, open and reserved, account currency."""
    account = inputs.account
    total = account.exposure - account.reserved_value + inputs.order_value
    return at_most("exposure", total, limits.exposure_max_fraction * account.equity)


def margin(inputs: RiskInputs, _: Risk) -> Check:
    """Margin this order needs against what is free, account currency."""
    return at_most("margin", inputs.margin_needed, inputs.account.margin_free)


def daily_loss(inputs: RiskInputs, limits: Risk) -> Check:
    """Loss since the broker's midnight as a fraction of that equity, open positions included."""
    start = inputs.account.day_start_equity
    loss = (start - inputs.account.equity) / start if start > 0 else 1.0
    return below("daily_loss", loss, limits.daily_loss_max_fraction)


def weekly_loss(inputs: RiskInputs, limits: Risk) -> Check:
    """Loss since the broker's week began as a fraction of that equity, open positions included."""
    start = inputs.account.week_start_equity
    loss = (start - inputs.account.equity) / start if start > 0 else 1.0
    return below("weekly_loss", loss, limits.weekly_loss_max_fraction)


def drawdown(inputs: RiskInputs, limits: Risk) -> Check:
    """Fall of equity from its peak as a fraction, open positions included."""
    peak = inputs.account.peak_equity
    fall = (peak - inputs.account.equity) / peak if peak > 0 else 1.0
    return below("drawdown", fall, limits.drawdown_max_fraction)
