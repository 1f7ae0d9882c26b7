"""What an order's price is compared with: each symbol's last mid and its mean over a window.

A sample is taken at most once a second, so a window holds few of them, and only then is the mean
summed anew. After a restart the window fills again from its first quote.
"""

import math
from collections import deque

from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Tick

SAMPLE_EVERY_NS = NS_PER_SECOND


class _Prices:
    """The prices of one symbol; times UTC nanoseconds."""

    __slots__ = ("mean", "mid", "sample_due_ns", "samples", "ts_ns")

    def __init__(self) -> None:
        self.ts_ns = 0
        self.mid = math.nan
        self.mean = math.nan
        self.samples: deque[tuple[int, float]] = deque()
        self.sample_due_ns = 0


class ReferencePrices:
    """Mids of all symbols over the last `window_s` seconds of market time."""

    def __init__(self, window_s: int) -> None:
        self._window_ns = window_s * NS_PER_SECOND
        self._symbols: dict[str, _Prices] = {}

    def adopt(self, window_s: int) -> None:
        """Mean over another window from now on; a longer one fills as quotes come."""
        self._window_ns = window_s * NS_PER_SECOND

    def on_tick(self, tick: Tick) -> None:
        """Remember a quote."""
        prices = self._symbols.get(tick.symbol)
        if prices is None:
            prices = self._symbols[tick.symbol] = _Prices()
        prices.ts_ns = tick.ts_ns
        prices.mid = (tick.bid + tick.ask) * 0.5
        if tick.ts_ns >= prices.sample_due_ns:
            prices.sample_due_ns = tick.ts_ns + SAMPLE_EVERY_NS
            self._sample(prices)

    def mid(self, symbol: str) -> float:
        """The last mid, quote currency; NaN before the first."""
        prices = self._symbols.get(symbol)
        return prices.mid if prices is not None else math.nan

    def age_ms(self, symbol: str, ts_ns: int) -> float:
        """How old the last mid is, milliseconds; NaN before the first."""
        prices = self._symbols.get(symbol)
        return max(0, ts_ns - prices.ts_ns) / NS_PER_MS if prices is not None else math.nan

    def window_mid(self, symbol: str) -> float:
        """Mean of the window's samples, quote currency; NaN before the first."""
        prices = self._symbols.get(symbol)
        return prices.mean if prices is not None else math.nan

    def _sample(self, prices: _Prices) -> None:
        """Take a sample, drop what is older than the window, and mean what is left."""
        samples = prices.samples
        samples.append((prices.ts_ns, prices.mid))
        while samples[0][0] < prices.ts_ns - self._window_ns:
            samples.popleft()
        prices.mean = math.fsum([mid for _, mid in samples]) / len(samples)
