"""How many steps to trade: the sizes that an account decides live, by the same arithmetic.

Live, `decision.decide_flow` asks for lots or for a share of equity, `risk.sizing` holds that to the
free margin, and both go by the middle of the last quote; the broker's own equity and margin
(`valuation.py`) decide what is carried out. The operations and their order are those of the Python
side, so both come to the same step; `tests/property/test_engines_parity.py` holds them together.
"""

import math

from plan2.intelligence.backtest.account.compiled import outlined
from plan2.intelligence.backtest.account.money import cents
from plan2.intelligence.backtest.account.records import Account
from plan2.intelligence.backtest.account.valuation import ASK, BID, OWN, closing, lots_of
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
    rate = middle_rate(account, terms.quote_source, account.given_quote_rate)
    loss_per_lot = stop / terms.scale * terms.lot_units * rate
    if not loss_per_lot > 0.0:
        return 0
    return lots_in_steps(account, fraction * (decided_equity(account) / 100.0) / loss_per_lot)


@kernel
def steps_of_entry(account: Account, side: int, lots: float, risk: float) -> int:
    """Steps of an entry that carries `account.exits`: `lots`, or those for the share `risk`.

    No more than the free margin carries, with what is being closed counted as closed; of them the
    share that the models behind the flow are worth.
    """
    if risk > 0.0:
        steps = lots_for_risk(account, risk, account.exits.stop)
    else:
        steps = lots_in_steps(account, lots)
    steps = min(steps, steps_within_margin(account, side))
    if account.model_share < 1.0:
        steps = lots_in_steps(account, account.model_share * lots_of(account, steps))
    return steps


@kernel
def middle_rate(account: Account, source: int, given: float) -> float:
    """Account currency per unit of a currency, by the middle of the last quote."""
    if source == OWN:
        return 1.0
    scale = account.terms.scale
    middle = (account.bid / scale + account.ask / scale) * 0.5
    if source == BID:
        return middle
    return 1.0 / middle if source == ASK else given


@outlined(0)
def decided_equity(account: Account) -> int:
    """Balance plus what the open positions would bring at the last quote, without swap, cents."""
    terms = account.terms
    rate = middle_rate(account, terms.quote_source, account.given_quote_rate)
    total = account.balance
    for index in range(account.held):
        position = account.positions[index]
        move = position.side * (closing(account, position.side) * 1000 - position.open)
        total += cents(move * position.lots * terms.money_up, terms.money_down, rate)
    return total


@outlined(1)
def steps_within_margin(account: Account, side: int) -> int:
    """Steps of a side that the free margin carries."""
    free = decided_equity(account) / 100.0
    bound = 0.0
    for index in range(account.held):
        position = account.positions[index]
        staying = position.lots - position.leaving
        if staying > 0:
            bound += margin_of(account, position.side, lots_of(account, staying))
    return lots_in_steps(account, lots_within(account, side, max(free - bound, 0.0)))


@kernel
def margin_of(account: Account, side: int, lots: float) -> float:
    """What lots bind at the last quote, account currency; `Instrument.margin_of`."""
    terms = account.terms
    share = terms.margin_rate_long if side > 0 else terms.margin_rate_short
    if terms.is_margin_per_lot != 0:
        rate = middle_rate(account, terms.quote_source, account.given_quote_rate)
        return lots * terms.margin_initial * rate * share
    rate = middle_rate(account, terms.base_source, account.given_base_rate)
    return lots * terms.lot_units * rate / terms.leverage * share


@kernel
def lots_within(account: Account, side: int, free: float) -> float:
    """Lots that a free margin carries; `Instrument.lots_within`."""
    terms = account.terms
    if terms.is_margin_per_lot != 0:
        return free / margin_of(account, side, 1.0)
    share = terms.margin_rate_long if side > 0 else terms.margin_rate_short
    rate = middle_rate(account, terms.base_source, account.given_base_rate)
    return free * terms.leverage / (terms.lot_units * rate) / share
