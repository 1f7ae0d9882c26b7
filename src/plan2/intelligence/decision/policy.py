"""The decision: is the forecast worth its cost, and which side.

Pure arithmetic on one tick and one forecast. The bet is the forecast's own proposition: the mid
moves by the barrier in our direction before it moves as far against us. We enter across the spread
and pay commission on both sides, so

    ev      = (2·p − 1)·barrier − cost,      cost = spread + commission (both sides, per unit)
    ev_lcb  = the same with p − w·standard_error

and the bet is taken only when ev_lcb exceeds the configured margin (specs: expected value after
cost, at the lower confidence bound).
"""

from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick
from plan2.intelligence.decision.record import EdgePart, Reason
from plan2.intelligence.models.forecast import Forecast


def edge_of(
    tick: Tick,
    forecast: Forecast,
    instrument: Instrument,
    quote_rate: float,
    config: DecisionConfig,
) -> EdgePart:
    """The arithmetic of the better side of the bet, in quote currency per unit of the base.

    `quote_rate`: account currency per unit of quote currency.
    """
    side = 1 if forecast.p_up >= 0.5 else -1
    p = forecast.p_up if side == 1 else 1.0 - forecast.p_up
    p_lcb = max(0.0, p - config.uncertainty_weight * forecast.standard_error)
    spread = tick.ask - tick.bid
    commission = commission_per_unit(instrument, quote_rate)
    cost = spread + commission
    return EdgePart(
        side=side,
        p=p,
        p_lcb=p_lcb,
        spread=spread,
        commission=commission,
        cost=cost,
        ev=(2.0 * p - 1.0) * forecast.barrier - cost,
        ev_lcb=(2.0 * p_lcb - 1.0) * forecast.barrier - cost,
        margin=config.margin_fraction_of_cost * cost,
    )


def commission_per_unit(instrument: Instrument, quote_rate: float) -> float:
    """Commission of a round trip, in quote currency per unit of the base."""
    per_lot = 2.0 * float(instrument.commission_per_lot)
    return per_lot / (instrument.lot_units * quote_rate)


def verdict_of(edge: EdgePart) -> Reason:
    """Whether the bet itself is worth taking, before anything about the account; NaN never is."""
    if not edge.ev > edge.margin:
        return Reason.COST_ABOVE_EDGE
    if not edge.ev_lcb > edge.margin:
        return Reason.EDGE_UNCERTAIN
    return Reason.EXPECTED_VALUE
