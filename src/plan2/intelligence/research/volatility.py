"""How much the market moved on each day."""

import numpy as np

from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.research.diagnosis.finding import Volatility
from plan2.intelligence.research.subject import QuoteColumns


def daily_ranges(quotes: QuoteColumns) -> Volatility:
    """Highest less lowest bid of each day, UTC, as a share of the first: a day's volatility."""
    days = quotes.ts_ns // NS_PER_DAY
    starts = np.concatenate([[0], np.flatnonzero(np.diff(days)) + 1]).astype(np.int64)
    if len(days) == 0:
        return Volatility(np.empty(0, np.int64), np.empty(0))
    high = np.maximum.reduceat(quotes.bid, starts)
    low = np.minimum.reduceat(quotes.bid, starts)
    return Volatility(days[starts] * NS_PER_DAY, (high - low) / quotes.bid[starts])
