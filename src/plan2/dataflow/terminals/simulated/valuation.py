"""What the open positions are worth and what margin they bind, at the broker's last quotes.

Margin on a hedging account (MetaTrader's rule): the lots of the longer side that the other does not
cover bind that side's average margin; covered lots bind `hedged_margin` times the average of both.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from plan2.dataflow.terminals.simulated.book import ZERO, Book, Position
from plan2.dataflow.terminals.simulated.orders import LOT_DIGITS
from plan2.dataflow.terminals.simulated.quotes import Quotes
from plan2.dataflow.terminals.simulated.requests import BrokerRequest
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.foundation.errors import InvariantBroken
from plan2.foundation.instrument import CENT, Instrument
from plan2.foundation.values import Side, Tick

Leg = tuple[float, Decimal]
"""Lots of one side of a symbol and the margin they would bind by themselves."""


class Valuation:
    """Profit, equity and margin of one account's book."""

    def __init__(self, book: Book, quotes: Quotes, instruments: dict[str, Instrument]) -> None:
        self._book = book
        self._quotes = quotes
        self._instruments = instruments

    def equity(self) -> Decimal:
        """Balance plus what the open positions would bring at the last quotes, swap included."""
        floating = (self.profit(one) + one.swap for one in self._book.positions.values())
        return self._book.balance + sum(floating, ZERO)

    def profit(self, position: Position) -> Decimal:
        """Gross profit of a position at the last quote, account currency."""
        return self._instruments[position.symbol].profit(
            position.side,
            position.quantity,
            position.open_price,
            closing_price(position, self.tick(position.symbol)),
            self.quote_rate(position.symbol),
        )

    def margin(self, rules: AccountRules) -> Decimal:
        """What all open positions bind."""
        held = self._book.positions.values()
        symbols = dict.fromkeys(one.symbol for one in held)
        return sum((self._symbol_margin(symbol, rules) for symbol in symbols), ZERO)

    def further_margin(self, request: BrokerRequest, rules: AccountRules) -> Decimal:
        """How much more an OPEN would bind; zero or less when it covers or reduces."""
        held = self._book.of_symbol(request.symbol)
        before = self._symbol_margin(request.symbol, rules)
        new = self.lots_margin(request.symbol, request.side, request.quantity)
        if rules.is_hedging:
            added = (request.quantity, new)
            mine, other = _leg(held, request.side), _leg(held, request.side.opposite)
            after = _hedged((mine[0] + added[0], mine[1] + added[1]), other, rules.hedged_margin)
            return after - before
        if not held or held[0].side is request.side:
            return new
        rest = request.quantity - held[0].quantity
        return self.lots_margin(request.symbol, request.side, rest) - before if rest > 0 else ZERO

    def lots_margin(self, symbol: str, side: Side, lots: float) -> Decimal:
        """What so many lots of a side bind when nothing covers them."""
        instrument = self._instruments[symbol]
        base_rate = _known(self._quotes.rate(instrument.base), instrument.base)
        return instrument.margin(side, lots, base_rate, self.quote_rate(symbol))

    def quote_rate(self, symbol: str) -> float:
        """Account currency per unit of the symbol's quote currency."""
        currency = self._instruments[symbol].quote
        return _known(self._quotes.rate(currency), currency)

    def has_rates(self, symbol: str) -> bool:
        """Whether quotes convert both currencies of the symbol."""
        one = self._instruments[symbol]
        return None not in {self._quotes.rate(one.base), self._quotes.rate(one.quote)}

    def tick(self, symbol: str) -> Tick:
        """The last quote of a symbol with an open position."""
        tick = self._quotes.last(symbol)
        if tick is None:
            raise InvariantBroken(f"{symbol}: a position is open but no quote was ever seen")
        return tick

    def _symbol_margin(self, symbol: str, rules: AccountRules) -> Decimal:
        held = self._book.of_symbol(symbol)
        longs, shorts = _leg(held, Side.BUY), _leg(held, Side.SELL)
        return _hedged(longs, shorts, rules.hedged_margin)


def closing_price(position: Position, tick: Tick) -> float:
    """What the position is closed at: a long at the bid, a short at the ask."""
    return tick.bid if position.side is Side.BUY else tick.ask


def _leg(held: Iterable[Position], side: Side) -> Leg:
    mine = [one for one in held if one.side is side]
    lots = round(sum(one.quantity for one in mine), LOT_DIGITS)
    return lots, sum((one.margin for one in mine), ZERO)


def _hedged(one: Leg, other: Leg, hedged_margin: float) -> Decimal:
    """Margin of two opposite legs; exact when only one of them exists."""
    if not one[0] or not other[0]:
        return one[1] + other[1]
    (more, bound), (less, covered) = (one, other) if one[0] >= other[0] else (other, one)
    each = [Decimal(repr(lots)) for lots in (more, less)]
    open_margin = bound * (each[0] - each[1]) / each[0]
    both = (bound / each[0] + covered / each[1]) / 2 * each[1] * Decimal(repr(hedged_margin))
    return (open_margin + both).quantize(CENT, rounding=ROUND_HALF_EVEN)


def _known(rate: float | None, currency: str) -> float:
    if rate is None:
        raise InvariantBroken(f"a position is open but no quote converts {currency}")
    return rate
