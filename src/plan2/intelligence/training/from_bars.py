"""Samples from bars where there are no ticks: four made-up ticks a bar, judged against us.

A bar does not say whether its high or its low came first. So labels are taken twice, once with the
low first in every bar and once with the high first: a long gets the result of the first, a short of
the second, and an event whose direction depends on the order is not trained on. What needs real
ticks (rates of quotes, their directions, intervals) means nothing here; use a set without it.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Float64Array, TickBlock
from plan2.intelligence.training.dataset import SymbolSamples
from plan2.intelligence.training.labels import LONG, SHORT, Status

TICKS_PER_BAR = 4
LEAST_BARS_PER_HORIZON = 20
"""Coarser bars hold both barriers too often for their order to be left open."""

OPEN, HIGH, LOW, CLOSE = range(4)
LOW_FIRST, HIGH_FIRST = (OPEN, LOW, HIGH, CLOSE), (OPEN, HIGH, LOW, CLOSE)
PER_SIDE = ("gross", "spread_out", "swap", "net", "mae", "mfe", "hold_s")

Assemble = Callable[[TickBlock], SymbolSamples]


def samples_of_bars(
    bars: BarSeries, instrument: Instrument, horizon_s: int, assemble: Assemble
) -> SymbolSamples:
    """Samples of a bar series; `assemble` is given the ticks of each order in turn.

    Raises:
        InputError: the bars are too coarse for the horizon, or their spread is not known.
    """
    if bars.period_s <= 0 or horizon_s < LEAST_BARS_PER_HORIZON * bars.period_s:
        raise InputError(
            f"{bars.symbol}: bars of {bars.period_s} s are too coarse for a horizon of {horizon_s}"
            f" s; it must hold at least {LEAST_BARS_PER_HORIZON} bars.",
            remedy="Import shorter bars or ticks, or choose a longer horizon.",
        )
    low_first = assemble(ticks_of_bars(bars, instrument, LOW_FIRST))
    high_first = assemble(ticks_of_bars(bars, instrument, HIGH_FIRST))
    return _worse_of(low_first, high_first)


def ticks_of_bars(
    bars: BarSeries, instrument: Instrument, order: tuple[int, ...] = LOW_FIRST
) -> TickBlock:
    """Four ticks for each bar, the last one just before its end.

    The ask is the bar's own where it is known, else the bid plus the recorded spread.

    Raises:
        InputError: a bar has neither.
    """
    spread = bars.spread_points * instrument.point
    bid = bars.prices[list(order)]
    ask = bars.prices[[4 + place for place in order]]
    ask = np.where(np.isnan(ask), bid + np.where(spread >= 0.0, spread, np.nan), ask)
    unknown = np.isnan(ask).any(axis=0)
    if unknown.any():
        raise InputError(
            f"{bars.symbol}: {int(unknown.sum()):,} of {len(bars):,} bars have no recorded spread, "
            "so costs are unknown.",
            remedy="Import bars with a spread or an ask side.",
        )
    period_ns = bars.period_s * NS_PER_SECOND
    steps = np.array([0, period_ns // 3, 2 * period_ns // 3, period_ns - NS_PER_MS])
    ts_ns = (bars.ts_ns[None, :] + steps[:, None]).T.ravel()
    return TickBlock(bars.symbol, ts_ns, _in_time(bid), _in_time(np.maximum(ask, bid)))


def _in_time(prices: Float64Array) -> Float64Array:
    return np.ascontiguousarray(prices.T).ravel()


def _worse_of(low_first: SymbolSamples, high_first: SymbolSamples) -> SymbolSamples:
    """Longs from the order that is worse for them, shorts from the other."""
    labels, other = low_first.labels.copy(), high_first.labels
    if not np.array_equal(labels["t0"], other["t0"]):
        raise InputError(f"{low_first.symbol}: the order within bars moved an event.")
    for name in PER_SIDE:
        labels[name][:, SHORT] = other[name][:, SHORT]
        labels[name][:, LONG] = low_first.labels[name][:, LONG]
    labels["side"] = np.where(labels["side"] == other["side"], labels["side"], 0)
    labels["t1"] = np.maximum(labels["t1"], other["t1"])
    is_open = (labels["status"] == Status.RESOLVED) & (other["status"] != Status.RESOLVED)
    labels["status"][is_open] = other["status"][is_open]
    return replace(low_first, labels=labels)
