"""What the open positions would gain or lose if the market moved: stress tests, and correlations.

Everything is linear in the moves, with today's rates: spot positions have no curvature.

- Everything against us: −Σ|vᵢ|·m, vᵢ the gross value of a position and m the move.
- One currency by m against all others: m times the net that is held in it.
- At the stops: what is lost from here if each stop fills at its own price, without a gap.
- Historical simulation (Hull, Risk Management and Financial Institutions, 5th ed., ch. 12): today's
  positions through each hour of the past; the worst of them, and the mean of the worst 5 %.
- Correlations are Pearson's of logarithmic returns over hours that both symbols traded in, with
  Fisher's interval tanh(artanh r ± 1.96/√(n − 3)) (Fisher 1921).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.values import Float64Array, Int64Array

TAIL: Final = 0.05
CONFIDENT: Final = 1.96
PAIRS_MIN: Final = 30
"""Fewer hours in common say nothing about a correlation."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """An open position, valued now; NaN where a rate or a quote is missing.

    `value`: signed, account currency, positive for a long. `to_stop`: what is gained or lost from
    here until the stop-loss, account currency, None without one.
    """

    symbol: str
    base: str
    quote: str
    value: float
    to_stop: float | None


class Correlation(msgspec.Struct, frozen=True, kw_only=True):
    """How two symbols move together: −1 to 1, the 95 % interval, and from how many hours.

    None while there are fewer than `PAIRS_MIN` hours in common.
    """

    first: str
    second: str
    value: float | None
    low: float | None
    high: float | None
    hours: int


def all_against(holdings: Iterable[Holding], move: float) -> float:
    """Result of every position going against us by `move`, a fraction of its price."""
    return -move * math.fsum(abs(each.value) for each in holdings)


def net_by_currency(holdings: Iterable[Holding]) -> dict[str, float]:
    """Net of each currency, account currency: a long holds its base and owes its quote."""
    net: dict[str, float] = {}
    for each in holdings:
        net[each.base] = net.get(each.base, 0.0) + each.value
        net[each.quote] = net.get(each.quote, 0.0) - each.value
    return net


def at_the_stops(holdings: Iterable[Holding]) -> tuple[float, int]:
    """Result from here if every stop is hit at its price, and how many positions have none."""
    stops = [each.to_stop for each in holdings]
    return math.fsum(each for each in stops if each is not None), stops.count(None)


def hour_by_hour(
    holdings: Sequence[Holding], returns: Mapping[str, tuple[Int64Array, Float64Array]]
) -> tuple[Int64Array, Float64Array]:
    """Today's positions through the past: hours, int64 ns UTC, and the result of each.

    `returns` has of each symbol the starts of hours and the relative change of price over each.
    Only hours count in which every symbol held was traded; results are float64, account currency.
    """
    values: dict[str, float] = {}
    for each in holdings:
        values[each.symbol] = values.get(each.symbol, 0.0) + each.value
    hours = _common([returns[symbol][0] for symbol in values if symbol in returns])
    if not values or len(hours) == 0 or any(symbol not in returns for symbol in values):
        return np.empty(0, np.int64), np.empty(0)
    total = np.zeros(len(hours))
    for symbol, value in values.items():
        starts, changes = returns[symbol]
        total += value * changes[np.searchsorted(starts, hours)]
    return hours, total


def mean_of_worst(results: Float64Array) -> float:
    """Mean of the worst 5 % of results, at least of one; negative = loss. NaN without any."""
    if len(results) == 0:
        return math.nan
    count = max(1, int(TAIL * len(results)))
    return float(np.sort(results)[:count].mean())


def correlations(
    symbols: Sequence[str], returns: Mapping[str, tuple[Int64Array, Float64Array]]
) -> list[Correlation]:
    """Of every pair of symbols, each pair once, in the order of `symbols`."""
    return [
        _correlation(first, second, returns)
        for index, first in enumerate(symbols)
        for second in symbols[index + 1 :]
    ]


def _correlation(
    first: str, second: str, returns: Mapping[str, tuple[Int64Array, Float64Array]]
) -> Correlation:
    nothing = (np.empty(0, np.int64), np.empty(0))
    (starts, one), (others, two) = returns.get(first, nothing), returns.get(second, nothing)
    hours, here, there = np.intersect1d(starts, others, return_indices=True)
    value = low = high = None
    if len(hours) >= PAIRS_MIN:
        left, right = np.log1p(one[here]), np.log1p(two[there])
        if left.std() > 0 and right.std() > 0:
            value = float(np.clip(np.corrcoef(left, right)[0, 1], -1.0, 1.0))
            low, high = _interval(value, len(hours))
    return Correlation(
        first=first, second=second, value=value, low=low, high=high, hours=len(hours)
    )


def _interval(value: float, hours: int) -> tuple[float, float]:
    """Fisher's interval of a correlation; at ±1 it is a point."""
    if abs(value) >= 1.0:
        return value, value
    middle, half = math.atanh(value), CONFIDENT / math.sqrt(hours - 3)
    return math.tanh(middle - half), math.tanh(middle + half)


def _common(times: Sequence[Int64Array]) -> Int64Array:
    """The hours that are in each of them, ascending."""
    if not times:
        return np.empty(0, np.int64)
    common = times[0]
    for each in times[1:]:
        common = np.intersect1d(common, each)
    return common
