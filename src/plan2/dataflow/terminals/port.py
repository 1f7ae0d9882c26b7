"""The terminal port: what a broker connection must do, whichever broker it is.

Market side: ticks arrive at a listener. Order side: `submit` starts exactly one call and returns at
once; the answer arrives at the listener later, or never. Questions (`positions`, `deals` …) may be
repeated; `None` as their answer means "could not be asked", never "there are none".
"""

import enum
from decimal import Decimal
from typing import Protocol

import msgspec

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side, Tick, TickBlock


class OrderKind(enum.Enum):
    """What an order asks the broker for."""

    OPEN = "open"
    """Open a position at market, stops attached."""
    CLOSE = "close"
    """Close (part of) a position at market."""


class ApprovedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that passed the risk gate; only `intelligence.risk.gate` may construct one.

    `token` is at most 26 ASCII characters and unique; it travels in the broker's comment so that an
    unknown outcome can be settled by looking it up. `position_ticket` names what a CLOSE closes.
    Prices in quote currency, 0.0 = none; quantity in lots; deviation in points.
    """

    order_id: str
    decision_id: str
    account_id: str
    symbol: str
    kind: OrderKind
    side: Side
    quantity: float
    price: float
    stop_loss: float
    take_profit: float
    token: str
    magic: int
    ts_ns: int
    position_ticket: str = ""
    deviation_points: int = 20


class UpdateKind(enum.Enum):
    """What the broker said about an order."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    FILLED = "filled"


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """One execution at the broker; `ticket` is unique and serves as fill id.

    Amounts are account currency; `side` is the side of the deal itself (an exit of a long is SELL).
    `reason`: client, stop_loss, take_profit, stop_out or manual.
    """

    ticket: str
    order_ticket: str
    position_ticket: str
    symbol: str
    side: Side
    is_exit: bool
    quantity: float
    price: float
    commission: Decimal
    swap: Decimal
    profit: Decimal
    reason: str
    token: str
    magic: int
    ts_ns: int


class OrderUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's word on an order, or a deal it did by itself (stop, take-profit, manual).

    `order_id` is empty when the deal belongs to no order of ours.
    """

    kind: UpdateKind
    ts_ns: int
    order_id: str = ""
    ticket: str = ""
    reason: str = ""
    deal: Deal | None = None


class TerminalPosition(msgspec.Struct, frozen=True, kw_only=True):
    """An open position as the broker sees it."""

    ticket: str
    symbol: str
    side: Side
    quantity: float
    open_price: float
    stop_loss: float
    take_profit: float
    swap: Decimal
    profit: Decimal
    magic: int
    token: str
    opened_ts_ns: int


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's account figures, account currency; mode is demo, real, simulated or replay."""

    login: str
    server: str
    currency: str
    mode: str
    balance: Decimal
    equity: Decimal
    margin: Decimal
    trade_allowed: bool


class TerminalListener(Protocol):
    """Who hears from the terminal; called on the loop's thread, must not block."""

    def on_tick(self, tick: Tick) -> None:
        """A quote arrived."""
        ...

    def on_order_update(self, update: OrderUpdate) -> None:
        """The broker said something about an order, or did a deal."""
        ...


class OrderSide(Protocol):
    """The half of a terminal that takes orders and answers questions about them."""

    def submit(self, order: ApprovedOrder) -> None:
        """Send the order exactly once; never blocks on the broker, never raises for a refusal."""
        ...

    async def account(self) -> AccountState | None:
        """The account's figures, or None when the terminal could not be asked."""
        ...

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """All open positions, or None when the terminal could not be asked."""
        ...

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """All deals at or after a market time, oldest first, or None when not askable."""
        ...

    async def deals_by_token(self, token: str) -> tuple[Deal, ...] | None:
        """Deals of the order that carried `token`; empty means it was never executed."""
        ...


class MarketSide(Protocol):
    """The half of a terminal that knows symbols and prices."""

    def instruments(self) -> dict[str, Instrument]:
        """Contract data of every symbol on offer."""
        ...

    async def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock:
        """Ticks with start ≤ time < end, oldest first; may be empty."""
        ...


class Terminal(MarketSide, OrderSide, Protocol):
    """A broker connection that can be started and stopped."""

    name: str

    async def start(self, listener: TerminalListener) -> None:
        """Connect, verify the account, and begin to deliver ticks to `listener`."""
        ...

    async def stop(self) -> None:
        """Disconnect in order; no listener call happens afterwards."""
        ...
