"""The terminal port: what a broker connection must do, whichever broker it is.

Market side: ticks arrive at a listener. Order side: `submit` starts exactly one call and returns at
once; the answer arrives at the listener later, or never. Questions (`positions`, `deals` …) may be
repeated; `None` as their answer means "could not be asked", never "there are none".

Tickets are the broker's names. A position's ticket here is the one that never changes while it
lives (MetaTrader's position identifier); a deal that turns a netting position round is told as two:
the exit under the deal's own ticket, the entry under the same with `.in` behind it.
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
    PENDING = "pending"
    """Leave an order at the broker that opens a position when its trigger is met."""
    CLOSE = "close"
    """Close (part of) a position at market."""
    CLOSE_BY = "close_by"
    """Close a position and an opposite one of the same symbol against each other."""
    PROTECT = "protect"
    """Write both stops of a position; 0.0 removes a stop."""
    CHANGE = "change"
    """Write price, stops and expiry of a working pending order."""
    CANCEL = "cancel"
    """Withdraw a working pending order."""


class Trigger(enum.Enum):
    """When an order is executed: at once, or at a price named by MetaTrader's order types."""

    MARKET = "market"
    LIMIT = "limit"
    """At `price` or better."""
    STOP = "stop"
    """At market once `price` is reached."""
    STOP_LIMIT = "stop_limit"
    """Once `price` is reached, becomes a limit order at `limit_price`."""


class ApprovedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that passed the risk gate; only `intelligence.risk.gate` may construct one.

    `token` is at most 26 ASCII characters and unique; it travels in the broker's comment so that an
    unknown outcome can be settled by looking it up. `position_ticket` names the position of CLOSE,
    CLOSE_BY and PROTECT, `opposite_ticket` the other one of CLOSE_BY, `order_ticket` the pending
    order of CHANGE and CANCEL. Prices in quote currency, 0.0 = none; quantity in lots; deviation in
    points; `expires_ts_ns` is when the broker withdraws a pending order (0 = never).
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
    opposite_ticket: str = ""
    order_ticket: str = ""
    trigger: Trigger = Trigger.MARKET
    limit_price: float = 0.0
    expires_ts_ns: int = 0
    deviation_points: int = 20


class UpdateKind(enum.Enum):
    """What the broker said about an order."""

    ACCEPTED = "accepted"
    """It took the order; a pending one works from now on."""
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    FILLED = "filled"
    """It executed (part of) the order; the deal comes along."""
    DONE = "done"
    """It carried out a PROTECT, CHANGE or CANCEL."""
    CANCELLED = "cancelled"
    """What was left of the order will not be executed: withdrawn, or not all could be filled."""
    EXPIRED = "expired"
    """Its time is over."""


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


class TerminalOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A pending order that works at the broker; quantity is what is left of it, lots."""

    ticket: str
    symbol: str
    side: Side
    trigger: Trigger
    quantity: float
    price: float
    limit_price: float
    stop_loss: float
    take_profit: float
    expires_ts_ns: int
    magic: int
    token: str
    placed_ts_ns: int


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker has on record for a token; all empty means it never heard of it.

    `is_over` is true when it knows the order and the order no longer works (withdrawn, expired,
    executed), so that nothing more will be filled.
    """

    working: TerminalOrder | None = None
    deals: tuple[Deal, ...] = ()
    is_over: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the order never reached the broker."""
        return self.working is None and not self.deals and not self.is_over


class LinkState(enum.Enum):
    """How well the broker can be reached."""

    UP = "up"
    DEGRADED = "degraded"
    """The terminal answers but is not connected to its trade server, or may not trade."""
    DOWN = "down"
    """The terminal does not answer."""


class LinkChange(msgspec.Struct, frozen=True, kw_only=True):
    """The way to the broker changed; new risk is only taken while it is UP."""

    state: LinkState
    reason: str
    ts_ns: int


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's account figures, account currency.

    `mode` is demo, contest, real, simulated or replay; whatever is not known counts as real.
    `leverage` 0.0 = not told.
    """

    login: str
    server: str
    currency: str
    mode: str
    balance: Decimal
    equity: Decimal
    margin: Decimal
    trade_allowed: bool
    is_hedging: bool = True
    leverage: float = 0.0


class TerminalListener(Protocol):
    """Who hears from the terminal; called on the loop's thread, must not block."""

    def on_tick(self, tick: Tick) -> None:
        """A quote arrived."""
        ...

    def on_order_update(self, update: OrderUpdate) -> None:
        """The broker said something about an order, or did a deal."""
        ...

    def on_link(self, change: LinkChange) -> None:
        """The way to the broker changed; a terminal that starts well says UP once."""
        ...


class OrderSide(Protocol):
    """The half of a terminal that takes orders and answers questions about them."""

    def submit(self, order: ApprovedOrder) -> None:
        """Send the order exactly once; never blocks on the broker, never raises for a refusal.

        Raises:
            TerminalUnavailable: not connected; the order was certainly not sent.
        """
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

    async def orders(self) -> tuple[TerminalOrder, ...] | None:
        """All working pending orders, or None when the terminal could not be asked."""
        ...

    async def trace(self, token: str) -> Trace | None:
        """What became of the order that carried `token`.

        None while it cannot be told: not askable, the order is still on its way, or so young that
        the broker's history may not show it yet.
        """
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
