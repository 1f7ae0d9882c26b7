"""Profit recomputed from prices: (close − open) · lots · contract size, in the account's currency.

A report states neither contract sizes nor conversion rates. The size is taken from the deals
themselves and believed only when one usual size explains them to the last digit; the rate is known
when the account's currency is one of the pair's two, and otherwise the profit stays unchecked.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from plan2.dataflow.statements.report import Deal
from plan2.foundation.values import Side

PAIR: Final = re.compile(r"([A-Z]{3})([A-Z]{3})(?![A-Z]{3})")
USUAL: Final = tuple(
    Decimal(format(Decimal(lead).scaleb(power), "f"))
    for power in range(-3, 7)
    for lead in ("1", "1.25", "2", "2.5", "5")
)
"""Contract sizes that brokers use: simple numbers at any power of ten."""
HALF: Final = Decimal("0.50001")
"""What rounding takes at most, and a little for the binary fractions that servers compute with."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Lots closed by one deal; prices in quote currency, profit in the account's.

    `is_certain` is false where another position could have been the one that was closed;
    `is_averaged` where the opening price is a weighted one, which servers round on the way.
    """

    row: int
    ticket: int
    at: str
    symbol: str
    side: Side
    volume: Decimal
    open_price: Decimal
    close_price: Decimal
    profit: Decimal
    is_certain: bool
    is_averaged: bool = False


class SymbolPricing(msgspec.Struct, frozen=True):
    """How the profits of a symbol's closing deals were checked against prices."""

    symbol: str
    contract_size: Decimal | None
    """Units of base currency a lot; None when no single usual size explains the profits."""
    closings: int
    recomputed: int
    agreeing: int
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Pricing:
    """What is known of prices in a report: contract sizes by symbol, and the smallest amount."""

    currency: str
    unit: Decimal
    sizes: Mapping[str, Decimal]

    def value(self, symbol: str, side: Side, opened: Decimal, closed: Decimal) -> Decimal | None:
        """Profit of one lot of size 1 in the account's currency; None when the rate is unknown."""
        move = (closed - opened) * side.value
        pair = PAIR.match(symbol)
        if pair is None or not self.currency or pair[2] == self.currency:
            return move
        if pair[1] == self.currency and closed > 0:
            return move / closed
        return None

    def profit(self, closing: Closing) -> Decimal | None:
        """The profit by prices; None when size or rate are unknown."""
        value = self.value(closing.symbol, closing.side, closing.open_price, closing.close_price)
        size = self.sizes.get(closing.symbol)
        return None if value is None or size is None else value * closing.volume * size

    def explains(self, deal: Deal, symbol: str, side: Side, opened: Decimal) -> bool:
        """Whether closing at `opened` gives exactly the deal's profit."""
        value = self.value(symbol, side, opened, deal.price)
        size = self.sizes.get(symbol)
        if value is None or size is None:
            return False
        return abs(value * deal.volume * size - deal.profit) <= self.unit * HALF

    def agrees(self, closing: Closing, computed: Decimal) -> bool:
        """Whether rounding alone makes the difference: a half of the last digit.

        Of a weighted price it may be a whole one, because the price was rounded before.
        """
        off = abs(computed - closing.profit)
        return off <= self.unit * (1 if closing.is_averaged else HALF)


def infer(closings: Iterable[Closing], currency: str, unit: Decimal) -> Pricing:
    """The contract sizes that the certain closings of a report reveal."""
    blank = Pricing(currency, unit, {})
    sizes = {}
    for symbol, own in _by_symbol(closings).items():
        sure = [closing for closing in own if closing.is_certain]
        size = _size(sure, blank)
        if size is not None:
            priced = Pricing(currency, unit, {symbol: size})
            agreeing = _count_agreeing(sure, priced)
            if 2 * agreeing > len(sure):
                sizes[symbol] = size
    return Pricing(currency, unit, sizes)


def by_symbol(closings: Iterable[Closing], pricing: Pricing) -> list[SymbolPricing]:
    """One line a symbol: what could be recomputed, and why the rest could not."""
    lines = []
    for symbol, own in sorted(_by_symbol(closings).items()):
        size = pricing.sizes.get(symbol)
        sure = [closing for closing in own if closing.is_certain] if size is not None else []
        agreeing = _count_agreeing(sure, pricing)
        lines.append(
            SymbolPricing(symbol, size, len(own), len(sure), agreeing, _why(own, sure, pricing))
        )
    return lines


def _why(own: list[Closing], sure: list[Closing], pricing: Pricing) -> str:
    first = own[0]
    if pricing.value(first.symbol, first.side, first.open_price, first.close_price) is None:
        return f"the rate to {pricing.currency} is not in the report"
    if first.symbol not in pricing.sizes:
        return "no single contract size explains the profits"
    if len(sure) < len(own):
        return "which position some deals closed is not in the report"
    return ""


def _size(closings: list[Closing], blank: Pricing) -> Decimal | None:
    """The usual size nearest to what the largest profit implies."""
    for closing in sorted(closings, key=lambda each: abs(each.profit), reverse=True):
        value = blank.value(closing.symbol, closing.side, closing.open_price, closing.close_price)
        if value and closing.profit:
            implied = closing.profit / (value * closing.volume)
            if implied <= 0:
                return None
            return min(USUAL, key=lambda size: abs(size - implied) / size)
    return None


def _count_agreeing(closings: list[Closing], pricing: Pricing) -> int:
    found = 0
    for closing in closings:
        computed = pricing.profit(closing)
        found += computed is not None and pricing.agrees(closing, computed)
    return found


def _by_symbol(closings: Iterable[Closing]) -> dict[str, list[Closing]]:
    grouped: defaultdict[str, list[Closing]] = defaultdict(list)
    for closing in closings:
        grouped[closing.symbol].append(closing)
    return grouped
