"""What one unit of a currency is worth in the account's currency, from the last quotes."""

import math

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick


class Rates:
    """Last mid of each symbol, and the conversions that follow from them."""

    def __init__(self, currency: str, instruments: dict[str, Instrument]) -> None:
        self._currency = currency
        self._mids: dict[str, float] = {}
        self._direct = {i.base: i.symbol for i in instruments.values() if i.quote == currency}
        self._inverse = {i.quote: i.symbol for i in instruments.values() if i.base == currency}
        self._units = {i.symbol: i.quote for i in instruments.values() if i.base == i.symbol}

    def update(self, tick: Tick) -> None:
        """Remember a quote."""
        self._mids[tick.symbol] = (tick.bid + tick.ask) * 0.5

    def rate(self, currency: str) -> float:
        """Account currency per unit of `currency`; NaN when no quote gives it yet.

        A unit of an index or a share is named by its symbol, and worth its price.
        """
        if currency == self._currency:
            return 1.0
        if currency in self._direct:
            return self._mids.get(self._direct[currency], math.nan)
        if currency in self._inverse:
            return 1.0 / self._mids.get(self._inverse[currency], math.nan)
        if currency in self._units:
            return self._mids.get(currency, math.nan) * self.rate(self._units[currency])
        return math.nan
