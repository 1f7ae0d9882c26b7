"""The account of the fast way: one position of fixed lots, in cents, points and steps.

Same arithmetic as `backtest/account`, for what can happen to a flow without exits of its own.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from plan2.foundation.values import Int64Array
from plan2.intelligence.backtest.account.compiled import account_fingerprint
from plan2.intelligence.backtest.account.money import divided
from plan2.intelligence.flows.words import EXIT_LONG, EXIT_SHORT, LONG, SHORT
from plan2.intelligence.research.fast.bar_table import (
    DAY_ASK,
    DAY_BID,
    DAY_NIGHTS,
    DAY_ROW,
    FILL_ASK,
    FILL_BID,
    FILL_NIGHTS,
    FILL_ROW,
    HIGH_ASK,
    HIGH_BID,
    LATE,
    LOW_ASK,
    LOW_BID,
    NEXT_ROW,
)

Function = TypeVar("Function", bound=Callable[..., object])
# numba does not list these options. Nothing here makes or keeps an array, so nothing needs to count
# who holds one: left on, the counting takes two thirds of the time.
INSIDE: Final[dict[str, Any]] = {
    "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True, "_nrt": False
}  # fmt: skip
WHOLE: Final[dict[str, Any]] = {"cache": True, "_nrt": False}


def inlined(function: Function) -> Function:
    """A kernel that becomes a part of its caller and counts no references."""
    return cast("Function", njit(error_model="numpy", **INSIDE)(function))


def uncounted(function: Function) -> Function:
    """As `account.compiled.entry`, counting no references."""
    function.__qualname__ += f"_{account_fingerprint()}"
    try:
        return cast("Function", njit(error_model="numpy", **WHOLE)(function))
    except RuntimeError:  # no folder for the cache
        return cast("Function", njit(error_model="numpy", **{**WHOLE, "cache": False})(function))


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


@inlined
def profit(terms: Int64Array, state: Int64Array, price: int) -> int:
    """Gross profit of what is held, closed at a price in points; cents."""
    if terms[PER_POINT] != 0:
        return int(state[SIDE] * (price - state[OPEN]) * terms[PER_POINT])
    amount = state[SIDE] * (price - state[OPEN]) * 1000 * terms[LOTS] * terms[MONEY_UP]
    return divided(amount, terms[MONEY_DOWN])


@inlined
def swap_until(swaps: Int64Array, state: Int64Array, nights: int) -> int:
    """What the nights since the opening brought; cents."""
    column = 0 if state[SIDE] > 0 else 1
    return int(swaps[column, nights] - swaps[column, state[NIGHTS]])


@inlined
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


@inlined
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


@inlined
def book(  # noqa: PLR0913, PLR0917 - the arrays of one loop
    bar: int,
    leaves: bool,
    want: int,
    fills: Int64Array,
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
    row = fills[bar, FILL_ROW]
    if row == LATE:
        return False
    state[BUSY] = row
    if row >= terms[TICKS]:
        return True  # no quote came any more
    bid, ask, nights = fills[bar, FILL_BID], fills[bar, FILL_ASK], fills[bar, FILL_NIGHTS]
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


@inlined
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


@inlined
def reached(start: int, stop: int, reach: npt.NDArray[np.int32], state: Int64Array) -> None:
    """Take the bars from `start` to before `stop` into the extremes of what is held."""
    is_long = state[SIDE] > 0
    lows, highs = (LOW_BID, HIGH_BID) if is_long else (LOW_ASK, HIGH_ASK)
    low, high = reach[lows, start], reach[highs, start]
    for bar in range(start + 1, stop):
        low = min(low, reach[lows, bar])
        high = max(high, reach[highs, bar])
    state[LOW] = min(state[LOW], low) if is_long else max(state[LOW], high)
    state[HIGH] = max(state[HIGH], high) if is_long else min(state[HIGH], low)


@inlined
def wanted(signal: int, side: int, reverse: int) -> tuple[bool, int]:
    """What a signal asks for beside what is held: whether to leave, and the side to enter or 0."""
    leaves = (side > 0 and signal & EXIT_LONG != 0) or (side < 0 and signal & EXIT_SHORT != 0)
    wants_long = signal & LONG != 0 and signal & EXIT_LONG == 0
    wants_short = signal & SHORT != 0 and signal & EXIT_SHORT == 0
    want = 0 if wants_long == wants_short else (1 if wants_long else -1)
    held = 0 if leaves else side * want
    if held > 0 or (held < 0 and reverse == 0):
        return leaves, 0
    return leaves or held < 0, want


@uncounted
def walk(  # noqa: PLR0913, PLR0917 - the arrays of one loop
    signals: npt.NDArray[np.int8],
    gap: int,
    reverse: int,
    fills: Int64Array,
    reach: npt.NDArray[np.int32],
    days: Int64Array,
    swaps: Int64Array,
    last: Int64Array,
    terms: Int64Array,
    state: Int64Array,
    out: Int64Array,
    daily: Int64Array,
) -> None:
    """Take the signals of all bars to the account; `gap` bars between entries.

    A signal that asks for the side that is held, `same`, changes nothing; most bars end there.
    """
    same, entered, since, bars = 0, -(2**40), 0, signals.shape[0]
    for bar in range(bars):
        signal = int(signals[bar])
        if signal in (0, same):
            continue
        if bar - entered < gap:
            signal &= EXIT_LONG | EXIT_SHORT
        if state[BUSY] > fills[bar, NEXT_ROW]:
            continue
        leaves, want = wanted(signal, state[SIDE], reverse)
        if want != 0:
            entered = bar
        if not leaves and want == 0:
            continue
        if leaves and since <= bar:
            reached(since, bar + 1, reach, state)
        if not book(bar, leaves, want, fills, days, swaps, terms, state, out, daily):
            out[GAVE_UP] = 1
            return
        since = bar + 1
        side = state[SIDE]
        same = LONG if side > 0 else (SHORT if side < 0 else 0)
    if state[SIDE] != 0:
        reached(since, bars + 1, reach, state)  # to the last quote, in the bar not yet over
    finish(days, swaps, last, terms, state, out, daily)
