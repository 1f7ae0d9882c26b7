"""A quote arrives: the one thing that moves an account.

Order within a quote, as at the paper broker: nights, stops and targets, due requests, stop-out;
then equity with its limits, moves of stops and the flow's own exits, and the sample of the curve.
"""

from plan2.intelligence.backtest.account.codes import (
    AT_END,
    CLOSE,
    DONE,
    DRAIN,
    NO_QUOTES,
)
from plan2.intelligence.backtest.account.compiled import inlined, outlined
from plan2.intelligence.backtest.account.deals import close_part, exit_at, note_order
from plan2.intelligence.backtest.account.limits import mark
from plan2.intelligence.backtest.account.money import cents
from plan2.intelligence.backtest.account.nights import next_rollover, rollover_weekday
from plan2.intelligence.backtest.account.records import NEVER, REQUESTS, RESERVE, ROWS, Account
from plan2.intelligence.backtest.account.requests import answer_due, slippage
from plan2.intelligence.backtest.account.stops import manage, run_stops, stop_out
from plan2.intelligence.backtest.account.valuation import closing, equity_now, quote_rate
from plan2.intelligence.backtest.account.watch import look_back, refresh
from plan2.intelligence.features.kernels import kernel


@inlined
def quote(account: Account, ts_ns: int, bid: int, ask: int) -> int:
    """Do all that this quote (points) brings about; returns bits of `codes`, 0 when nothing."""
    account.ts_ns = ts_ns
    account.bid = bid
    account.ask = ask
    flags = 0
    if ts_ns >= account.wake_ns:
        flags = work(account)
    elif account.held > 0:
        side = account.one_side
        if side == 0:
            flags = look(account)
        else:
            price = bid if side > 0 else ask
            if price <= account.low or price >= account.high:
                flags = work(account)
            elif price < account.lowest:
                account.lowest = price
            elif price > account.highest:
                account.highest = price
    return flags


@outlined(0)
def look(account: Account) -> int:
    """The same for positions of both sides, or whose profit is converted at the quote's rate."""
    bid, ask = account.bid, account.ask
    if (
        bid <= account.bid_low
        or bid >= account.bid_high
        or ask <= account.ask_low
        or ask >= account.ask_high
    ):
        return work(account)
    points = bid * account.longs - ask * account.shorts - account.cost
    equity = account.cash + points * account.per_point * quote_rate(account)
    if equity < account.equity_low or equity > account.equity_high:
        return work(account)
    account.lowest_bid = min(account.lowest_bid, bid)
    account.highest_bid = max(account.highest_bid, bid)
    account.lowest_ask = min(account.lowest_ask, ask)
    account.highest_ask = max(account.highest_ask, ask)
    return 0


@outlined(0)
def work(account: Account) -> int:
    """All that a quote can bring about, in order."""
    account.flags = 0
    look_back(account)
    pass_nights(account)
    run_stops(account)
    answer_due(account)
    stop_out(account)
    equity_now(account)
    mark(account)
    manage(account)
    if account.ts_ns >= account.next_sample_ns:
        sample(account)
    refresh(account)
    room = ROWS - RESERVE
    if account.orders > room or account.trades > room or account.samples > room:
        account.flags |= DRAIN
    return account.flags


@kernel
def pass_nights(account: Account) -> None:
    """Charge swap for every rollover that has passed, three at once on the triple day."""
    terms = account.terms
    if account.rollover_ns == 0:
        account.rollover_ns = next_rollover(account.ts_ns)
        return
    is_new_day = account.ts_ns >= account.rollover_ns
    while account.ts_ns >= account.rollover_ns:
        day = rollover_weekday(account.rollover_ns)
        nights = 3 if day == terms.triple_day else 1
        if terms.has_swap != 0:
            charge(account, nights)
        account.rollover_ns = next_rollover(account.rollover_ns)
    if is_new_day:
        account.day_start = equity_now(account)
        account.orders_today = 0
        account.halted_day = 0


@kernel
def charge(account: Account, nights: int) -> None:
    """Add what so many nights bring to each position's swap."""
    terms, rate = account.terms, quote_rate(account)
    for index in range(account.held):
        position = account.positions[index]
        points = terms.swap_long if position.side > 0 else terms.swap_short
        position.swap += cents(points * position.lots * nights, terms.swap_down, rate)


@kernel
def sample(account: Account) -> None:
    """Write a row of the curve and plan the next one; `equity` is up to date."""
    step = account.terms.sample_ns
    account.next_sample_ns = (account.ts_ns // step + 1) * step if step > 0 else NEVER
    if account.samples >= ROWS:
        account.lost += 1
        return
    row = account.equity_rows[account.samples]
    account.samples += 1
    row.ts_ns, row.balance, row.equity = account.ts_ns, account.balance, account.equity
    row.lots = 0
    for index in range(account.held):
        row.lots += account.positions[index].side * account.positions[index].lots


@outlined(0)
def finish(account: Account) -> int:
    """Close what is open at the last quote, refuse what is still on its way, sample a last time."""
    account.flags = 0
    for index in range(account.waiting):
        note_order(account, account.requests[index], 0, 0, NO_QUOTES)
    account.waiting = 0
    while account.held > 0:
        position = account.positions[0]
        account.last_number += 1
        request = account.requests[REQUESTS]
        request.number, request.kind, request.reason = account.last_number, CLOSE, AT_END
        request.side, request.lots, request.decided_ns = (
            -position.side, position.lots, account.ts_ns
        )  # fmt: skip
        slip = slippage(account, account.last_number)
        price = (closing(account, position.side) - position.side * slip) * 1000
        note_order(account, request, price, position.lots, DONE)
        exit_at(account, position.lots, price, AT_END, slip)
        close_part(account, 0)
    equity_now(account)
    mark(account)
    sample(account)
    refresh(account)
    return account.flags
