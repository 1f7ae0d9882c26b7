"""A map of two parameters: the best value of each cell over all the others."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.research.ranges import Point, Range

CELLS_PER_AXIS: Final = 60
"""Axes with more values are cut into so many intervals."""
INTERVALS: Final = 12
"""Of an axis that has no steps."""

Valued = Sequence[tuple[Point, float | None]]


class HeatMap(msgspec.Struct, frozen=True, kw_only=True):
    """Cells by row (y) and column (x); None where nothing was tried or nothing can be said.

    `xs` and `ys` are the values of the axes, the lower ends of intervals for axes without steps.
    """

    x: str
    y: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[tuple[float | None, ...], ...]


def heat_map(x: Range, y: Range, trials: Valued) -> HeatMap:
    """The best value for each pair of values of `x` and `y`."""
    xs, ys = _axis(x), _axis(y)
    best = np.full((len(ys), len(xs)), np.nan)
    for point, value in trials:
        if value is not None:
            row, column = _index(ys, point[y.name]), _index(xs, point[x.name])
            best[row, column] = np.fmax(best[row, column], value)
    return HeatMap(
        x=x.name,
        y=y.name,
        xs=tuple(xs.tolist()),
        ys=tuple(ys.tolist()),
        cells=tuple(tuple(None if np.isnan(cell) else float(cell) for cell in row) for row in best),
    )


def _axis(each: Range) -> Float64Array:
    if each.values and len(each.values) <= CELLS_PER_AXIS:
        return np.sort(np.asarray(each.values, np.float64))
    count = CELLS_PER_AXIS if each.values else INTERVALS
    if each.is_log:
        return np.geomspace(each.low, each.high, count + 1)[:-1]
    return np.linspace(each.low, each.high, count + 1)[:-1]


def _index(axis: Float64Array, value: float) -> int:
    """The last value of the axis that is not above `value`; rounding may have moved it a little."""
    slack = 1e-9 * max(1.0, abs(value))
    return max(0, int(np.searchsorted(axis, value + slack, side="right")) - 1)
