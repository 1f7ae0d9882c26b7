"""The greatest value of the last N pushes in amortised O(1): a monotonic deque in plain arrays.

Invariant: from front to back the stored values fall and their push numbers rise, so the front is
the maximum of the window. A minimum is the maximum of the negated values.
"""

from typing import Annotated

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.features.kernels import kernel
from plan2.intelligence.features.records import Scaled

LONGEST = 120


class MaximumState:
    """Candidates for the maximum; `values[front]` is the maximum when `size` > 0."""

    values: Annotated[Float64Array, Scaled(LONGEST)]
    numbers: Annotated[Int64Array, Scaled(LONGEST)]
    front: int
    size: int


@kernel
def push_maximum(state: MaximumState, value: float, number: int, window: int) -> None:
    """Add the push `number` (1, 2, …) and forget those more than `window` pushes old."""
    capacity = state.values.shape[0]
    if state.size > 0 and state.numbers[state.front] <= number - window:
        state.front = (state.front + 1) % capacity
        state.size -= 1
    while state.size > 0:
        back = (state.front + state.size - 1) % capacity
        if state.values[back] > value:
            break
        state.size -= 1
    slot = (state.front + state.size) % capacity
    state.values[slot] = value
    state.numbers[slot] = number
    state.size += 1


@kernel
def maximum_with(state: MaximumState, value: float) -> float:
    """The maximum of the window and of `value`, without storing it."""
    if state.size == 0:
        return value
    return max(float(state.values[state.front]), value)
