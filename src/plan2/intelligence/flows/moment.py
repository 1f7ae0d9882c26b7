"""How a flow sees the market: the quote of the moment and the bars made of quotes.

Prices arrive in points; dividing by the scale gives the very number that the broker's decimals
give, so a live tick and an archived one are the same to the bit. A bar holds the ticks with
start ≤ time < start + period; starts are whole multiples of the period since the epoch, UTC.
"""

from typing import Final

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.features.kernels import kernel
from plan2.intelligence.flows.words import (
    ASK,
    BARS,
    BID,
    CLOSE,
    CURSOR,
    END,
    FIRST,
    HIGH,
    LOW,
    NEW_CLOSE,
    NEW_HIGH,
    NEW_LOW,
    NEW_OPEN,
    OPEN,
    PERIOD,
    SCALE,
    TIME,
)

LONG, SHORT, EXIT_LONG, EXIT_SHORT, CLOSED = 1, 2, 4, 8, 16
"""Bits of a signal; CLOSED: this tick ended a bar."""

WISHES: Final = LONG | SHORT | EXIT_LONG | EXIT_SHORT


@kernel
def see(s: Float64Array, w: Int64Array, ts_ns: int, bid: int, ask: int) -> None:
    """This tick is the moment from now on; prices in points."""
    w[TIME] = ts_ns
    s[BID] = bid / s[SCALE]
    s[ASK] = ask / s[SCALE]


@kernel
def close_bar(s: Float64Array, w: Int64Array) -> None:
    """The bar in progress is over; the moment is its end."""
    w[TIME] = w[END]
    w[BARS] += 1
    s[OPEN] = s[NEW_OPEN]
    s[HIGH] = s[NEW_HIGH]
    s[LOW] = s[NEW_LOW]
    s[CLOSE] = s[NEW_CLOSE]


@kernel
def extend_bar(s: Float64Array, w: Int64Array, ts_ns: int, price: float) -> None:
    """Take a price into the bar in progress, or open the next one with it."""
    if ts_ns >= w[END]:
        w[END] = (ts_ns // w[PERIOD] + 1) * w[PERIOD]
        s[NEW_OPEN] = price
        s[NEW_HIGH] = price
        s[NEW_LOW] = price
    elif price > s[NEW_HIGH]:
        s[NEW_HIGH] = price
    elif price < s[NEW_LOW]:
        s[NEW_LOW] = price
    s[NEW_CLOSE] = price


@kernel
def tick_bar(s: Float64Array, w: Int64Array, price: float) -> None:
    """A bar of this one tick."""
    w[BARS] += 1
    s[OPEN] = price
    s[HIGH] = price
    s[LOW] = price
    s[CLOSE] = price


@kernel
def is_warm(w: Int64Array) -> bool:
    """Whether enough bars were closed before the newest one."""
    return w[BARS] > w[FIRST]


@kernel
def take_outer(
    s: Float64Array,
    w: Int64Array,
    ts_ns: int,
    times: Int64Array,
    rows: Float64Array,
    first: Int64Array,
) -> None:
    """Write the newest row of outer values that was known at `ts_ns` into the slots `first`."""
    cursor = w[CURSOR]
    while cursor < times.shape[0] and times[cursor] <= ts_ns:
        cursor += 1
    if cursor != w[CURSOR]:
        for column in range(first.shape[0]):
            s[first[column]] = rows[cursor - 1, column]
        w[CURSOR] = cursor
