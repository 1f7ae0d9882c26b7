"""Requests: sent by the flow, on their way for a while, then carried out or refused.

A request is due its latency after the quote it was decided on, and meets the first quote from then
on, in the order of due times. Checks and their order are those of the paper broker. With
`fills_at_signal` a request meets the quote it was decided on.
"""

from plan2.intelligence.backtest.account.codes import (
    ASKED,
    CLOSE,
    CLOSE_BY,
    CLOSED_MARKET,
    DONE,
    DONE_PARTIAL,
    INJECTED,
    INVALID_CLOSE_VOLUME,
    INVALID_ORDER,
    INVALID_REQUEST,
    INVALID_STOPS,
    INVALID_VOLUME,
    NO_MONEY,
    NO_QUOTES,
    OPEN,
    POSITION_CLOSED,
    REFUSED,
    SENT,
)
from plan2.intelligence.backtest.account.compiled import outlined
from plan2.intelligence.backtest.account.deals import (
    add,
    close_part,
    exit_at,
    note_order,
    open_position,
    place_of,
    reduce,
)
from plan2.intelligence.backtest.account.limits import denial, mark
from plan2.intelligence.backtest.account.luck import (
    PART,
    REJECT,
    SLIP,
    SLIP_REST,
    WHICH_REJECT,
    luck,
    tail,
)
from plan2.intelligence.backtest.account.nights import is_session
from plan2.intelligence.backtest.account.records import REQUESTS, Account, Exits, Request
from plan2.intelligence.backtest.account.valuation import (
    base_rate,
    commission,
    equity_now,
    further_margin,
    margin_now,
    quote_rate,
)
from plan2.intelligence.backtest.account.watch import look_back, refresh
from plan2.intelligence.features.kernels import kernel


@outlined(2)
def enter(account: Account, side: int, lots: int) -> int:
    """Ask for an entry of `lots` steps that carries `account.exits`; `SENT` or why not.

    Denials are counted in `account.denials`.
    """
    reason = denial(account, side, lots)
    if reason != SENT:
        account.denials[reason] += 1
        return reason
    account.orders_today += 1
    request = account.requests[account.waiting]
    request.exits = account.exits
    fix_levels(account, request.exits, side)
    send(account, request, OPEN, side, lots)
    return SENT


@kernel
def fix_levels(account: Account, exits: Exits, side: int) -> None:
    """Turn the distances of stop and target into prices, from the quote decided on."""
    price = account.ask if side > 0 else account.bid
    if exits.stop_price == 0 and exits.stop > 0:
        exits.stop_price = price - side * exits.stop
    if exits.target_price == 0 and exits.target > 0:
        exits.target_price = price + side * exits.target


@outlined(1)
def leave(account: Account, side: int) -> int:
    """Ask to close every position of a side (0: of both), the oldest first; returns how many.

    What is being closed already is left alone.
    """
    sent = 0
    index = 0
    while index < account.held:
        position = account.positions[index]
        held = account.held
        if side in (0, position.side) and position.lots > position.leaving:
            sent += close(account, position.ticket, position.lots - position.leaving, ASKED)
        # With `fills_at_signal` the position is gone now and the next one stands in its place.
        index += 1 if account.held == held else 0
    return sent


@outlined(3)
def close(account: Account, ticket: int, lots: int, reason: int) -> int:
    """Ask to close so many steps of a position; 1 when it was sent, 0 when there is no room."""
    if account.waiting >= REQUESTS:
        return 0
    place = place_of(account, ticket)
    request = account.requests[account.waiting]
    request.ticket, request.opposite, request.reason = ticket, 0, reason
    side = 0
    if place >= 0:
        side = -account.positions[place].side
        account.positions[place].leaving += lots
    send(account, request, CLOSE, side, lots)
    return 1


@outlined(2)
def close_by(account: Account, ticket: int, opposite: int) -> int:
    """Ask to close two opposite positions against each other; 1 when it was sent."""
    if account.waiting >= REQUESTS:
        return 0
    request = account.requests[account.waiting]
    request.ticket, request.opposite, request.reason = ticket, opposite, ASKED
    send(account, request, CLOSE_BY, 0, 0)
    return 1


@kernel
def send(account: Account, request: Request, kind: int, side: int, lots: int) -> None:
    """Number the request that was written behind the waiting ones, and let it travel."""
    terms = account.terms
    account.last_number += 1
    request.number = account.last_number
    request.kind, request.side, request.lots = kind, side, lots
    if kind == OPEN:
        request.ticket, request.opposite, request.reason = 0, 0, ASKED
    request.decided_ns = account.ts_ns
    late = tail(terms.seed, request.number, terms.latency_spread_ns)
    request.due_ns = account.ts_ns + int(terms.latency_ns + late)
    if terms.fills_at_signal != 0:
        look_back(account)
        answer(account, account.waiting)
        equity_now(account)
        mark(account)
    else:
        queue(account)
    refresh(account)


@kernel
def queue(account: Account) -> None:
    """Put the newest request behind those that are due no later."""
    place = account.waiting
    account.waiting += 1
    while place > 0 and account.requests[place - 1].due_ns > account.requests[place].due_ns:
        swap_requests(account, place)
        place -= 1


@kernel
def swap_requests(account: Account, place: int) -> None:
    """Exchange a request with the one before it; the row behind the last one is free for that."""
    spare = account.waiting
    account.requests[spare] = account.requests[place]
    account.requests[place] = account.requests[place - 1]
    account.requests[place - 1] = account.requests[spare]


@kernel
def answer_due(account: Account) -> None:
    """Carry out or refuse every request that is due at this quote, in order."""
    done = 0
    while done < account.waiting and account.requests[done].due_ns <= account.ts_ns:
        answer(account, done)
        done += 1
    if done > 0:
        account.waiting -= done
        for place in range(account.waiting):
            account.requests[place] = account.requests[place + done]


@outlined(1)
def answer(account: Account, which: int) -> None:
    """Carry out or refuse a request at the last quote."""
    request = account.requests[which]
    refusal = refusal_of(account, request)
    place = place_of(account, request.ticket) if request.kind != OPEN else -1
    if request.kind == CLOSE and place >= 0:
        held = account.positions[place]
        held.leaving = max(held.leaving - request.lots, 0)
    if refusal != 0:
        account.flags |= REFUSED
        note_order(account, request, 0, 0, refusal)
    elif request.kind == CLOSE_BY:
        against_each_other(account, request)
    else:
        at_market(account, request, place)


@kernel
def at_market(account: Account, request: Request, place: int) -> None:
    """Fill an entry or exit: buys at the ask, sells at the bid, slippage against us."""
    terms = account.terms
    lots = request.lots
    if terms.partial_fraction > 0.0 and luck(terms.seed, request.number, PART) < (
        terms.partial_fraction
    ):
        half = lots // 2
        lots = half if half >= terms.volume_min else lots
    slip = slippage(account, request.number)
    price = account.ask + slip if request.side > 0 else account.bid - slip
    if request.kind == CLOSE:
        exit_at(account, lots, price * 1000, request.reason, slip)
        close_part(account, place)
    elif terms.is_hedging != 0 or account.held == 0:
        open_position(account, request, price, lots, slip)
    elif account.positions[0].side == request.side:
        add(account, request, price, lots, slip)
    else:
        reduce(account, request, price, lots, slip)
    is_partial = lots < request.lots
    note_order(account, request, price * 1000, lots, DONE_PARTIAL if is_partial else DONE)


@kernel
def against_each_other(account: Account, request: Request) -> None:
    """Close two opposite positions, as far as the smaller goes, at the other's opening price."""
    one = place_of(account, request.ticket)
    other = place_of(account, request.opposite)
    lots = min(account.positions[one].lots, account.positions[other].lots)
    price = account.positions[other].open
    request.side, request.lots = -account.positions[one].side, lots
    exit_at(account, lots, price, request.reason, 0)
    account.exit.spread = 0
    close_part(account, one)
    close_part(account, place_of(account, request.opposite))
    note_order(account, request, price, lots, DONE)


@kernel
def slippage(account: Account, number: int) -> int:
    """Points against us: one of the samples; a broken one is rounded up as often as it says."""
    terms = account.terms
    if terms.slips_known == 0:
        return 0
    which = int(luck(terms.seed, number, SLIP) * terms.slips_known)
    sample = terms.slips[which]
    whole = int(sample // 1.0)
    return whole + (1 if luck(terms.seed, number, SLIP_REST) < sample - whole else 0)


@kernel
def refusal_of(account: Account, request: Request) -> int:
    """The broker's reason to refuse a request at the last quote, 0 to carry it out."""
    terms = account.terms
    wait_ns = terms.quote_wait_ns
    if wait_ns > 0 and account.ts_ns > request.due_ns + wait_ns:
        return NO_QUOTES if is_session(request.due_ns) else CLOSED_MARKET
    if terms.reject_fraction > 0.0 and luck(terms.seed, request.number, REJECT) < (
        terms.reject_fraction
    ):
        which = luck(terms.seed, request.number, WHICH_REJECT)
        return INJECTED[int(which * len(INJECTED))]
    if quote_rate(account) <= 0.0 or base_rate(account) <= 0.0:
        return NO_QUOTES
    if request.kind == OPEN:
        return entry_refusal(account, request)
    if request.kind == CLOSE:
        return exit_refusal(account, request)
    return pair_refusal(account, request)


@kernel
def entry_refusal(account: Account, request: Request) -> int:
    """Volume, stops, money: what the broker asks of an entry, in its order."""
    terms, side = account.terms, request.side
    if not terms.volume_min <= request.lots <= terms.volume_max:
        return INVALID_VOLUME
    closed_at = account.bid if side > 0 else account.ask
    stop, target = request.exits.stop_price, request.exits.target_price
    least = max(terms.stops_level, 1)
    if stop != 0 and side * (closed_at - stop) < least:
        return INVALID_STOPS
    if target != 0 and side * (target - closed_at) < least:
        return INVALID_STOPS
    further = further_margin(account, side, request.lots)
    needed = further + commission(account, request.lots) if further > 0 else 0
    equity, margin = equity_now(account), margin_now(account)
    is_called = margin > 0 and equity * terms.margin_call_down <= margin * terms.margin_call_up
    if needed > max(equity - margin, 0) or (is_called and needed > 0):
        return NO_MONEY
    return 0


@kernel
def exit_refusal(account: Account, request: Request) -> int:
    """Volume and the position itself: what the broker asks of an exit, in its order."""
    terms = account.terms
    if not terms.volume_min <= request.lots <= terms.volume_max:
        return INVALID_VOLUME
    place = place_of(account, request.ticket)
    if place < 0:
        return POSITION_CLOSED
    if account.positions[place].side == request.side:
        return INVALID_REQUEST
    return INVALID_CLOSE_VOLUME if request.lots > account.positions[place].lots else 0


@kernel
def pair_refusal(account: Account, request: Request) -> int:
    """Why two positions cannot be closed against each other."""
    if account.terms.is_hedging == 0:
        return INVALID_ORDER
    one, other = place_of(account, request.ticket), place_of(account, request.opposite)
    if one < 0 or other < 0:
        return POSITION_CLOSED
    is_pair = account.positions[one].side != account.positions[other].side
    return 0 if is_pair else INVALID_REQUEST
