"""The book: positions are opened, added to, turned and closed, and every cent is booked.

Invariant: balance = deposit + Σ (gross + commission + swap) over the trade rows − the commission of
entries still open. What a position carries (swap, margin, commission of its entry) leaves with its
lots in proportion, to the cent; the last lots take the rest.
"""

from plan2.intelligence.backtest.account.codes import CLOSED, FILLED, TURNED
from plan2.intelligence.backtest.account.compiled import outlined
from plan2.intelligence.backtest.account.money import cents, nearest, share
from plan2.intelligence.backtest.account.records import ROWS, Account, Position, Request
from plan2.intelligence.backtest.account.valuation import (
    commission,
    lots_margin,
    lots_of,
    profit,
    quote_rate,
)
from plan2.intelligence.features.kernels import kernel


@kernel
def note_order(account: Account, request: Request, price: int, filled: int, answer: int) -> None:
    """Write what became of a request; `price` in thousandths, 0 when it was refused."""
    if account.orders >= ROWS:
        account.lost += 1
        return
    row = account.order_rows[account.orders]
    account.orders += 1
    row.number = request.number
    row.ts_ns = request.decided_ns
    row.kind = request.kind
    row.side = request.side
    row.lots = request.lots
    row.filled_ns = account.ts_ns if price != 0 else 0
    row.price = price
    row.filled = filled
    row.answer = answer
    row.reason = request.reason


@kernel
def first_levels(position: Position, request: Request, price: int) -> None:
    """The stop and target that an entry brings; the way to the stop is its risk."""
    exits = request.exits
    position.stop = exits.stop_price
    position.target = exits.target_price
    position.stop_reason = 0
    position.risk = abs(price - position.stop) if position.stop != 0 else 0
    position.trailing = exits.trailing
    position.trailing_step = exits.trailing_step
    position.break_even_offset = exits.break_even_offset
    position.is_break_even = 0
    position.partials_done = 0


@kernel
def pay_entry(account: Account, position: Position, lots: int, slip: int) -> None:
    """Book the commission of an entry and remember what its spread and slippage cost."""
    fee = commission(account, lots)
    account.balance -= fee
    position.commission += fee
    position.spread += (account.ask - account.bid) * lots
    position.slip += slip * lots
    account.flags |= FILLED


@kernel
def open_position(account: Account, request: Request, price: int, lots: int, slip: int) -> None:
    """Book an entry as a new position; `price` in points."""
    account.last_ticket += 1
    position = account.positions[account.held]
    account.held += 1
    position.ticket = account.last_ticket
    begin(account, position, request, price, lots)
    pay_entry(account, position, lots, slip)


@kernel
def begin(account: Account, position: Position, request: Request, price: int, lots: int) -> None:
    """Write a position from the entry that opens it; only the ticket stays."""
    position.side = request.side
    position.lots = lots
    position.first_lots = lots
    position.entries = 1
    position.decided_ns = request.decided_ns
    position.open_ns = account.ts_ns
    position.open = price * 1000
    position.margin = lots_margin(account, position.side, lots)
    position.swap = 0
    position.commission = 0
    position.spread = 0
    position.slip = 0
    position.leaving = 0
    position.best = account.bid if request.side > 0 else account.ask
    position.worst = position.best
    time_ns = account.terms.time_ns
    position.expires_ns = account.ts_ns + time_ns if time_ns > 0 else 0
    first_levels(position, request, price)


@kernel
def add(account: Account, request: Request, price: int, lots: int, slip: int) -> None:
    """Book an entry into the netting position, at the average price; its stops replace the old."""
    position = account.positions[0]
    digits, scale = account.terms.digits, account.terms.scale
    held, more = lots_of(account, position.lots), lots_of(account, lots)
    value = position.open / (1000.0 * scale) * held + price / scale * more
    total = position.lots + lots
    position.open = nearest(value / lots_of(account, total), digits + 3)
    position.margin += lots_margin(account, position.side, lots)
    position.lots = total
    position.first_lots += lots
    position.entries += 1
    first_levels(position, request, price)
    pay_entry(account, position, lots, slip)


@kernel
def reduce(account: Account, request: Request, price: int, lots: int, slip: int) -> None:
    """Book an entry against the netting position: less of it, none, or one of the other side."""
    position = account.positions[0]
    beyond = lots - position.lots
    ticket = position.ticket
    exit_at(account, min(lots, position.lots), price * 1000, TURNED, slip)
    close_part(account, 0)
    if beyond > 0:
        turned = account.positions[0]
        account.held = 1
        turned.ticket = ticket
        begin(account, turned, request, price, beyond)
        pay_entry(account, turned, beyond, slip)


@kernel
def exit_at(account: Account, lots: int, price: int, reason: int, slip: int) -> None:
    """Write what the next `close_part` books, at the spread of the last quote."""
    leaving = account.exit
    leaving.lots, leaving.price, leaving.reason = lots, price, reason
    leaving.spread, leaving.slip = account.ask - account.bid, slip


@outlined(1)
def close_part(account: Account, index: int) -> None:
    """Book `account.exit`: all or part of a position leaves."""
    position, leaving = account.positions[index], account.exit
    lots, price = leaving.lots, leaving.price
    gross = profit(account, index, lots, price)
    fee = commission(account, lots)
    held = position.lots
    is_last = lots == held
    swap = position.swap if is_last else share(position.swap, lots, held)
    margin = position.margin if is_last else share(position.margin, lots, held)
    entry_fee = position.commission if is_last else share(position.commission, lots, held)
    entry_spread = position.spread if is_last else share(position.spread, lots, held)
    entry_slip = position.slip if is_last else share(position.slip, lots, held)
    account.balance += gross - fee + swap
    account.flags |= CLOSED
    if account.trades >= ROWS:
        account.lost += 1
    else:
        row = account.trade_rows[account.trades]
        account.trades += 1
        row.ticket, row.side, row.lots = position.ticket, position.side, lots
        row.decided_ns, row.open_ns, row.open = (
            position.decided_ns, position.open_ns, position.open
        )  # fmt: skip
        row.close_ns, row.close, row.reason = account.ts_ns, price, leaving.reason
        row.gross, row.commission, row.swap = gross, -(fee + entry_fee), swap
        row.worst = min(gross, 0, profit(account, index, lots, position.worst * 1000))
        row.best = max(gross, 0, profit(account, index, lots, position.best * 1000))
        row.spread_cost = cost(account, entry_spread + leaving.spread * lots, 2)
        row.slip_cost = cost(account, entry_slip + leaving.slip * lots, 1)
    position.swap -= swap
    position.margin -= margin
    position.commission -= entry_fee
    position.spread -= entry_spread
    position.slip -= entry_slip
    position.lots -= lots
    if is_last:
        remove(account, index)


@kernel
def cost(account: Account, points: int, divisor: int) -> int:
    """What points times steps, divided, are in cents, as a negative amount."""
    terms = account.terms
    return -cents(points * 1000 * terms.money_up, terms.money_down * divisor, quote_rate(account))


@kernel
def remove(account: Account, index: int) -> None:
    """Forget a position; the others stay in the order of their opening."""
    account.held -= 1
    for place in range(index, account.held):
        account.positions[place] = account.positions[place + 1]


@kernel
def place_of(account: Account, ticket: int) -> int:
    """Where the position with this ticket stands, −1 when there is none."""
    for index in range(account.held):
        if account.positions[index].ticket == ticket:
            return index
    return -1
