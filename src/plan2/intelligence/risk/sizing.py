"""How much: the smallest of several caps, each shown in the decision record.

- risk: the loss at the stop is at most the configured fraction of equity.
- kelly: a quarter of the Kelly fraction at the pessimistic probability: with even payoff
  f* = 2·p − 1 is the fraction of equity to lose at the stop.
- order_value, order_volume, exposure, margin: what the risk gate will allow.
- model: the share that is left when the champion is past its expiry or otherwise doubted.
"""

from plan2.foundation.config.schema import Risk
from plan2.foundation.instrument import Instrument
from plan2.intelligence.risk.limits import FIRST_RULE_SET, AccountFigures
from plan2.intelligence.risk.parts import SizePart

KELLY_SHARE = 0.25


def size_of(
    instrument: Instrument,
    account: AccountFigures,
    p_lcb: float,
    loss_distance: float,
    limits: Risk,
) -> SizePart:
    """The quantity in lots; 0.0 when the binding cap leaves less than the smallest volume.

    `p_lcb` is the pessimistic probability of winning, `loss_distance` what is lost at the stop with
    all cost, quote currency per unit of the base.
    """
    lot_value = instrument.contract_size * account.base_rate
    loss_per_lot = loss_distance * instrument.contract_size * account.quote_rate
    kelly_fraction = max(0.0, KELLY_SHARE * (2.0 * p_lcb - 1.0))
    room = limits.exposure_max_fraction * account.equity - account.exposure
    caps = {
        "risk": limits.risk_per_trade_fraction * account.equity / loss_per_lot,
        "kelly": kelly_fraction * account.equity / loss_per_lot,
        "order_value": limits.order_value_max_fraction * account.equity / lot_value,
        "exposure": max(0.0, room) / lot_value,
        "margin": max(0.0, account.margin_free) * instrument.leverage / lot_value,
        "volume_max": instrument.volume_max,
    }
    if account.rule_set != FIRST_RULE_SET:
        caps["order_volume"] = account.volume_max_lots
    binding = min(caps, key=lambda name: caps[name])
    quantity = instrument.round_volume_down(max(0.0, caps[binding]))
    return SizePart(quantity=quantity, caps=caps, binding=binding)


def reduced(size: SizePart, factor: float, instrument: Instrument) -> SizePart:
    """A share of a size, because of how the models stand; `factor` in (0, 1]."""
    if factor == 1.0:
        return size
    cap = factor * size.quantity
    quantity = instrument.round_volume_down(cap)
    return SizePart(quantity=quantity, caps={**size.caps, "model": cap}, binding="model")


def smallest(instrument: Instrument) -> SizePart:
    """The least volume that can be traded, for a paper account that explores."""
    quantity = instrument.volume_min
    return SizePart(quantity=quantity, caps={"exploration": quantity}, binding="exploration")
