"""Rules on the price: its age, the spread, the stop's distance, and the price collar.

The collar compares the order's price with the symbol's last mid and with its mean over a window, so
that neither a slip of a finger nor one wild quote sends an order far from the market (RTS 6
Art. 15(1)(a)). Without a reference, or with an old one, nothing passes.
"""

from plan2.foundation.config.schema import Risk
from plan2.intelligence.risk.limits import RiskInputs
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.risk.verdicts import IMPOSSIBLE, at_least, at_most


def tick_age(inputs: RiskInputs, limits: Risk) -> Check:
    """Age of the quote acted on, milliseconds."""
    return at_most("tick_age", inputs.account.tick_age_ms, float(limits.tick_age_max_ms))


def spread(inputs: RiskInputs, limits: Risk) -> Check:
    """Spread as a fraction of the stop distance."""
    distance = inputs.stop_distance
    fraction = inputs.spread / distance if distance > 0 else IMPOSSIBLE
    return at_most("spread", fraction, limits.spread_max_fraction_of_stop)


def stop_distance(inputs: RiskInputs, limits: Risk) -> Check:
    """A stop travels with the order and is not inside the noise of the spread."""
    least = max(limits.stop_distance_min_spreads * inputs.spread, 1e-12)
    return at_least("stop_distance", inputs.stop_distance, least)


def stop_kept(inputs: RiskInputs, _: Risk) -> Check:
    """Only a person moves a stop away from the market or removes it; quote currency."""
    limit = IMPOSSIBLE if inputs.asked_by_person == 1.0 else 0.0
    return at_most("stop_kept", inputs.stop_loosened, limit)


def reference_age(inputs: RiskInputs, limits: Risk) -> Check:
    """Age of the collar's reference, milliseconds."""
    limit = float(limits.collar_reference_max_age_ms)
    return at_most("reference_age", inputs.account.reference_age_ms, limit)


def collar(inputs: RiskInputs, limits: Risk) -> Check:
    """Distance of the price from the last mid, as a fraction of it."""
    return at_most("collar", inputs.deviation_fraction, limits.collar_max_fraction)


def collar_points(inputs: RiskInputs, limits: Risk) -> Check:
    """Distance of the price from the last mid, points."""
    return at_most("collar_points", inputs.deviation_points, limits.collar_max_points)


def collar_window(inputs: RiskInputs, limits: Risk) -> Check:
    """Distance of the price from the mean mid of the window, as a fraction of it."""
    limit = limits.collar_window_max_fraction
    return at_most("collar_window", inputs.window_deviation_fraction, limit)


def collar_pending(inputs: RiskInputs, limits: Risk) -> Check:
    """Distance of a pending order's price from the last mid, as a fraction of it."""
    limit = limits.collar_pending_max_fraction
    return at_most("collar_pending", inputs.deviation_fraction, limit)
