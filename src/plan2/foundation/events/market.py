"""Facts about market data; they live on the bus, ticks themselves live in the archive."""

from plan2.foundation.events.base import Event
from plan2.foundation.values import Bar, Tick


class MarketDataReceived(Event, frozen=True, kw_only=True, gc=False):
    """A tick passed the quality checks."""

    tick: Tick


class MarketDataQuarantined(Event, frozen=True, kw_only=True, gc=False):
    """A tick failed a quality check and was set aside, never silently dropped."""

    tick: Tick
    reason: str


class BarClosed(Event, frozen=True, kw_only=True, gc=False):
    """A bar is complete; `ts_ns` is the time of the tick that closed it."""

    bar: Bar


class FeedStateChanged(Event, frozen=True, kw_only=True, gc=False):
    """A symbol's feed became fresh, stale or closed."""

    symbol: str
    state: str
    age_ms: int
