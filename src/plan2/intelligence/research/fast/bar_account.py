"""The account of the fast way: one position of fixed lots, in cents, points and steps.

Same arithmetic as `backtest/account`, for what can happen to a flow without exits of its own.
"""

from typing import Final

from plan2.foundation.values import Int64Array
from plan2.intelligence.backtest.account.money import divided
from plan2.intelligence.features.kernels import kernel
from plan2.intelligence.research.fast.bar_table import (
    DAY_ASK,
    DAY_BID,
    DAY_NIGHTS,
    DAY_ROW,
    FILL_ASK,
    FILL_BID,
    FILL_NIGHTS,
    FILL_ROW,
    LATE,
)

TERMS: Final = (
    "lots", "money_up", "money_down", "fee", "slip", "deposit", "needed", "guard", "at_signal",
    "ticks", "per_point",
)  # fmt: skip
"""Places of `terms`: lots in steps; the exact ratio of cents to thousandths of points times steps;
cents a side; points; cents of balance, of money that an entry needs, and of equity below which the
broker might act; whether the signal's own quote fills; how many ticks there are; cents of
a point where that is a whole number, else 0."""
LOTS, MONEY_UP, MONEY_DOWN, FEE, SLIP, DEPOSIT, NEEDED, GUARD, AT_SIGNAL, TICKS, PER_POINT = range(
    len(TERMS)
)

STATE: Final = ("side", "open", "nights", "balance", "busy", "low", "high", "day", "peak")
"""Places of `state`: side held; points of its opening; rollovers until then; cents; row of the
newest fill; extremes of the closing price since the opening, the worse one and the better one; days
valued; highest equity, by the extremes of bars."""
SIDE, OPEN, NIGHTS, BALANCE, BUSY, LOW, HIGH, DAY, PEAK = range(len(STATE))

OUT: Final = ("trades", "wins", "net", "gross", "gains", "losses", "drawdown", "gave_up")
"""Places of `out`: money in cents, losses ≤ 0, drawdown by the extremes of bars."""
TRADES, WINS, NET, GROSS, GAINS, LOSSES, DRAWDOWN, GAVE_UP = range(len(OUT))


@kernel
def profit(terms: Int64Array, state: Int64Array, price: int) -> int:
    """Gross profit of what is held, closed at a price in points; cents."""
    if terms[PER_POINT] != 0:
        return int(state[SIDE] * (price - state[OPEN]) * terms[PER_POINT])
    amount = state[SIDE] * (price - state[OPEN]) * 1000 * terms[LOTS] * terms[MONEY_UP]
    return divided(amount, terms[MONEY_DOWN])


@kernel
def swap_until(swaps: Int64Array, state: Int64Array, nights: int) -> int:
    """What the nights since the opening brought; cents."""
    column = 0 if state[SIDE] > 0 else 1
    return int(swaps[column, nights] - swaps[column, state[NIGHTS]])


@kernel
def value_days(
    until: int,
    days: Int64Array,
    swaps: Int64Array,
    terms: Int64Array,
    state: Int64Array,
    daily: Int64Array,
) -> None:
    """Write the equity of every day whose last sample comes before a fill in row `until`."""
    day = state[DAY]
    while day < days.shape[1] and days[DAY_ROW, day] < until:
        daily[day] = state[BALANCE]
        if state[SIDE] != 0:
            price = days[DAY_BID, day] if state[SIDE] > 0 else days[DAY_ASK, day]
            night = swap_until(swaps, state, days[DAY_NIGHTS, day])
            daily[day] += profit(terms, state, price) + night
        day += 1
    state[DAY] = day


@kernel
def close_at(
    price: int,
    nights: int,
    swaps: Int64Array,
    terms: Int64Array,
    state: Int64Array,
    out: Int64Array,
) -> bool:
    """Book the end of what is held; false when the broker might have ended it before."""
    state[LOW] = min(state[LOW], price) if state[SIDE] > 0 else max(state[LOW], price)
    swap = swap_until(swaps, state, nights)
    low = state[BALANCE] + profit(terms, state, state[LOW]) + min(swap, 0)
    high = state[BALANCE] + profit(terms, state, state[HIGH]) + max(swap, 0)
    if low < terms[GUARD]:
        return False
    gross = profit(terms, state, price)
    state[PEAK] = max(state[PEAK], high)
    state[BALANCE] += gross - terms[FEE] + swap
    out[DRAWDOWN] = max(out[DRAWDOWN], state[PEAK] - min(low, state[BALANCE]))
    state[PEAK] = max(state[PEAK], state[BALANCE])
    net = gross - 2 * terms[FEE] + swap
    out[TRADES] += 1
    out[GROSS] += gross
    if net > 0:
        out[WINS] += 1
        out[GAINS] += net
    else:
        out[LOSSES] += net
    state[SIDE] = 0
    return True


@kernel
def book(  # noqa: PLR0913, PLR0917 - the arrays of one loop
    bar: int,
    leaves: bool,
    want: int,
    cells: Int64Array,
    days: Int64Array,
    swaps: Int64Array,
    terms: Int64Array,
    state: Int64Array,
    out: Int64Array,
    daily: Int64Array,
) -> bool:
    """Fill what was asked for at the end of a bar: leave, enter, or both.

    Returns false where only the full engine knows what the broker would do.
    """
    row = cells[FILL_ROW, bar]
    if row == LATE:
        return False
    state[BUSY] = row
    if row >= terms[TICKS]:
        return True  # no quote came any more
    bid, ask, nights = cells[FILL_BID, bar], cells[FILL_ASK, bar], cells[FILL_NIGHTS, bar]
    value_days(row + terms[AT_SIGNAL], days, swaps, terms, state, daily)
    if leaves:
        price = bid - terms[SLIP] if state[SIDE] > 0 else ask + terms[SLIP]
        if not close_at(price, nights, swaps, terms, state, out):
            return False
    if want != 0:
        if state[BALANCE] < terms[NEEDED]:
            return False
        state[SIDE] = want
        state[OPEN] = ask + terms[SLIP] if want > 0 else bid - terms[SLIP]
        state[NIGHTS] = nights
        state[BALANCE] -= terms[FEE]
        state[LOW] = state[HIGH] = bid if want > 0 else ask
    return True


@kernel
def finish(  # noqa: PLR0913, PLR0917 - the arrays of one loop
    days: Int64Array,
    swaps: Int64Array,
    last: Int64Array,
    terms: Int64Array,
    state: Int64Array,
    out: Int64Array,
    daily: Int64Array,
) -> None:
    """Close what is open at the last quote, and value the days that are left."""
    value_days(last[0] + 1, days, swaps, terms, state, daily)
    if state[SIDE] != 0:
        price = last[1] - terms[SLIP] if state[SIDE] > 0 else last[2] + terms[SLIP]
        if not close_at(price, last[3], swaps, terms, state, out):
            out[GAVE_UP] = 1
    daily[-1] = state[BALANCE]
    out[NET] = state[BALANCE] - terms[DEPOSIT]
