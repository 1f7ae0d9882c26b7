"""What an account is worth at its last quote and what margin it binds; exact to the cent.

Margin on a hedging account is MetaTrader's: the lots of the longer side that the other does not
cover bind that side's average margin, covered lots bind none.
"""

from plan2.intelligence.backtest.account.compiled import outlined
from plan2.intelligence.backtest.account.money import cents, divided
from plan2.intelligence.backtest.account.records import Account
from plan2.intelligence.features.kernels import kernel

OWN, BID, ASK, GIVEN = range(4)
"""Where a currency's rate comes from: it is the account's, the bid, one over the ask, given."""
LOT_DIGITS = 1e8


@kernel
def quote_rate(account: Account) -> float:
    """Account currency per unit of the symbol's quote currency; 0 when nobody gave it."""
    return _rate(account, account.terms.quote_source, account.given_quote_rate)


@kernel
def base_rate(account: Account) -> float:
    """Account currency per unit of the symbol's base currency; 0 when nobody gave it."""
    return _rate(account, account.terms.base_source, account.given_base_rate)


@kernel
def _rate(account: Account, source: int, given: float) -> float:
    if source == OWN:
        return 1.0
    if source == BID:
        return account.bid / account.terms.scale
    return 1.0 / (account.ask / account.terms.scale) if source == ASK else given


@kernel
def lots_of(account: Account, steps: int) -> float:
    """Steps as lots, the float that prints with at most eight decimals."""
    return round(steps * account.terms.volume_step * LOT_DIGITS) / LOT_DIGITS


@kernel
def closing(account: Account, side: int) -> int:
    """What a position of this side is closed at, points: a long at the bid, a short at the ask."""
    return account.bid if side > 0 else account.ask


@outlined(3)
def profit(account: Account, index: int, lots: int, price: int) -> int:
    """Gross profit of so many steps of a position closed at `price` (thousandths), cents."""
    terms, position = account.terms, account.positions[index]
    amount = position.side * (price - position.open) * lots * terms.money_up
    return cents(amount, terms.money_down, quote_rate(account))


@kernel
def open_profit(account: Account, index: int) -> int:
    """Gross profit of a position at the last quote, cents."""
    position = account.positions[index]
    return profit(account, index, position.lots, closing(account, position.side) * 1000)


@outlined(0)
def equity_now(account: Account) -> int:
    """Balance plus what the open positions would bring at the last quote, swap included, cents."""
    total = account.balance
    for index in range(account.held):
        total += open_profit(account, index) + account.positions[index].swap
    account.equity = total
    return total


@outlined(2)
def lots_margin(account: Account, side: int, lots: int) -> int:
    """What so many steps of a side bind when nothing covers them, cents; `Instrument.margin`."""
    terms = account.terms
    if terms.is_margin_per_lot != 0:
        amount = lots_of(account, lots) * terms.margin_initial * quote_rate(account)
    else:
        amount = lots_of(account, lots) * terms.lot_units / terms.leverage * base_rate(account)
    rate = terms.margin_rate_long if side > 0 else terms.margin_rate_short
    return cents(100, 1, amount * rate)


@kernel
def commission(account: Account, lots: int) -> int:
    """What one side costs, cents, positive."""
    return divided(lots * account.terms.commission_up, account.terms.commission_down)


@kernel
def hedged(longs: int, long_margin: int, shorts: int, short_margin: int) -> int:
    """Margin of two opposite legs, steps and cents."""
    if longs == 0 or shorts == 0:
        return long_margin + short_margin
    if longs >= shorts:
        return divided(long_margin * (longs - shorts), longs)
    return divided(short_margin * (shorts - longs), shorts)


@kernel
def margin_with(account: Account, side: int, lots: int, margin: int) -> int:
    """What the open positions bind together with `lots` more of a side that alone bind `margin`."""
    longs = shorts = long_margin = short_margin = 0
    for index in range(account.held):
        position = account.positions[index]
        if position.side > 0:
            longs += position.lots
            long_margin += position.margin
        else:
            shorts += position.lots
            short_margin += position.margin
    if side > 0:
        return hedged(longs + lots, long_margin + margin, shorts, short_margin)
    return hedged(longs, long_margin, shorts + lots, short_margin + margin)


@outlined(0)
def margin_now(account: Account) -> int:
    """What the open positions bind, cents."""
    return margin_with(account, 1, 0, 0)


@outlined(2)
def further_margin(account: Account, side: int, lots: int) -> int:
    """How much more an entry would bind, cents; zero or less when it covers or reduces."""
    if account.terms.is_hedging != 0 or account.held == 0:
        new = lots_margin(account, side, lots)
        return margin_with(account, side, lots, new) - margin_now(account)
    position = account.positions[0]
    if position.side == side:
        return lots_margin(account, side, lots)
    rest = lots - position.lots
    return lots_margin(account, side, rest) - position.margin if rest > 0 else 0
