"""Positions rebuilt from deals alone, the way the account's mode keeps them.

Netting keeps one position a symbol at its volume-weighted price; `in/out` closes it and opens the
opposite one. Hedging keeps every opening deal apart. A closing deal does not say which position it
closes; what the report says elsewhere decides, then the profit, then first in, first out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from plan2.dataflow.statements.figures import ZERO
from plan2.dataflow.statements.pricing import Closing, Pricing
from plan2.dataflow.statements.report import ClosedPosition, Deal, Entry, Mode, Report
from plan2.foundation.values import Side

CLOSES: Final = frozenset({Entry.OUT, Entry.CLOSE_BY, Entry.REVERSE})


@dataclass(slots=True)
class Position:
    """A position and everything that its deals booked on it.

    Attributes:
        ticket: the order that opened it, as MetaTrader numbers positions.
        price: volume-weighted opening price.
        remaining: lots still open; closed lots are those of `closings`.
        is_earlier: opened before the report's period, known from the report's rows only.
        shares_costs: a reversing deal booked its costs for two positions at once.
        is_averaged: it was opened at more than one price.
    """

    ticket: int
    symbol: str
    side: Side
    opened_at: str
    price: Decimal
    remaining: Decimal
    is_earlier: bool = False
    shares_costs: bool = False
    is_averaged: bool = False
    commission: Decimal = ZERO
    fee: Decimal = ZERO
    swap: Decimal = ZERO
    profit: Decimal = ZERO
    closings: list[Closing] = field(default_factory=list)

    @property
    def closed(self) -> Decimal:
        """Lots closed in the report's period."""
        return sum((closing.volume for closing in self.closings), ZERO)

    @property
    def close_price(self) -> Decimal:
        """Volume-weighted closing price; only of a position with closings."""
        spent = sum((closing.volume * closing.close_price for closing in self.closings), ZERO)
        return spent / self.closed

    @property
    def closed_at(self) -> str:
        """When it was last closed, empty while it never was."""
        return self.closings[-1].at if self.closings else ""

    def add(self, deal: Deal) -> None:
        """Take in an opening deal; the price becomes the weighted one."""
        volume = self.remaining + deal.volume
        self.is_averaged = self.is_averaged or deal.price != self.price
        self.price = (self.price * self.remaining + deal.price * deal.volume) / volume
        self.remaining = volume
        self.book(deal)

    def book(self, deal: Deal) -> None:
        """Take the deal's amounts."""
        self.commission += deal.commission
        self.fee += deal.fee
        self.swap += deal.swap
        self.profit += deal.profit

    def close(self, deal: Deal, volume: Decimal, *, is_certain: bool) -> None:
        """Close `volume` lots by a deal whose amounts belong here."""
        self.book(deal)
        self.remaining -= volume
        self.closings.append(
            Closing(
                row=deal.row,
                ticket=deal.ticket,
                at=deal.at,
                symbol=self.symbol,
                side=self.side,
                volume=volume,
                open_price=self.price,
                close_price=deal.price,
                profit=deal.profit,
                is_certain=is_certain,
                is_averaged=self.is_averaged,
            )
        )


@dataclass(slots=True)
class Rebuilt:
    """The positions of a report in the order they were opened, and deals that fit none."""

    mode: Mode
    positions: list[Position] = field(default_factory=list)
    orphans: list[Deal] = field(default_factory=list)
    """Closing deals without a position that could have been closed."""
    impossible: list[Deal] = field(default_factory=list)
    """Deals that an account of this mode cannot have."""

    def closings(self) -> Iterator[Closing]:
        """Every closing of every position."""
        for position in self.positions:
            yield from position.closings


def rebuild(report: Report, mode: Mode, pricing: Pricing) -> Rebuilt:
    """Play the deals of `report` from the first to the last.

    `pricing` may know contract sizes already; then a closing deal whose position is open to doubt
    goes to the one that explains its profit.
    """
    book = _Book(report, Rebuilt(mode), pricing)
    for deal in report.deals:
        if deal.side is not None:
            book.play(deal, deal.side)
    return book.rebuilt


class _Book:
    def __init__(self, report: Report, rebuilt: Rebuilt, pricing: Pricing) -> None:
        self.rebuilt = rebuilt
        self._pricing = pricing
        self._closed_rows: Mapping[int, ClosedPosition] = {
            row.ticket: row for row in report.closed or ()
        }
        self._kept = {row.ticket: row.volume for row in report.opened}
        self._doubtful: set[tuple[str, Side]] = set()
        """Where a guess was made: until all is closed, what seems the only one left may not be."""
        self._take_earlier(report)

    def play(self, deal: Deal, side: Side) -> None:
        """Apply one trade, which bought or sold as `side` says."""
        if self.rebuilt.mode is Mode.NETTING:
            self._net(deal, side)
        elif deal.entry is Entry.REVERSE:
            self.rebuilt.impossible.append(deal)
        elif deal.entry is Entry.IN:
            self._open(deal, side, deal.volume)
        else:
            self._close_one(deal, side)

    def _take_earlier(self, report: Report) -> None:
        """Positions that existed before the first deal have no opening deal to be found."""
        if not report.deals:
            return
        first = report.deals[0].at
        opened = {deal.order for deal in report.deals if deal.entry in {Entry.IN, Entry.REVERSE}}
        rows = [
            *((r.ticket, r.symbol, r.side, r.opened_at, r.open_price, r.volume)
              for r in report.closed or ()),
            *((r.ticket, r.symbol, r.side, r.opened_at, r.price, r.volume) for r in report.opened),
        ]  # fmt: skip
        known: dict[int, Position] = {}
        for ticket, symbol, side, opened_at, price, volume in sorted(rows, key=lambda r: r[3]):
            if opened_at >= first or ticket in opened:
                continue
            if ticket in known:
                known[ticket].remaining += volume
                continue
            known[ticket] = Position(
                ticket, symbol, side, opened_at, price, volume, is_earlier=True
            )
        self.rebuilt.positions += known.values()

    def _open(self, deal: Deal, side: Side, volume: Decimal) -> Position:
        same = [p for p in self._alive(deal.symbol, side) if p.ticket == deal.order]
        if same:  # an order filled in several deals
            same[0].add(deal)
            return same[0]
        position = Position(deal.order, deal.symbol, side, deal.at, deal.price, volume)
        self.rebuilt.positions.append(position)
        if deal.entry is Entry.IN:
            position.book(deal)
        return position

    def _net(self, deal: Deal, side: Side) -> None:
        same = self._alive(deal.symbol, side)
        against = self._alive(deal.symbol, side.opposite)
        if deal.entry is Entry.IN and not against:
            if same:
                same[0].add(deal)
            else:
                self._open(deal, side, deal.volume)
        elif deal.entry is Entry.OUT and against and deal.volume <= against[0].remaining:
            against[0].close(deal, deal.volume, is_certain=True)
        elif deal.entry is Entry.REVERSE and against and deal.volume > against[0].remaining:
            rest = deal.volume - against[0].remaining
            against[0].close(deal, against[0].remaining, is_certain=True)
            against[0].shares_costs = True
            self._open(deal, side, rest).shares_costs = True
        elif deal.entry in {Entry.OUT, Entry.REVERSE} and not against and not same:
            self.rebuilt.orphans.append(deal)
        else:
            self.rebuilt.impossible.append(deal)

    def _close_one(self, deal: Deal, side: Side) -> None:
        fitting = [
            position
            for position in self._alive(deal.symbol, side.opposite)
            if self._free(position) >= deal.volume
        ]
        if not fitting:
            self.rebuilt.orphans.append(deal)
            return
        position, is_certain = self._choose(deal, fitting)
        position.close(deal, deal.volume, is_certain=is_certain)
        place = (deal.symbol, position.side)
        if not is_certain:
            self._doubtful.add(place)
        if not self._alive(*place):
            self._doubtful.discard(place)

    def _choose(self, deal: Deal, fitting: list[Position]) -> tuple[Position, bool]:
        """Which position a hedging account's closing deal closes, and whether that is certain."""
        stated = [p for p in fitting if self._is_stated(p, deal)]
        if stated:
            return stated[0], True
        if len(fitting) == 1 and (deal.symbol, fitting[0].side) not in self._doubtful:
            return fitting[0], True
        for position in fitting:
            if self._pricing.explains(deal, position.symbol, position.side, position.price):
                return position, True
        return fitting[0], False

    def _is_stated(self, position: Position, deal: Deal) -> bool:
        row = self._closed_rows.get(position.ticket)
        if row is None or row.closed_at != deal.at:
            return False
        return position.closed > 0 or row.volume != deal.volume or row.close_price == deal.price

    def _free(self, position: Position) -> Decimal:
        """Lots that may be closed: what the report says is still open at its end may not."""
        return position.remaining - self._kept.get(position.ticket, ZERO)

    def _alive(self, symbol: str, side: Side) -> list[Position]:
        return [
            position
            for position in self.rebuilt.positions
            if position.remaining > 0 and position.symbol == symbol and position.side is side
        ]
