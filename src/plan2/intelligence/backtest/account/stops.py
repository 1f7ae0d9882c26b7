"""How positions end or change by themselves: stops, targets, trailing, break-even, parts, time.

Stops and targets are the broker's: reached on the closing side's price, filled at the quote that
reached them, so a gap is paid in full; slippage falls on stops, not on targets. Moves of a stop are
the flow's: they take effect at the quote that causes them and count from the next one. Partial and
time exits are the flow's requests, with latency and misfortunes like any other.
"""

from plan2.intelligence.backtest.account.codes import (
    AT_BREAK_EVEN,
    AT_STOP,
    AT_TARGET,
    AT_TRAILING,
    BY_STOP_LOSS,
    BY_STOP_OUT,
    BY_TAKE_PROFIT,
    DONE,
    NO_MARGIN,
    PARTIAL,
    STOPPED_OUT,
    TIME,
)
from plan2.intelligence.backtest.account.compiled import outlined
from plan2.intelligence.backtest.account.deals import close_part, exit_at, note_order
from plan2.intelligence.backtest.account.records import REQUESTS, Account, Position
from plan2.intelligence.backtest.account.requests import close, slippage
from plan2.intelligence.backtest.account.valuation import (
    closing,
    equity_now,
    margin_now,
    open_profit,
)
from plan2.intelligence.backtest.account.watch import reached_at
from plan2.intelligence.features.kernels import kernel


@outlined(0)
def run_stops(account: Account) -> None:
    """Close the positions whose stop or target this quote reaches; the stop is asked first."""
    index = 0
    while index < account.held:
        position = account.positions[index]
        side, price = position.side, closing(account, position.side)
        if position.stop != 0 and side * (price - position.stop) <= 0:
            reason = position.stop_reason if position.stop_reason != 0 else AT_STOP
            close_own(account, index, BY_STOP_LOSS, reason)
        elif position.target != 0 and side * (price - position.target) >= 0:
            close_own(account, index, BY_TAKE_PROFIT, AT_TARGET)
        else:
            index += 1


@outlined(3)
def close_own(account: Account, index: int, kind: int, reason: int) -> None:
    """The broker closes a position by itself, at the last quote."""
    position = account.positions[index]
    account.last_number += 1
    request = account.requests[REQUESTS]
    request.number, request.kind, request.reason = account.last_number, kind, reason
    request.side, request.lots, request.decided_ns = -position.side, position.lots, account.ts_ns
    slip = 0 if kind == BY_TAKE_PROFIT else slippage(account, account.last_number)
    price = (closing(account, position.side) - position.side * slip) * 1000
    note_order(account, request, price, position.lots, DONE)
    exit_at(account, position.lots, price, reason, slip)
    close_part(account, index)


@kernel
def stop_out(account: Account) -> None:
    """While equity is at the stop-out level, close the largest loss."""
    terms = account.terms
    while account.held > 0:
        equity, margin = equity_now(account), margin_now(account)
        if equity * terms.stop_out_down > margin * terms.stop_out_up:
            return
        account.flags |= STOPPED_OUT
        worst, least = 0, open_profit(account, 0)
        for index in range(1, account.held):
            profit = open_profit(account, index)
            if profit < least:
                worst, least = index, profit
        close_own(account, worst, BY_STOP_OUT, NO_MARGIN)


@outlined(0)
def manage(account: Account) -> None:
    """Move stops and send the flow's own exits as far as this quote says so."""
    terms = account.terms
    index = 0
    while index < account.held:
        position, held = account.positions[index], account.held
        if position.trailing > 0:
            trail(account, position)
        if terms.break_even_after_r > 0.0 and position.is_break_even == 0 and position.risk > 0:
            break_even(account, position)
        rest = position.lots - position.leaving
        if rest > 0 and 0 < position.expires_ns <= account.ts_ns:
            close(account, position.ticket, rest, TIME)
        elif terms.partials_known > 0 and position.risk > 0:
            take_parts(account, position)
        # With `fills_at_signal` it may be gone now, and the next one stands in its place.
        index += 1 if account.held == held else 0


@kernel
def trail(account: Account, position: Position) -> None:
    """Follow the best closing price at a distance, in steps; a first stop sets the risk."""
    side = position.side
    level = position.best - side * position.trailing
    if position.stop == 0:
        if move_stop(account, position, level, AT_TRAILING):
            position.risk = max(position.risk, abs(position.open // 1000 - level))
    elif side * (level - position.stop) >= max(position.trailing_step, 1):
        move_stop(account, position, level, AT_TRAILING)


@kernel
def break_even(account: Account, position: Position) -> None:
    """Bring the stop to the entry plus an offset once the profit has paid for the risk."""
    side, price = position.side, closing(account, position.side)
    if side * (price - reached_at(position, account.terms.break_even_after_r)) < 0:
        return
    level = position.open // 1000 + side * position.break_even_offset
    if (position.stop != 0 and side * (position.stop - level) >= 0) or move_stop(
        account, position, level, AT_BREAK_EVEN
    ):
        position.is_break_even = 1


@kernel
def move_stop(account: Account, position: Position, level: int, reason: int) -> bool:
    """Move a stop where the broker allows it; whether it moved."""
    side = position.side
    if side * (closing(account, side) - level) < max(account.terms.stops_level, 1):
        return False
    position.stop = level
    position.stop_reason = reason
    return True


@kernel
def take_parts(account: Account, position: Position) -> None:
    """Ask for the partial exits whose multiple of the risk is reached, each once.

    A part is a share of the lots that were opened, rounded down; one that is too small, or would
    leave less than the least lots, is left out.
    """
    terms, side = account.terms, position.side
    price = closing(account, side)
    for which in range(terms.partials_known):
        reached = side * (price - reached_at(position, terms.partial_at_r[which])) >= 0
        if reached and position.partials_done >> which & 1 == 0:
            position.partials_done |= 1 << which
            lots = int(position.first_lots * terms.partial_share[which] + 1e-9)
            rest = position.lots - position.leaving - lots
            if lots >= terms.volume_min and rest >= terms.volume_min:
                close(account, position.ticket, lots, PARTIAL)
