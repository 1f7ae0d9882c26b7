"""Gathers what the broker's checks need to know about a request."""

from decimal import Decimal

from plan2.dataflow.terminals.port import OrderKind
from plan2.dataflow.terminals.simulated.book import Book, Position
from plan2.dataflow.terminals.simulated.checks import Situation
from plan2.dataflow.terminals.simulated.requests import BrokerRequest
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.dataflow.terminals.simulated.valuation import Valuation
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick

ENTRIES = {OrderKind.OPEN, OrderKind.PENDING}
NAMES_A_POSITION = {OrderKind.CLOSE, OrderKind.CLOSE_BY, OrderKind.PROTECT}


class Situations:
    """Looks a request up in one account's book."""

    def __init__(
        self, book: Book, valuation: Valuation, instruments: dict[str, Instrument]
    ) -> None:
        self._book = book
        self._valuation = valuation
        self._instruments = instruments

    def of(self, request: BrokerRequest, rules: AccountRules, tick: Tick, ts_ns: int) -> Situation:
        """The request at this quote of its symbol; an OPEN needs rates for both currencies."""
        held = tuple(self._book.of_symbol(tick.symbol))
        needed, free = Decimal(0), Decimal(0)
        if request.kind is OrderKind.OPEN:
            needed = self._money_needed(request, rules)
            free = self._valuation.equity() - self._valuation.margin(rules)
        return Situation(
            request=request,
            instrument=self._instruments[tick.symbol],
            rules=rules,
            tick=tick,
            ts_ns=ts_ns,
            position=self._position(request, rules, held),
            opposite=self._book.positions.get(request.opposite_ticket),
            order=self._book.working.get(request.order_ticket),
            is_order_known=request.order_ticket in self._book.history,
            held=held,
            working=len(self._book.working),
            lots_in_direction=self._lots_in_direction(request, held),
            money_needed=needed,
            free_margin=free,
        )

    def _position(
        self, request: BrokerRequest, rules: AccountRules, held: tuple[Position, ...]
    ) -> Position | None:
        """The one it names; on a netting account the symbol names it, an entry may reduce it."""
        if request.kind in NAMES_A_POSITION and request.position_ticket:
            return self._book.positions.get(request.position_ticket)
        if rules.is_hedging or not held:
            return None
        is_reduced = request.kind in ENTRIES and held[0].side is not request.side
        return held[0] if is_reduced or request.kind in NAMES_A_POSITION else None

    def _money_needed(self, request: BrokerRequest, rules: AccountRules) -> Decimal:
        """Further margin and the commission; nothing when the order binds no more than is bound."""
        further = self._valuation.further_margin(request, rules)
        commission = self._instruments[request.symbol].commission(request.quantity)
        return further + commission if further > 0 else Decimal(0)

    def _lots_in_direction(self, request: BrokerRequest, held: tuple[Position, ...]) -> float:
        mine = sum(one.quantity for one in held if one.side is request.side)
        return mine + sum(
            order.rest
            for order in self._book.working.values()
            if order.symbol == request.symbol and order.side is request.side
        )
