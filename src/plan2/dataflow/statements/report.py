"""What a MetaTrader 5 report states, row by row, before anything is computed.

Money is `Decimal` in the account's currency. Times are the broker's server clock, as text. `row` is
where a person finds the line again: the sheet's row, or the n-th row of the page's tables.
"""

import enum
from decimal import Decimal

import msgspec

from plan2.foundation.values import Side


class Kind(enum.StrEnum):
    """Which of the terminal's two reports this is."""

    ACCOUNT = "account"
    TESTER = "tester"


class Mode(enum.StrEnum):
    """How the account keeps positions."""

    HEDGING = "hedging"
    NETTING = "netting"
    UNSTATED = "unstated"


class Entry(enum.StrEnum):
    """What a deal does to a position, in the report's own words."""

    IN = "in"
    OUT = "out"
    REVERSE = "in/out"
    CLOSE_BY = "out by"


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """A line of Deals: a trade, or, where `side` is None, an operation on the account."""

    row: int
    at: str
    ticket: int
    kind: str
    symbol: str = ""
    side: Side | None = None
    entry: Entry | None = None
    volume: Decimal
    price: Decimal
    order: int
    commission: Decimal
    fee: Decimal
    swap: Decimal
    profit: Decimal
    balance: Decimal

    @property
    def is_trade(self) -> bool:
        """Whether it bought or sold."""
        return self.side is not None

    @property
    def amount(self) -> Decimal:
        """What it did to the balance."""
        return self.profit + self.swap + self.costs

    @property
    def costs(self) -> Decimal:
        """Commission and fee; negative when paid."""
        return self.commission + self.fee


class ClosedPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A line of Positions."""

    row: int
    ticket: int
    symbol: str
    side: Side
    volume: Decimal
    opened_at: str
    open_price: Decimal
    closed_at: str
    close_price: Decimal
    commission: Decimal
    swap: Decimal
    profit: Decimal


class OpenPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A line of Open Positions; its swap and profit are not in the balance yet."""

    row: int
    ticket: int
    symbol: str
    side: Side
    volume: Decimal
    opened_at: str
    price: Decimal
    swap: Decimal
    profit: Decimal


class Order(msgspec.Struct, frozen=True):
    """A line of Orders."""

    row: int
    ticket: int
    state: str


class Sums(msgspec.Struct, frozen=True):
    """The line of totals under a section; None where the report leaves the place empty."""

    row: int
    commission: Decimal | None
    fee: Decimal | None
    swap: Decimal | None
    profit: Decimal | None
    balance: Decimal | None


class Figure(msgspec.Struct, frozen=True):
    """A labelled value, as `Total Net Profit: 1 333.77`."""

    row: int
    text: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report."""

    kind: Kind
    mode: Mode
    currency: str
    deals: tuple[Deal, ...]
    deal_sums: Sums
    closed: tuple[ClosedPosition, ...] | None
    """None in the older layout, which lists no closed positions."""
    closed_sums: Sums | None
    opened: tuple[OpenPosition, ...]
    opened_sums: Sums | None
    orders: tuple[Order, ...]
    figures: dict[str, Figure]
