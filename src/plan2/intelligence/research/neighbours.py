"""How steep the best point stands: what its neighbours come to.

A rule that works only at exactly 13 and 27 has learnt the past by heart. A real effect fades as
its numbers change, so the neighbours of the best point should be almost as good.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.research.ranges import Point, Range

NEAR: Final = 0.1
"""Neighbours without steps: at most this share of the range away, in every parameter."""
NEIGHBOURS_MIN: Final = 2


def neighbours_of(
    best: Point, trials: Sequence[tuple[Point, float | None]], ranges: Sequence[Range]
) -> list[float]:
    """Values of the trials next to the best: one step, or a tenth of the range, in any parameter.

    A neighbour of which nothing can be said, because it hardly traded, counts as 0.
    """
    home = _places(best, ranges)
    found = []
    for point, value in trials:
        distance = np.abs(_places(point, ranges) - home)
        if 0.0 < distance.max() <= 1.0 + 1e-9:
            found.append(0.0 if value is None else value)
    return found


def cliff_of(
    best: Point, trials: Sequence[tuple[Point, float | None]], ranges: Sequence[Range]
) -> float | None:
    """Share of the best value that its neighbours miss on average: 0 = a plateau, 1 = a needle.

    Above 1 when the neighbours lose on average. None with fewer than two neighbours, or when even
    the best loses.
    """
    own = next((value for point, value in trials if point == best), None)
    around = neighbours_of(best, trials, ranges)
    if own is None or own <= 0.0 or len(around) < NEIGHBOURS_MIN:
        return None
    return max(0.0, 1.0 - float(np.mean(around)) / own)


def _places(point: Point, ranges: Sequence[Range]) -> Float64Array:
    """Where a point stands on each axis, in steps to a neighbour."""
    return np.asarray([_place(point[each.name], each) for each in ranges])


def _place(value: float, each: Range) -> float:
    if each.values:
        axis = np.sort(np.asarray(each.values))
        return float(np.argmin(np.abs(axis - value)))
    if each.high == each.low:
        return 0.0
    if each.is_log:
        return float(np.log(value / each.low) / np.log(each.high / each.low)) / NEAR
    return (value - each.low) / (each.high - each.low) / NEAR
