"""Ticks made for the feature tests, and bars taken from them without any code under test."""

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_MS, Float64Array, Int64Array, TickBlock

EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
MONDAY_NS = 1_704_704_400_000_000_000  # 2024-01-08 09:00 UTC


def random_ticks(count: int, seed: int = 1, mean_wait_ms: float = 4_000.0) -> TickBlock:
    """A random walk on the price grid with irregular waits and a changing spread."""
    rng = np.random.default_rng(seed)
    waits = 1 + rng.exponential(mean_wait_ms, count).astype(np.int64)
    bid = np.round(1.1 + np.cumsum(rng.normal(0.0, 2e-5, count)), 5)
    ask = np.round(bid + rng.integers(1, 12, count) * 1e-5, 5)
    return TickBlock("EURUSD", MONDAY_NS + np.cumsum(waits) * NS_PER_MS, bid, ask)


def minute_starts(block: TickBlock) -> Int64Array:
    """Row of the first tick of every minute that has one."""
    minutes = block.ts_ns // NS_PER_MINUTE
    return np.flatnonzero(np.diff(minutes, prepend=minutes[0] - 1))


def mid_bars(block: TickBlock) -> dict[str, Float64Array]:
    """Open, high, low, close of the mid by minute; the last row is the unfinished one."""
    mid = 0.5 * (block.bid + block.ask)
    starts = minute_starts(block)
    last = np.append(starts[1:], len(block)) - 1
    return {
        "open": mid[starts],
        "high": np.maximum.reduceat(mid, starts),
        "low": np.minimum.reduceat(mid, starts),
        "close": mid[last],
    }
