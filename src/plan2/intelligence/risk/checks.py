"""The rules of the risk gate: one small pure function each; a rule says what it saw and its limit.

A rule passes when `value` is within `limit`. A figure that is not a number fails the rule that
needs it: what cannot be checked is not allowed.
"""

from collections.abc import Callable

from plan2.foundation.config.schema import Risk
from plan2.intelligence.risk.limits import RiskInputs
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.risk.state import TradingState

Rule = Callable[[RiskInputs, Risk], Check]


IMPOSSIBLE = 1e12
"""Stands for a figure that could not be computed; finite, so that records stay plain JSON."""


def _check(rule: str, passed: bool, value: float, limit: float) -> Check:
    return Check(rule=rule, passed=passed, value=_finite(value), limit=_finite(limit))


def _finite(number: float) -> float:
    if -IMPOSSIBLE < number < IMPOSSIBLE:
        return number
    return -IMPOSSIBLE if number < 0.0 else IMPOSSIBLE


def _at_most(rule: str, value: float, limit: float) -> Check:
    return _check(rule, value <= limit, value, limit)


def _at_least(rule: str, value: float, limit: float) -> Check:
    return _check(rule, value >= limit, value, limit)


def trading_state(inputs: RiskInputs, _: Risk) -> Check:
    """Trading is armed (0 armed, 1 paused, 2 halted)."""
    return _at_most("trading_state", inputs.account.trading_state, float(TradingState.ARMED))


def symbol_blocked(inputs: RiskInputs, _: Risk) -> Check:
    """No order of this symbol has an unknown outcome."""
    return _at_most("symbol_blocked", inputs.account.symbol_blocked, 0.0)


def positions(inputs: RiskInputs, limits: Risk) -> Check:
    """Positions after this order, orders under way included."""
    return _at_most("positions", inputs.account.positions + 1, float(limits.positions_max))


def positions_per_symbol(inputs: RiskInputs, limits: Risk) -> Check:
    """Positions of the symbol after this order, orders under way included."""
    limit = float(limits.positions_per_symbol_max)
    return _at_most("positions_per_symbol", inputs.account.positions_symbol + 1, limit)


def order_value(inputs: RiskInputs, limits: Risk) -> Check:
    """Notional of this order, account currency."""
    return _at_most(
        "order_value", inputs.order_value, limits.order_value_max_fraction * inputs.account.equity
    )


def exposure(inputs: RiskInputs, limits: Risk) -> Check:
    """Gross notional after this order, account currency."""
    total = inputs.account.exposure + inputs.order_value
    return _at_most("exposure", total, limits.exposure_max_fraction * inputs.account.equity)


def margin(inputs: RiskInputs, _: Risk) -> Check:
    """Margin this order needs against what is free, account currency."""
    return _at_most("margin", inputs.margin_needed, inputs.account.margin_free)


def daily_loss(inputs: RiskInputs, limits: Risk) -> Check:
    """Loss since the broker's midnight as a fraction of that equity, open positions included."""
    start = inputs.account.day_start_equity
    loss = (start - inputs.account.equity) / start if start > 0 else 1.0
    limit = limits.daily_loss_max_fraction
    return _check("daily_loss", loss < limit, loss, limit)


def drawdown(inputs: RiskInputs, limits: Risk) -> Check:
    """Fall of equity from its peak as a fraction, open positions included."""
    peak = inputs.account.peak_equity
    fall = (peak - inputs.account.equity) / peak if peak > 0 else 1.0
    limit = limits.drawdown_max_fraction
    return _check("drawdown", fall < limit, fall, limit)


def spread(inputs: RiskInputs, limits: Risk) -> Check:
    """Spread as a fraction of the stop distance."""
    distance = inputs.stop_distance
    fraction = inputs.spread / distance if distance > 0 else IMPOSSIBLE
    return _at_most("spread", fraction, limits.spread_max_fraction_of_stop)


def tick_age(inputs: RiskInputs, limits: Risk) -> Check:
    """Age of the quote acted on, milliseconds."""
    return _at_most("tick_age", inputs.account.tick_age_ms, float(limits.tick_age_max_ms))


def stop_distance(inputs: RiskInputs, limits: Risk) -> Check:
    """A stop travels with the order and is not inside the noise of the spread."""
    least = max(limits.stop_distance_min_spreads * inputs.spread, 1e-12)
    return _at_least("stop_distance", inputs.stop_distance, least)


def order_rate(inputs: RiskInputs, limits: Risk) -> Check:
    """Orders in the last minute, this one included."""
    limit = float(limits.orders_per_minute_max)
    return _at_most("order_rate", inputs.account.orders_last_minute + 1, limit)


def duplicate(inputs: RiskInputs, limits: Risk) -> Check:
    """Seconds since the same intent was approved."""
    return _at_least("duplicate", inputs.account.seconds_since_same, limits.duplicate_window_s)


def volume(inputs: RiskInputs, _: Risk) -> Check:
    """The quantity lies on the broker's volume grid (1 = yes)."""
    return _at_least("volume", inputs.quantity_tradable, 1.0)


def reduces(inputs: RiskInputs, _: Risk) -> Check:
    """A closing order is not larger than the position it closes."""
    return _at_most("reduces", inputs.quantity, inputs.account.position_quantity + 1e-9)


OPENING: tuple[Rule, ...] = (
    trading_state,
    symbol_blocked,
    tick_age,
    spread,
    stop_distance,
    volume,
    positions,
    positions_per_symbol,
    order_value,
    exposure,
    margin,
    daily_loss,
    drawdown,
    order_rate,
    duplicate,
)
"""What an order that adds risk has to pass."""

REDUCING: tuple[Rule, ...] = (symbol_blocked, volume, reduces)
"""What an order that only takes risk away has to pass: a halt never blocks the way out."""
