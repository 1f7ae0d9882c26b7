"""The building blocks of a compiled flow: running indicators on plain arrays.

`s` is the flow's float64 memory, `w` its int64 memory; `at` and `on` say where a block's own part
begins, and the first float of a block is what it gives, NaN until it is defined. A value that is
NaN is passed over, so a block that follows another one starts when that one is defined. `ring`
blocks have [count, slot, where the ring lies in s, its length] in `w`.
"""

import math

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.features.kernels import kernel, population_variance, sma_seeded_next

COUNT, SLOT, RING, LENGTH = 0, 1, 2, 3


@kernel
def mean_of_first(s: Float64Array, at: int, x: float, alpha: float) -> None:
    """Exponential average that starts as the first value: α·x + (1−α)·before."""
    if x == x:  # noqa: PLR0124 - NaN is not equal to itself
        before = s[at]
        s[at] = alpha * x + (1.0 - alpha) * before if before == before else x  # noqa: PLR0124


@kernel
def mean_of_mean(
    s: Float64Array, at: int, w: Int64Array, on: int, x: float, alpha: float
) -> None:
    """Exponential average that starts as the plain mean of its first N values; `w`: count, N."""
    if x == x:  # noqa: PLR0124
        w[on] += 1
        s[at + 1] = sma_seeded_next(s[at + 1], x, alpha, w[on], w[on + 1])
        if w[on] >= w[on + 1]:
            s[at] = s[at + 1]


@kernel
def push(s: Float64Array, w: Int64Array, on: int, x: float) -> None:
    """Write x over the oldest value of a ring."""
    slot = w[on + SLOT]
    s[w[on + RING] + slot] = x
    w[on + COUNT] += 1
    slot += 1
    w[on + SLOT] = 0 if slot == w[on + LENGTH] else slot


@kernel
def window(s: Float64Array, at: int, w: Int64Array, on: int, x: float) -> None:
    """Mean and population deviation of the newest N values: [mean, deviation, anchor, Σ, Σ²].

    Sums are of deviations from an anchor near the values and are taken afresh every N values, so
    rounding never piles up.
    """
    if x != x:  # noqa: PLR0124
        return
    length = w[on + LENGTH]
    ring = w[on + RING]
    slot = w[on + SLOT]
    if w[on + COUNT] == 0:
        s[at + 2] = x
    leaving = s[ring + slot] - s[at + 2]
    s[ring + slot] = x
    w[on + COUNT] += 1
    slot += 1
    if slot < length:
        w[on + SLOT] = slot
        entering = x - s[at + 2]
        if w[on + COUNT] > length:
            s[at + 3] += entering - leaving
            s[at + 4] += entering * entering - leaving * leaving
        else:
            s[at + 3] += entering
            s[at + 4] += entering * entering
    else:
        w[on + SLOT] = 0
        s[at + 2] = x
        total = 0.0
        squares = 0.0
        for place in range(ring, ring + length):
            deviation = s[place] - x
            total += deviation
            squares += deviation * deviation
        s[at + 3] = total
        s[at + 4] = squares
    if w[on + COUNT] >= length:
        s[at] = s[at + 2] + s[at + 3] / length
        s[at + 1] = math.sqrt(population_variance(s[at + 3], s[at + 4], length))


@kernel
def weighted(s: Float64Array, at: int, w: Int64Array, on: int, x: float) -> None:
    """Linearly weighted mean: the newest value counts N times, the oldest once."""
    if x != x:  # noqa: PLR0124
        return
    push(s, w, on, x)
    length = w[on + LENGTH]
    if w[on + COUNT] < length:
        return
    total = 0.0
    for age in range(length):
        slot = w[on + SLOT] - 1 - age
        total += (length - age) * s[w[on + RING] + (slot + length if slot < 0 else slot)]
    s[at] = total / (0.5 * length * (length + 1))


@kernel
def highest_of(s: Float64Array, at: int, w: Int64Array, on: int, x: float) -> None:
    """The largest of the newest N values: [largest, largest so far]."""
    if x != x:  # noqa: PLR0124
        return
    leaving = s[w[on + RING] + w[on + SLOT]]
    push(s, w, on, x)
    length = w[on + LENGTH]
    count = w[on + COUNT]
    if count == 1 or x >= s[at + 1]:
        s[at + 1] = x
    elif count > length and leaving == s[at + 1]:
        largest = x
        for place in range(w[on + RING], w[on + RING] + length):
            largest = max(largest, s[place])
        s[at + 1] = largest
    if count >= length:
        s[at] = s[at + 1]


@kernel
def past(s: Float64Array, at: int, w: Int64Array, on: int, x: float) -> None:
    """The value of N bars ago, NaN included; the ring holds N values."""
    if w[on + COUNT] >= w[on + LENGTH]:
        s[at] = s[w[on + RING] + w[on + SLOT]]
    push(s, w, on, x)


@kernel
def gains(s: Float64Array, at: int, x: float, alpha: float) -> None:
    """Wilder's averages of rises and falls, both starting at 0: [index, last, rise, fall].

    The index is 100 − 100/(1 + rise/fall), and 100 when nothing fell.
    """
    if x != x:  # noqa: PLR0124
        return
    last = s[at + 1]
    change = x - last if last == last else 0.0  # noqa: PLR0124
    s[at + 1] = x
    rise = alpha * max(change, 0.0) + (1.0 - alpha) * s[at + 2]
    fall = alpha * max(-change, 0.0) + (1.0 - alpha) * s[at + 3]
    s[at + 2] = rise
    s[at + 3] = fall
    s[at] = 100.0 if fall == 0.0 else 100.0 * (1.0 - 1.0 / (1.0 + rise / fall))


@kernel
def span(high: float, low: float, before: float) -> float:
    """Wilder's true range; NaN for the first bar, which has no close before it."""
    return max(high, before) - min(low, before) if before == before else math.nan  # noqa: PLR0124


@kernel
def directed(move: float, other: float) -> float:
    """Wilder's directional movement: `move` where it is positive and the larger one, else 0."""
    if move != move:  # noqa: PLR0124
        return math.nan
    return move if move > other and move > 0.0 else 0.0


@kernel
def share(part: float, whole: float, otherwise: float) -> float:
    """100 · part / whole, and `otherwise` where the whole is 0."""
    return 100.0 * part / whole if whole != 0.0 else otherwise
