"""Feature rows of a block of ticks, as columns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plan2.foundation.values import Bar, Float64Array, Int64Array
from plan2.intelligence.features.loop import BAR_COLUMN, SIGMA_COLUMN, Rows, Ticks
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.step import CHANNELS, CLOSED, FEATURES, GAP, READY

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SampledFeatures:
    """Rows of a block: one for each tick that closed a bar, or one for each tick.

    ts_ns int64[n], bid and ask float64[n]: the tick of the row, the first of the next bar when it
    closed one. values float64[n, F] and sequence float64[n, 16] include that tick; sequence_closed
    float64[n, 16] belongs to the bar closed last; sigma float64[n]. closed, ready, gap_reset
    bool[n]: commit `sequence_closed` where `closed`, then reset recurrent state where `gap_reset`.
    bar_ts_ns int64[n], bar_ohlc float64[n, 4] (bid), bar_ticks int64[n]: the bar closed last.
    catalogue float64[n, C]: the whole catalogue, whatever set `values` are of.
    The float columns are views of one matrix.
    """

    symbol: str
    period_s: int
    ts_ns: Int64Array
    bid: Float64Array
    ask: Float64Array
    values: Float64Array
    sequence: Float64Array
    sequence_closed: Float64Array
    sigma: Float64Array
    closed: BoolArray
    ready: BoolArray
    gap_reset: BoolArray
    bar_ts_ns: Int64Array
    bar_ohlc: Float64Array
    bar_ticks: Int64Array
    catalogue: Float64Array

    def __len__(self) -> int:
        return int(self.ts_ns.shape[0])

    @property
    def bars(self) -> list[Bar]:
        """The bars closed within the block, bid OHLC."""
        columns = (self.bar_ts_ns, self.bar_ohlc, self.bar_ticks)
        starts, prices, ticks = (column[self.closed].tolist() for column in columns)
        return [
            Bar(self.symbol, self.period_s, start, ohlc[0], ohlc[1], ohlc[2], ohlc[3], count)
            for start, ohlc, count in zip(starts, prices, ticks, strict=True)
        ]


def sampled_rows(symbol: str, plan: FeaturePlan, ticks: Ticks, out: Rows) -> SampledFeatures:
    """Name the columns that `run_block` wrote; `ticks` are the block's columns."""
    rows, marks = out
    ts_ns, bid, ask = ticks
    index, flags = marks[:, 0], marks[:, 1]
    return SampledFeatures(
        symbol=symbol,
        period_s=plan.bar_period_s,
        ts_ns=ts_ns[index],
        bid=bid[index],
        ask=ask[index],
        values=rows[:, :FEATURES],
        sequence=rows[:, FEATURES : FEATURES + CHANNELS],
        sequence_closed=rows[:, FEATURES + CHANNELS : SIGMA_COLUMN],
        sigma=rows[:, SIGMA_COLUMN],
        closed=flags & CLOSED != 0,
        ready=flags & READY != 0,
        gap_reset=flags & GAP != 0,
        bar_ts_ns=marks[:, 2],
        bar_ohlc=rows[:, BAR_COLUMN:],
        bar_ticks=marks[:, 3],
        catalogue=rows[:, :FEATURES],
    )
