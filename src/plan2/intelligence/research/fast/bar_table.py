"""Everything of the ticks that a flow judged at the end of bars can feel, worked out once.

A bar's own prices, the quotes that fill what is asked for at its end, the quotes by which a day is
valued, and the nights between. What a point of a sweep needs afterwards is a walk over bars.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY, NS_PER_MINUTE, NS_PER_MS, Float64Array, Int64Array
from plan2.intelligence.backtest.account.nights import next_rollover, rollover_weekday
from plan2.intelligence.features.kernels import entry
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import period_ns

PRICES: Final = ("open_", "high", "low", "close", "bid", "ask")
"""Rows of `prices`: in quote currency; bid and ask are the bar's last quote."""
FILLS: Final = ("next_row", "fill_row", "fill_bid", "fill_ask", "fill_nights")
"""Columns of `fills`, one row for each bar, so that they lie side by side: the row of the tick that
shows it to be over, row and prices (points) of the quote that fills, −1 when it comes too late;
rollovers until then."""
NEXT_ROW, FILL_ROW, FILL_BID, FILL_ASK, FILL_NIGHTS = range(len(FILLS))
REACH: Final = ("low_bid", "high_bid", "low_ask", "high_ask")
"""Rows of `reach`: extremes of a bar in points; small, as every bar is read for every point."""
LOW_BID, HIGH_BID, LOW_ASK, HIGH_ASK = range(len(REACH))
DAYS: Final = ("row", "bid", "ask", "nights")
"""Rows of `days`, one column for each day: the quote by which the curve values it last."""
DAY_ROW, DAY_BID, DAY_ASK, DAY_NIGHTS = range(len(DAYS))
LATE: Final = -1
QUOTE_WAIT_NS: Final = NS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class BarTable:
    """Ticks of a window by bars.

    prices: float64[6, n]. ends: int64[n], of the bars, UTC ns. fills: int64[n, 5].
    reach: int32[4, n + 1], the newest bar included, which is never seen to be over.
    days: int64[4, d].
    nights: int64[k], how many each rollover charges. last: row, bid, ask of the last quote.
    """

    prices: Float64Array
    ends: Int64Array
    fills: Int64Array
    reach: npt.NDArray[np.int32]
    days: Int64Array
    nights: Int64Array
    last: Int64Array
    highest_bid: int


def bar_table(
    flow: Flow, instrument: Instrument, ts_ns: Int64Array, bid: Int64Array, ask: Int64Array
) -> BarTable:
    """The table for the flow's bars, latency and fills; bid and ask are whole points."""
    scale = 10.0**instrument.digits
    money = (bid / scale, ask / scale)
    price = {"mid": 0.5 * (money[0] + money[1]), "bid": money[0], "ask": money[1]}
    column = price[flow.source.price]
    starts = np.concatenate(
        [[0], np.flatnonzero(np.diff(ts_ns // period_ns(flow.source.bars))) + 1]
    )
    first, after = starts[:-1], starts[1:]  # the newest bar is never seen to be over
    within = starts.astype(np.int64)
    rolls, nights = rollovers(ts_ns, instrument.swap_rollover3days)
    fill = _fills(flow, ts_ns, after)
    reach = np.clip(fill, 0, len(ts_ns) - 1)
    period = period_ns(flow.source.bars)
    ends = (ts_ns[first] // period + 1) * period
    nights_until = np.searchsorted(rolls, reach, side="right")
    fills = np.stack([after, fill, bid[reach], ask[reach], nights_until], axis=1).astype(np.int64)
    extremes = [
        reduce.reduceat(side, within) for side in (bid, ask) for reduce in (np.minimum, np.maximum)
    ]
    prices = np.stack([
        column[first],
        np.maximum.reduceat(column, within)[:-1],
        np.minimum.reduceat(column, within)[:-1],
        column[after - 1],
        money[0][after - 1],
        money[1][after - 1],
    ])  # fmt: skip
    valued = _valued(ts_ns)
    days = np.stack([valued, bid[valued], ask[valued], np.searchsorted(rolls, valued, "right")])
    last = np.array([len(ts_ns) - 1, bid[-1], ask[-1], len(rolls)], np.int64)
    return BarTable(
        prices,
        ends,
        fills,
        np.stack(extremes).astype(np.int32),
        days.astype(np.int64),
        nights,
        last,
        int(bid.max()),
    )


def _fills(flow: Flow, ts_ns: Int64Array, after: Int64Array) -> Int64Array:
    """The row of the quote that fills a request made at the end of each bar.

    At the signal's own quote, or at the first one that is later in order and not before the
    latency is over; the number of ticks when there is none any more, `LATE` when the broker would
    have refused for want of a quote.
    """
    if flow.execution.fill == "signal_quote":
        return after - 1
    due = ts_ns[after] + int(flow.execution.latency_ms * NS_PER_MS)
    row = np.maximum(np.searchsorted(ts_ns, due), after + 1)
    is_there = row < len(ts_ns)
    seen = ts_ns[np.minimum(row, len(ts_ns) - 1)]
    is_late = is_there & (seen > due + QUOTE_WAIT_NS)
    return np.where(is_late, LATE, np.minimum(row, len(ts_ns)))


def _valued(ts_ns: Int64Array) -> Int64Array:
    """The last row of each day, UTC, at which the account samples its equity: once a minute."""
    minute = ts_ns // NS_PER_MINUTE
    sampled = np.concatenate([[0], np.flatnonzero(np.diff(minute)) + 1])
    day = ts_ns[sampled] // NS_PER_DAY
    return np.asarray(sampled[np.append(np.flatnonzero(np.diff(day)), len(day) - 1)])


def rollovers(ts_ns: Int64Array, triple_day: int) -> tuple[Int64Array, Int64Array]:
    """Rows at which nights are charged, and how many each charges: two int64[k]."""
    room = int((ts_ns[-1] - ts_ns[0]) // NS_PER_DAY) + 3
    moments, nights = np.empty(room, np.int64), np.empty(room, np.int64)
    count = _rollovers(ts_ns[0], ts_ns[-1], triple_day, moments, nights)
    return np.searchsorted(ts_ns, moments[:count]).astype(np.int64), nights[:count]


@entry
def _rollovers(
    first_ns: int, last_ns: int, triple_day: int, moments: Int64Array, nights: Int64Array
) -> int:
    """Write every rollover after the first quote and not after the last; how many there are."""
    count = 0
    moment = next_rollover(first_ns)
    while moment <= last_ns and count < moments.shape[0]:
        moments[count] = moment
        nights[count] = 3 if rollover_weekday(moment) == triple_day else 1
        count += 1
        moment = next_rollover(moment)
    return count
