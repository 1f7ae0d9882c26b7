"""Prices as whole points: the fewest decimals that give every price back bit for bit.

Two ways of making a float from points are in use. Reading the decimal text gives the float64 that
is nearest, points / 10^digits. MetaTrader 5 adds the whole part and the rest, floor(price) + rest /
10^digits, which is one unit in the last place away for every tenth price (found in its ticks and
bars: no exception in 417,248 ticks). A price lies on a grid when its way gives the identical float.
"""

import enum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from plan2.foundation.values import Float64Array

DIGITS_MAX: Final = 8
PROBE_ROWS: Final = 256
"""Rows looked at before the whole column is, because most grids fail at once."""

INT32_MAX: Final = 2**31 - 1
EXACT_MAX: Final = 2.0**53

PointArray = npt.NDArray[np.int32] | npt.NDArray[np.int64]


class Rounding(enum.Enum):
    """How points become a float."""

    NEAREST = "nearest"
    MT5 = "mt5"


class Grid(NamedTuple):
    """Points of 10^-digits, and how they become floats."""

    digits: int
    rounding: Rounding


class OnGrid(NamedTuple):
    """Two price columns in points of a grid; int32 where it suffices, else int64."""

    grid: Grid
    bid: PointArray
    ask: PointArray


def to_points(bid: Float64Array, ask: Float64Array) -> OnGrid | None:
    """Both columns in points of the coarsest common grid, or None when 8 digits do not suffice."""
    for digits in range(DIGITS_MAX + 1):
        for rounding in Rounding:
            grid = Grid(digits, rounding)
            if any(_points(side[:PROBE_ROWS], grid) is None for side in (bid, ask)):
                continue
            bid_points, ask_points = _points(bid, grid), _points(ask, grid)
            if bid_points is not None and ask_points is not None:
                return OnGrid(grid, bid_points, ask_points)
    return None


def to_prices(
    points: PointArray | Float64Array, grid: Grid, out: Float64Array | None = None
) -> Float64Array:
    """The prices that `to_points` was given, bit for bit; written to `out` when given."""
    scale = 10.0**grid.digits
    prices: Float64Array = np.divide(points, scale, out=out)
    if grid.rounding is Rounding.MT5:
        np.floor(prices, out=prices)
        prices += (points - prices * scale) / scale
    return prices


def _points(prices: Float64Array, grid: Grid) -> PointArray | None:
    scale = 10.0**grid.digits
    largest = float(np.abs(prices).max(initial=0.0)) * scale
    if largest > EXACT_MAX:
        return None
    points = np.rint(prices * scale)
    if not bool((to_prices(points, grid) == prices).all()):
        return None
    if largest < INT32_MAX:
        return points.astype(np.int32)
    return points.astype(np.int64)
