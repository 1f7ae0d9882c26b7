"""How much: the smallest of several caps, each shown in the decision record.

- risk: the loss at the stop is at most the configured fraction of equity.
- kelly: a share of the Kelly fraction at the pessimistic probability. With even payoff f* = e =
  2·p − 1 is the fraction of equity to lose at the stop; it is shrunk by e²/(e² + var(e)) (Baker and
  McHale 2013), and a quarter of it is taken until a thousand trades have proven the account, half
  of it afterwards.
- volatility_target: all positions together move at most so much a day, correlations at their worst.
- expected_shortfall: the worst days cost at most so much; the largest of history, 1.5 × the normal
  distribution and a stress move counts.
- currency: the net exposure to each of the two currencies.
- margin, order_value, order_volume, exposure: what the risk gate will allow.
- model: the share that is left when the champion is past its expiry or otherwise doubted.
- news: the share that tagged news leaves for a while; it can veto or shrink, never enlarge.
- flow: what a flow asks for; it knows no probability, so `kelly` says nothing about it.
"""

import math

import msgspec

from plan2.foundation.config.schema import Risk
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side
from plan2.intelligence.risk.limits import (
    FIRST_RULE_SET,
    SECOND_RULE_SET,
    AccountFigures,
)
from plan2.intelligence.risk.parts import SizePart
from plan2.intelligence.risk.shortfall import room_within, volatility_within

KELLY_SHARE = 0.25
PROVEN_KELLY_SHARE = 0.5
PROVEN_AFTER_TRADES = 1_000


class Bet(msgspec.Struct, frozen=True, kw_only=True):
    """What is wagered upon.

    `side` +1 or −1; `p_lcb` the pessimistic probability of winning; `standard_error` of that
    probability; `loss_distance` what is lost at the stop with all cost, quote currency per unit of
    the base.
    """

    side: int
    p_lcb: float
    standard_error: float
    loss_distance: float


def size_of(instrument: Instrument, account: AccountFigures, bet: Bet, limits: Risk) -> SizePart:
    """The quantity in lots; 0.0 when the binding cap leaves less than the smallest volume."""
    loss_per_lot = bet.loss_distance * instrument.lot_units * account.quote_rate
    kelly = _kelly(bet, account) * account.equity / loss_per_lot
    return _smallest_of(_caps(instrument, account, bet, limits, {"kelly": kelly}), instrument)


def size_of_flow(
    instrument: Instrument, account: AccountFigures, bet: Bet, limits: Risk, wanted: float
) -> SizePart:
    """As much as a flow asks for, lots, where the account's caps leave room for it.

    While the symbol's volatility is not known, the stress move stands in for it.
    """
    if math.isnan(account.volatility_day):
        stress = limits.stress_move_fraction
        account = msgspec.structs.replace(account, volatility_day=stress)
    return _smallest_of(_caps(instrument, account, bet, limits, {"flow": wanted}), instrument)


def _caps(
    instrument: Instrument,
    account: AccountFigures,
    bet: Bet,
    limits: Risk,
    own: dict[str, float],
) -> dict[str, float]:
    """Every cap in lots, `own` in the second place: of equal ones the first is named."""
    lot_value = instrument.lot_units * account.base_rate
    loss_per_lot = bet.loss_distance * instrument.lot_units * account.quote_rate
    room = limits.exposure_max_fraction * account.equity - account.exposure
    caps = {
        "risk": limits.risk_per_trade_fraction * account.equity / loss_per_lot,
        **own,
        "order_value": limits.order_value_max_fraction * account.equity / lot_value,
        "exposure": max(0.0, room) / lot_value,
        "margin": instrument.lots_within(
            Side(bet.side), max(0.0, account.margin_free), lot_value, account.quote_rate
        ),
        "volume_max": instrument.volume_max,
    }
    if account.rule_set != FIRST_RULE_SET:
        caps["order_volume"] = account.volume_max_lots
    if account.rule_set not in {FIRST_RULE_SET, SECOND_RULE_SET}:
        caps |= _portfolio_caps(bet, account, limits, lot_value)
    return caps


def _smallest_of(caps: dict[str, float], instrument: Instrument) -> SizePart:
    known = {name: max(0.0, cap) for name, cap in caps.items()}  # NaN allows nothing
    binding = min(known, key=lambda name: known[name])
    quantity = instrument.round_volume_down(known[binding])
    return SizePart(quantity=quantity, caps=known, binding=binding)


def _kelly(bet: Bet, account: AccountFigures) -> float:
    """The fraction of equity to lose at the stop."""
    edge = max(0.0, 2.0 * bet.p_lcb - 1.0)
    if account.rule_set in {FIRST_RULE_SET, SECOND_RULE_SET} or edge == 0.0:
        return KELLY_SHARE * edge
    is_proven = account.live_trades >= PROVEN_AFTER_TRADES
    share = PROVEN_KELLY_SHARE if is_proven else KELLY_SHARE
    return share * shrinkage(edge, 2.0 * bet.standard_error) * edge


def shrinkage(edge: float, error: float) -> float:
    """How far an estimated edge above 0 is to be believed: e²/(e² + var(e)), `error` its σ."""
    return edge * edge / (edge * edge + error * error)


def _portfolio_caps(
    bet: Bet, account: AccountFigures, limits: Risk, lot_value: float
) -> dict[str, float]:
    """What the open positions leave room for, lots."""
    equity, day_of_lot = account.equity, lot_value * account.volatility_day
    taken = (account.volatility_sum, account.volatility_squares)
    target = room_within(limits.volatility_target_fraction * equity, *taken)
    worst = limits.expected_shortfall_max_fraction * equity
    tail = room_within(volatility_within(worst), *taken) / day_of_lot
    stress = (worst / limits.stress_move_fraction - account.exposure) / lot_value
    is_calm = account.shortfall_history * equity < worst
    net = bet.side * account.base_exposure, -bet.side * account.quote_exposure
    rooms = [limits.currency_exposure_max_fraction * equity - leg for leg in net]
    return {
        "volatility_target": target / day_of_lot,
        "expected_shortfall": _least(tail, stress) if is_calm else 0.0,
        "currency": _least(*rooms) / lot_value,
    }


def _least(first: float, second: float) -> float:
    """The smaller one, NaN when either is."""
    return first + second if math.isnan(first + second) else min(first, second)


def reduced(size: SizePart, factor: float, instrument: Instrument, why: str = "model") -> SizePart:
    """A share of a size, because of how the models stand, or of news; `factor` in [0, 1]."""
    if factor >= 1.0:
        return size
    cap = factor * size.quantity
    quantity = instrument.round_volume_down(cap)
    return SizePart(quantity=quantity, caps={**size.caps, why: cap}, binding=why)


def smallest(instrument: Instrument) -> SizePart:
    """The least volume that can be traded, for a paper account that explores."""
    quantity = instrument.volume_min
    return SizePart(quantity=quantity, caps={"exploration": quantity}, binding="exploration")
