"""What a paper account's ledger lets go of: old deals and orders, whose results become one sum.

A broker's history is asked for from the last deal that is known, and for the outcome of a recent
order. Beyond `KEEP_NS` of market time nobody asks; kept for ever, each trade would be a kilobyte of
file and memory. What an open position came from stays, and so does the last deal, from which the
next is numbered. Tokens stay in any case: an order is never taken twice.
"""

from decimal import Decimal
from typing import Final

import msgspec

from plan2.dataflow.terminals.simulated.book import (
    FIRST_OPERATION,
    ZERO,
    BalanceOperation,
    Book,
    deal_number,
)
from plan2.foundation.values import NS_PER_DAY

KEEP_NS: Final = 90 * NS_PER_DAY
ROLLED: Final = "results of closed trades"
"""The comment of the one operation that stands for all that was let go of."""


class Rolled(msgspec.Struct, frozen=True, kw_only=True):
    """What left the book: tickets of deals and orders, and the operation that holds their sum."""

    deals: tuple[str, ...]
    orders: tuple[str, ...]
    total: BalanceOperation


def roll_off(book: Book, before_ns: int) -> Rolled | None:
    """Take what ended before a market time out of a book; its balance stays to the cent.

    Returns:
        What must leave the file in one piece; None when nothing is old enough.
    """
    held = book.positions.keys()
    last = max((deal_number(one) for one in book.deals), default=0)
    deals = [
        one
        for one in book.deals
        if one.ts_ns < before_ns and one.position_ticket not in held and deal_number(one) != last
    ]
    orders = [
        one.ticket
        for one in book.history.values()
        if one.done_ts_ns < before_ns and one.position_ticket not in held and one.ticket not in held
    ]
    if not deals and not orders:
        return None
    gone = {one.ticket for one in deals}
    book.deals = [one for one in book.deals if one.ticket not in gone]
    for ticket in orders:
        del book.history[ticket]
    moves = (one.profit + one.commission + one.swap for one in deals)
    total = _added(book, sum(moves, ZERO), before_ns)
    book.version += 1
    return Rolled(deals=tuple(gone), orders=tuple(orders), total=total)


def _added(book: Book, amount: Decimal, before_ns: int) -> BalanceOperation:
    """The operation that stands for them all, in its place among the others."""
    for place, one in enumerate(book.operations):
        if one.comment == ROLLED:
            made = msgspec.structs.replace(one, amount=one.amount + amount, ts_ns=before_ns)
            book.operations[place] = made
            return made
    ticket = str(FIRST_OPERATION + len(book.operations))
    made = BalanceOperation(ticket=ticket, ts_ns=before_ns, amount=amount, comment=ROLLED)
    book.operations.append(made)
    return made
