"""The figures of one order for the risk gate; the same for models, people and the kill switch."""

import math

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick
from plan2.intelligence.risk.limits import AccountFigures, Intent, RiskInputs


def inputs_of(
    intent: Intent, instrument: Instrument, tick: Tick, account: AccountFigures
) -> RiskInputs:
    """What the gate looks at; `tick` is the quote that the order goes by.

    The deviation is that of the order's furthest price: of a stop-limit order both count.
    """
    value = intent.quantity * instrument.lot_units * account.base_rate
    distance = _furthest(intent, account.reference_mid)
    return RiskInputs(
        account=account,
        quantity=intent.quantity,
        quantity_tradable=float(instrument.is_tradable_volume(intent.quantity)),
        order_value=value,
        margin_needed=instrument.margin_of(intent.side, intent.quantity, value, account.quote_rate),
        spread=tick.ask - tick.bid,
        stop_distance=abs(intent.price - intent.stop_loss) if intent.stop_loss > 0 else 0.0,
        deviation_fraction=_fraction(distance, account.reference_mid),
        deviation_points=instrument.points(distance),
        window_deviation_fraction=_fraction(
            _furthest(intent, account.window_mid), account.window_mid
        ),
        side=float(intent.side.value),
    )


def _furthest(intent: Intent, reference: float) -> float:
    """The largest distance of the order's prices from the reference; NaN without one."""
    distance = abs(intent.price - reference)
    if intent.limit_price > 0.0:
        return max(distance, abs(intent.limit_price - reference))
    return distance


def _fraction(distance: float, reference: float) -> float:
    return distance / reference if reference > 0.0 else math.nan
