"""The broker's last quotes, and what a currency is worth in the account's currency by them."""

from collections.abc import Iterable

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick

DOLLAR = "USD"

Step = tuple[str, bool]
"""A symbol on the way between two currencies, and whether it is quoted the other way round."""


class Quotes:
    """Last tick of each symbol, and the conversions that follow.

    One unit of a currency brings the bid of the symbol whose base it is, or 1/ask of the symbol
    whose quote it is; where the account's currency is not on the other side, by way of US dollars.
    """

    def __init__(self, currency: str, instruments: Iterable[Instrument]) -> None:
        self._currency = currency
        known = tuple(instruments)
        self._symbols = {(one.base, one.quote): one.symbol for one in known}
        self._units = {one.symbol: one.quote for one in known if one.base == one.symbol}
        self._routes: dict[str, tuple[Step, ...]] = {}
        self._last: dict[str, Tick] = {}

    def update(self, tick: Tick) -> None:
        """Remember a quote."""
        self._last[tick.symbol] = tick

    def last(self, symbol: str) -> Tick | None:
        """The last quote of a symbol, None before the first."""
        return self._last.get(symbol)

    def all(self) -> tuple[Tick, ...]:
        """Every last quote."""
        return tuple(self._last.values())

    def rate(self, currency: str) -> float | None:
        """Account currency per unit of `currency`; None when no quote gives it."""
        if currency == self._currency:
            return 1.0
        if currency not in self._routes:
            self._routes[currency] = self._route(currency)
        rate = 1.0
        for symbol, is_turned in self._routes[currency]:
            tick = self._last.get(symbol)
            if tick is None:
                return None
            rate = rate / tick.ask if is_turned else rate * tick.bid
        return rate

    def _route(self, currency: str) -> tuple[Step, ...]:
        """The symbols between a currency and the account's; a step without a name leads nowhere.

        A unit of an index or a share is named by its symbol, and worth its price.
        """
        if currency in self._units and self._units[currency] != self._currency:
            return (currency, False), *self._route(self._units[currency])
        direct = self._step(currency, self._currency)
        if direct[0]:
            return (direct,)
        return self._step(currency, DOLLAR), self._step(DOLLAR, self._currency)

    def _step(self, base: str, quote: str) -> Step:
        if (base, quote) in self._symbols:
            return self._symbols[base, quote], False
        return self._symbols.get((quote, base), ""), True
