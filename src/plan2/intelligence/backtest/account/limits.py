"""The flow's own limits, asked before a request leaves; losses are measured on every quote."""

from plan2.foundation.values import NS_PER_DAY, NS_PER_MINUTE
from plan2.intelligence.backtest.account.codes import (
    BUSY,
    DAILY_LOSS,
    DRAWDOWN,
    HALTED,
    HOURS,
    OPEN,
    ORDERS_PER_DAY,
    POSITIONS,
    SENT,
    SPREAD,
    VOLUME,
)
from plan2.intelligence.backtest.account.records import POSITIONS as TABLE
from plan2.intelligence.backtest.account.records import REQUESTS, Account
from plan2.intelligence.features.kernels import kernel


@kernel
def denial(account: Account, side: int, lots: int) -> int:
    """Which limit forbids an entry at the last quote; `SENT` for none."""
    terms = account.terms
    if account.halted != 0:
        return DRAWDOWN
    if account.halted_day != 0:
        return DAILY_LOSS
    if terms.spread_max > 0.0 and account.ask - account.bid > terms.spread_max:
        return SPREAD
    if not is_within_hours(account):
        return HOURS
    if 0 < terms.orders_per_day_max <= account.orders_today:
        return ORDERS_PER_DAY
    if entries_held(account, side) >= terms.positions_max:
        return POSITIONS
    if lots < terms.volume_min:
        return VOLUME
    is_full = account.waiting >= REQUESTS or account.waiting + account.held >= TABLE
    return BUSY if is_full else SENT


@kernel
def is_within_hours(account: Account) -> bool:
    """Whether the last quote lies within the hours of entries; they may span midnight, UTC."""
    start, end = account.terms.hours_start, account.terms.hours_end
    if start == end:
        return True
    minute = account.ts_ns % NS_PER_DAY // NS_PER_MINUTE
    if start < end:
        return start <= minute < end
    return minute >= start or minute < end


@kernel
def entries_held(account: Account, side: int) -> int:
    """Entries that will be held when every request under way is done.

    On a netting account an opposite entry reduces or turns, so only those of the side count.
    """
    is_hedging = account.terms.is_hedging != 0
    count = 0
    for index in range(account.held):
        position = account.positions[index]
        if position.lots > position.leaving:
            if is_hedging:
                count += 1
            elif position.side == side:
                count += position.entries
    for index in range(account.waiting):
        request = account.requests[index]
        if request.kind == OPEN and (is_hedging or request.side == side):
            count += 1
    return count


@kernel
def mark(account: Account) -> None:
    """Take equity into peak, drawdown and the two limits of loss; `equity` is up to date."""
    terms = account.terms
    equity = account.equity
    account.peak = max(account.peak, equity)
    fall = account.peak - equity
    account.max_drawdown = max(account.max_drawdown, fall)
    if account.peak > 0 and fall > account.max_drawdown_share * account.peak:
        account.max_drawdown_share = fall / account.peak
    if terms.daily_loss_fraction > 0.0 and account.halted_day == 0:
        loss = account.day_start - equity
        if loss > 0 and loss >= terms.daily_loss_fraction * account.day_start:
            account.halted_day = 1
            account.flags |= HALTED
    limit = terms.drawdown_fraction * account.peak
    if terms.drawdown_fraction > 0.0 and account.halted == 0 and fall > 0 and fall >= limit:
        account.halted = 1
        account.flags |= HALTED
