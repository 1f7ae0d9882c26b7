"""What makes a file of bars unusable, which period it has, and what looks wrong in it.

A file is refused as a whole, naming the row, when a bar contradicts itself, does not follow the
one before, or overlaps it. Bars that are only suspicious are kept as they are and warned about.
"""

from typing import Final

import numpy as np

from plan2.dataflow.bar_series import BarSeries, join_bars
from plan2.dataflow.importers.checks import RowChecks
from plan2.dataflow.importers.dataset import BarBatch, BarFile
from plan2.dataflow.importers.names import PERIODS_S
from plan2.dataflow.importers.source import SourceFile
from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND

WHOLE_DAY: Final = 0.95
"""A first bar with this part of its day's range carries the whole day."""

DAYS_JUDGED_MIN: Final = 10
BARS_A_DAY_MIN: Final = 4


def checked_bars(source: SourceFile, file: BarFile, symbol: str) -> BarSeries | None:
    """All bars of a file, checked, with their period; None when the file holds none.

    Raises:
        InputError: the file must be refused; the message names the row and the reason.
    """
    checks = RowChecks(source, file.row_word)
    first_row = 0
    parts = []
    for batch in file.batches():
        first_row = first_row or batch.first_row
        checks.check_times(batch.first_row, batch.ts_ns, may_repeat=False)
        _check_prices(checks, batch)
        parts.append(
            BarSeries(symbol, 0, batch.ts_ns, batch.prices, batch.ticks, batch.spread_points)
        )
    if not parts:
        return None
    whole = join_bars(parts)
    period_s = file.period_s or _period_s(source, whole)
    period_ns = period_s * NS_PER_SECOND
    # A bar of hours or days is one hour shorter where summer time begins.
    least_ns = period_ns - (NS_PER_HOUR if period_ns > NS_PER_HOUR else 0)
    checks.demand(
        first_row,
        np.diff(whole.ts_ns, prepend=whole.ts_ns[:1] - period_ns) >= least_ns,
        f"the bar begins before the one above it ends, when bars last {period_s} s",
    )
    return BarSeries(symbol, period_s, whole.ts_ns, whole.prices, whole.ticks, whole.spread_points)


def bar_warnings(series: BarSeries, clock: ServerClock) -> list[str]:
    """What looks wrong in a series that was nevertheless taken as it is."""
    bars_a_day = NS_PER_DAY // (series.period_s * NS_PER_SECOND)
    if bars_a_day < BARS_A_DAY_MIN or bool(np.isnan(series.bid_high).all()):
        return []
    days = clock.from_utc(series.ts_ns) // NS_PER_DAY
    first = np.flatnonzero(np.diff(days, prepend=days[:1] - 1))
    lengths = np.diff(first, append=len(series))
    day_range = np.maximum.reduceat(series.bid_high, first) - np.minimum.reduceat(
        series.bid_low, first
    )
    first_range = series.bid_high[first] - series.bid_low[first]
    judged = (lengths >= BARS_A_DAY_MIN) & (day_range > 0)
    share = first_range[judged] / day_range[judged]
    part = float((share >= WHOLE_DAY).mean()) if len(share) >= DAYS_JUDGED_MIN else 0.0
    if part <= 0.5:
        return []
    found = f"On {part:.0%} of the days the first bar spans the whole day's range"
    return [f"{found}: the source is faulty there. The bars were kept as they are."]


def _check_prices(checks: RowChecks, batch: BarBatch) -> None:
    for side in (batch.prices[:4], batch.prices[4:]):
        if np.isnan(side).all():  # the source has no such side
            continue
        checks.check_prices(batch.first_row, side)
        opened, high, low, close = side
        is_whole = (high >= np.maximum(opened, close)) & (low <= np.minimum(opened, close))
        checks.demand(
            batch.first_row, is_whole, "high or low of the bar lies inside its open and close"
        )


def _period_s(source: SourceFile, bars: BarSeries) -> int:
    steps, counts = np.unique(np.diff(bars.ts_ns), return_counts=True)
    usual_s = int(steps[counts.argmax()]) // NS_PER_SECOND if len(steps) else 0
    if usual_s not in PERIODS_S.values():
        raise source.refuse(
            f"the period of its bars is not clear (most start {usual_s} s apart).",
            "Put it into the file's name as MT5 does: EURUSD_M1.csv, EURUSD_H4.csv.",
        )
    return usual_s
