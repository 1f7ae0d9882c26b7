"""What the account's positions add up to by currency and by volatility, for the sizing of the next.

Counts what is approved but not filled as if it were. Volatility is the one that sizing last went by
for each symbol; where none is known yet, the stress move stands in for it.
"""

import math
from collections.abc import Iterable, Mapping

import msgspec

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.trading.rates import Rates

GROWTH_PER_DAY = 1.5
"""A size may grow by this factor a day when volatility falls; it shrinks at once when it rises."""

Holding = tuple[str, float]
"""Symbol, and lots with the sign of the side."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all holdings: Σσ and Σσ² of a day, net exposure by currency; account currency."""

    volatility_sum: float
    volatility_squares: float
    net: dict[str, float]

    def net_of(self, currency: str) -> float:
        """Net exposure to a currency; NaN when a holding could not be valued."""
        return math.nan if math.isnan(self.volatility_sum) else self.net.get(currency, 0.0)


class SizingVolatility:
    """The volatility by which each symbol is sized: it rises at once and falls slowly."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, float]] = {}

    def note(self, symbol: str, ts_ns: int, forecast: float) -> None:
        """Take in a forecast for one day, a fraction of the price; NaN and 0 change nothing."""
        if not forecast > 0.0:
            return
        before = self._known.get(symbol)
        if before is not None:
            days = max(0, ts_ns - before[0]) / NS_PER_DAY
            forecast = max(forecast, before[1] * GROWTH_PER_DAY**-days)
        self._known[symbol] = (ts_ns, forecast)

    def of(self, symbol: str) -> float:
        """The volatility of a day, a fraction of the price; NaN when none was noted."""
        return self._known.get(symbol, (0, math.nan))[1]


def spread_of(
    holdings: Iterable[Holding],
    instruments: Mapping[str, Instrument],
    rates: Rates,
    volatility: SizingVolatility,
    stress_move: float,
) -> Spread:
    """Add up holdings; NaN where a symbol or its rate is not known."""
    total = squares = 0.0
    net: dict[str, float] = {}
    for symbol, lots in holdings:
        instrument = instruments.get(symbol)
        if instrument is None:
            return Spread(volatility_sum=math.nan, volatility_squares=math.nan, net={})
        value = lots * instrument.lot_units * rates.rate(instrument.base)
        known = volatility.of(symbol)
        sigma = abs(value) * (stress_move if math.isnan(known) else known)
        total += sigma
        squares += sigma * sigma
        net[instrument.base] = net.get(instrument.base, 0.0) + value
        net[instrument.quote] = net.get(instrument.quote, 0.0) - value
    return Spread(volatility_sum=total, volatility_squares=squares, net=net)
