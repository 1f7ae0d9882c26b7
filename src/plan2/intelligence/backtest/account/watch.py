"""What makes a quiet quote cheap: prices, a time and an equity beyond which something happens.

All of it follows from the book and is worked out afresh whenever the book changes. Equity of a
quiet quote is a formula in floating point; `slack` is how far it may be from the exact cents.
"""

import math

from plan2.intelligence.backtest.account.codes import OPEN
from plan2.intelligence.backtest.account.compiled import outlined
from plan2.intelligence.backtest.account.records import (
    NEVER,
    RESERVE,
    ROWS,
    Account,
    Position,
)
from plan2.intelligence.backtest.account.valuation import OWN, margin_now
from plan2.intelligence.features.kernels import kernel


@outlined(0)
def refresh(account: Account) -> None:
    """Work out everything that a quiet quote is compared with."""
    account.wake_ns = min(account.rollover_ns, account.next_sample_ns)
    account.bid_low = account.ask_low = -NEVER
    account.bid_high = account.ask_high = NEVER
    account.longs = account.shorts = account.cost = 0.0
    account.cash = float(account.balance)
    account.aim_longs = account.aim_shorts = 0
    is_exact = account.terms.quote_source == OWN and (
        1000 * account.terms.money_up % account.terms.money_down == 0
    )
    for index in range(account.held):
        position = account.positions[index]
        weigh(account, position)
        guard(account, position)
        is_exact = is_exact and position.open % 1000 == 0
    for index in range(account.waiting):
        request = account.requests[index]
        account.wake_ns = min(account.wake_ns, request.due_ns)
        if request.kind == OPEN:
            aim_at(account, request.side, request.lots)
    account.aim = account.aim_longs - account.aim_shorts
    bound_equity(account, 0.0 if is_exact else 0.5 * account.held + 0.01)
    room = ROWS - RESERVE
    if account.orders > room or account.trades > room or account.samples > room:
        account.wake_ns = 0


@outlined(0)
def look_back(account: Account) -> None:
    """Take the quotes since the last look, this one included, into each position's extremes."""
    if account.one_side > 0:
        account.lowest_bid, account.highest_bid = account.lowest, account.highest
    elif account.one_side < 0:
        account.lowest_ask, account.highest_ask = account.lowest, account.highest
    low_bid, high_bid = min(account.lowest_bid, account.bid), max(account.highest_bid, account.bid)
    low_ask, high_ask = min(account.lowest_ask, account.ask), max(account.highest_ask, account.ask)
    for index in range(account.held):
        position = account.positions[index]
        if position.side > 0:
            position.best = max(position.best, high_bid)
            position.worst = min(position.worst, low_bid)
        else:
            position.best = min(position.best, low_ask)
            position.worst = max(position.worst, high_ask)
    account.lowest_bid = account.highest_bid = account.bid
    account.lowest_ask = account.highest_ask = account.ask
    account.lowest = account.highest = account.bid if account.one_side > 0 else account.ask


@kernel
def weigh(account: Account, position: Position) -> None:
    """Add a position to the formula of equity and to what will be held."""
    if position.side > 0:
        account.longs += position.lots
    else:
        account.shorts += position.lots
    account.cost += position.side * position.lots * (position.open / 1000.0)
    account.cash += position.swap
    aim_at(account, position.side, position.lots - position.leaving)


@kernel
def aim_at(account: Account, side: int, lots: int) -> None:
    """Add steps to what will be held when all requests are done."""
    if side > 0:
        account.aim_longs += lots
    else:
        account.aim_shorts += lots


@kernel
def guard(account: Account, position: Position) -> None:
    """Narrow the prices and the time within which a quote does not concern a position."""
    side = position.side
    loss = position.stop if position.stop != 0 else -side * NEVER
    gain = position.target if position.target != 0 else side * NEVER
    gain = nearer(side, gain, next_trail(position))
    gain = nearer(side, gain, next_step(account, position))
    if side > 0:
        account.bid_low = max(account.bid_low, loss)
        account.bid_high = min(account.bid_high, gain)
    else:
        account.ask_high = min(account.ask_high, loss)
        account.ask_low = max(account.ask_low, gain)
    if position.expires_ns > 0 and position.lots > position.leaving:
        account.wake_ns = min(account.wake_ns, position.expires_ns)


@kernel
def nearer(side: int, one: int, other: int) -> int:
    """Which of two prices above a long (below a short) is reached first."""
    return min(one, other) if side > 0 else max(one, other)


@kernel
def next_trail(position: Position) -> int:
    """The closing price at which a trailing stop moves next, points."""
    side = position.side
    if position.trailing == 0:
        return side * NEVER
    if position.stop == 0:
        return -side * NEVER
    return position.stop + side * (position.trailing + max(position.trailing_step, 1))


@kernel
def next_step(account: Account, position: Position) -> int:
    """The nearest closing price of a break-even move or a partial exit still to come, points."""
    terms, side = account.terms, position.side
    found = side * NEVER
    if position.risk == 0:
        return found
    if terms.break_even_after_r > 0.0 and position.is_break_even == 0:
        found = reached_at(position, terms.break_even_after_r)
    for which in range(terms.partials_known):
        if position.partials_done >> which & 1 == 0:
            found = nearer(side, found, reached_at(position, terms.partial_at_r[which]))
    return found


@kernel
def reached_at(position: Position, multiple: float) -> int:
    """The first closing price whose profit is at least `multiple` of the first risk, points."""
    gain = multiple * position.risk
    if position.side > 0:
        return math.ceil(position.open / 1000.0 + gain - 1e-6)
    return math.floor(position.open / 1000.0 - gain + 1e-6)


@kernel
def bound_equity(account: Account, slack: float) -> None:
    """Between these, no peak, drawdown, limit or stop-out is possible; cents."""
    terms, peak = account.terms, float(account.peak)
    account.per_point = 1000.0 * terms.money_up / terms.money_down
    low = max(peak - account.max_drawdown, peak * (1.0 - account.max_drawdown_share))
    if terms.daily_loss_fraction > 0.0 and account.halted_day == 0:
        low = max(low, account.day_start * (1.0 - terms.daily_loss_fraction) + 0.01)
    if terms.drawdown_fraction > 0.0 and account.halted == 0:
        low = max(low, peak * (1.0 - terms.drawdown_fraction) + 0.01)
    if account.held > 0:
        level = terms.stop_out_up / terms.stop_out_down
        low = max(low, margin_now(account) * level + 0.01)
    account.equity_low = low + slack
    account.equity_high = peak - slack
    bound_price(account)


@kernel
def bound_price(account: Account) -> None:
    """Where all positions are of one side and nothing is converted, equity bounds the price too."""
    was = account.one_side
    account.one_side = 0
    if account.terms.quote_source == OWN and account.shorts == 0.0 and account.longs > 0.0:
        account.one_side = 1
        account.low, account.high = account.bid_low, account.bid_high
    elif account.terms.quote_source == OWN and account.longs == 0.0 and account.shorts > 0.0:
        account.one_side = -1
        account.low, account.high = account.ask_low, account.ask_high
    side = account.one_side
    if side != 0:
        lots = side * (account.longs + account.shorts)
        worst = (account.equity_low - account.cash) / account.per_point + account.cost
        best = (account.equity_high - account.cash) / account.per_point + account.cost
        first, last = min(worst / lots, best / lots), max(worst / lots, best / lots)
        account.low = max(account.low, math.ceil(max(first, 0.0) - 1e-6) - 1)
        account.high = min(account.high, math.floor(min(last, 1e15) + 1e-6) + 1)
    if side != was:
        account.lowest = account.highest = account.bid if side > 0 else account.ask
