"""The building blocks of a compiled flow: running indicators, one new value at a time.

Every block takes its own memory as numbers and gives the new ones back, so that the compiler keeps
them in registers; only rings lie in an array, `r`. The first number is what a block gives, NaN
until it is defined. A value that is NaN is passed over, so a block that follows another one starts
when that one is defined.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.kernels import population_variance, sma_seeded_next

Function = TypeVar("Function", bound=Callable[..., object])


def block(function: Function) -> Function:
    """A compiled function that becomes part of the loop it is called from."""
    # numba's type stubs do not list these options.
    options: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}
    return cast("Function", njit(error_model="numpy", **options)(function))


@block
def mean_of_first(before: float, x: float, alpha: float) -> float:
    """Exponential average that starts as the first value: α·x + (1−α)·before."""
    if x != x:  # noqa: PLR0124 - NaN is not equal to itself
        return before
    return alpha * x + (1.0 - alpha) * before if before == before else x  # noqa: PLR0124


@block
def mean_of_mean(
    out: float, running: float, count: int, length: int, x: float, alpha: float
) -> tuple[float, float, int]:
    """Exponential average that starts as the plain mean of its first N values."""
    if x == x:  # noqa: PLR0124
        count += 1
        running = sma_seeded_next(running, x, alpha, count, length)
        if count >= length:
            out = running
    return out, running, count


@block
def window(  # noqa: PLR0913, PLR0917 - a block's whole memory
    mean: float,
    deviation: float,
    anchor: float,
    total: float,
    squares: float,
    count: int,
    slot: int,
    r: Float64Array,
    ring: int,
    length: int,
    x: float,
) -> tuple[float, float, float, float, float, int, int]:
    """Mean and population deviation of the newest N values.

    The ring and the sums hold deviations from an anchor near the values; each time the ring is full
    they are moved to a new anchor and added up afresh, so rounding never piles up.
    """
    if x == x:  # noqa: PLR0124
        if count == 0:
            anchor = x
        count += 1
        entering = x - anchor
        leaving = r[ring + slot]
        r[ring + slot] = entering
        slot += 1
        if slot == length:
            slot = 0
            anchor += entering
            total = 0.0
            squares = 0.0
            for place in range(ring, ring + length):
                moved = r[place] - entering
                r[place] = moved
                total += moved
                squares += moved * moved
        else:
            total += entering - leaving
            squares += entering * entering - leaving * leaving
        if count >= length:
            mean = anchor + total / length
            deviation = math.sqrt(population_variance(total, squares, length))
    return mean, deviation, anchor, total, squares, count, slot


@block
def weighted(  # noqa: PLR0913, PLR0917
    out: float, count: int, slot: int, r: Float64Array, ring: int, length: int, x: float
) -> tuple[float, int, int]:
    """Linearly weighted mean: the newest value counts N times, the oldest once."""
    if x == x:  # noqa: PLR0124
        out, count, slot = kept(out, count, slot, r, ring, length, x)
        if count >= length:
            total = 0.0
            for weight in range(1, length + 1):
                place = slot + weight - 1
                total += weight * r[ring + (place if place < length else place - length)]
            out = total / (0.5 * length * (length + 1))
    return out, count, slot


@block
def highest_of(  # noqa: PLR0913, PLR0917
    out: float,
    largest: float,
    count: int,
    slot: int,
    r: Float64Array,
    ring: int,
    length: int,
    x: float,
) -> tuple[float, float, int, int]:
    """The largest of the newest N values."""
    if x == x:  # noqa: PLR0124
        leaving = r[ring + slot]
        largest, count, slot = kept(largest, count, slot, r, ring, length, x)
        if count == 1 or x >= largest:
            largest = x
        elif count > length and leaving == largest:
            largest = x
            for place in range(ring, ring + length):
                largest = max(largest, r[place])
        if count >= length:
            out = largest
    return out, largest, count, slot


@block
def kept(  # noqa: PLR0913, PLR0917
    out: float, count: int, slot: int, r: Float64Array, ring: int, length: int, x: float
) -> tuple[float, int, int]:
    """Write x over the oldest value of a ring; `out` is handed through."""
    r[ring + slot] = x
    slot += 1
    return out, count + 1, 0 if slot == length else slot


@block
def past(  # noqa: PLR0913, PLR0917
    out: float, count: int, slot: int, r: Float64Array, ring: int, length: int, x: float
) -> tuple[float, int, int]:
    """The value of N bars ago, NaN included."""
    if count >= length:
        out = r[ring + slot]
    return kept(out, count, slot, r, ring, length, x)


@block
def gains(
    index: float, last: float, rise: float, fall: float, x: float, alpha: float
) -> tuple[float, float, float, float]:
    """Wilder's averages of rises and falls, both starting at 0, and their index.

    The index is 100 − 100/(1 + rise/fall), and 100 when nothing fell.
    """
    if x == x:  # noqa: PLR0124
        change = x - last if last == last else 0.0  # noqa: PLR0124
        last = x
        rise = alpha * max(change, 0.0) + (1.0 - alpha) * rise
        fall = alpha * max(-change, 0.0) + (1.0 - alpha) * fall
        index = 100.0 if fall == 0.0 else 100.0 * (1.0 - 1.0 / (1.0 + rise / fall))
    return index, last, rise, fall


@block
def span(high: float, low: float, before: float) -> float:
    """Wilder's true range; NaN for the first bar, which has no close before it."""
    return max(high, before) - min(low, before) if before == before else math.nan  # noqa: PLR0124


@block
def directed(move: float, other: float) -> float:
    """Wilder's directional movement: `move` where it is positive and the larger one, else 0."""
    if move != move:  # noqa: PLR0124
        return math.nan
    return move if move > other and move > 0.0 else 0.0


@block
def share(part: float, whole: float, otherwise: float) -> float:
    """100 · part / whole, and `otherwise` where the whole is 0."""
    return 100.0 * part / whole if whole != 0.0 else otherwise


@block
def rounded(x: float) -> int:
    """The nearest whole number."""
    return math.floor(x + 0.5)
