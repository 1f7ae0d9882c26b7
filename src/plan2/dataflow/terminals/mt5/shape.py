"""The shape of the MetaTrader5 package as far as this platform uses it: functions and records.

The package ships no types. Times are the broker server's wall clock written as if it were UTC;
`*_msc` are milliseconds. Every function answers `None` (or False) when it failed.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Ticks = npt.NDArray[np.void]
"""Rows of the package's tick table: time, bid, ask, last, volume, time_msc, flags, volume_real."""


class TerminalInfo(Protocol):
    """What the terminal program says of itself."""

    connected: bool
    trade_allowed: bool
    tradeapi_disabled: bool
    build: int
    company: str
    name: str
    path: str


class AccountInfo(Protocol):
    """The account the terminal is logged in to."""

    login: int
    trade_mode: int
    leverage: int
    trade_allowed: bool
    trade_expert: bool
    margin_mode: int
    currency_digits: int
    balance: float
    equity: float
    margin: float
    server: str
    currency: str


class SymbolInfo(Protocol):
    """Contract data of a symbol."""

    name: str
    path: str
    description: str
    currency_base: str
    currency_profit: str
    digits: int
    point: float
    select: bool
    trade_calc_mode: int
    trade_mode: int
    trade_exemode: int
    filling_mode: int
    expiration_mode: int
    trade_stops_level: int
    trade_freeze_level: int
    trade_tick_size: float
    trade_tick_value: float
    trade_face_value: float
    trade_contract_size: float
    margin_initial: float
    volume_min: float
    volume_max: float
    volume_step: float
    swap_mode: int
    swap_long: float
    swap_short: float
    swap_rollover3days: int


class LastTick(Protocol):
    """The last quote of a symbol."""

    time: int
    time_msc: int
    bid: float
    ask: float
    last: float
    volume: int
    flags: int


class TradePosition(Protocol):
    """An open position."""

    ticket: int
    identifier: int
    time_msc: int
    type: int
    magic: int
    volume: float
    price_open: float
    sl: float
    tp: float
    swap: float
    profit: float
    symbol: str
    comment: str


class TradeOrder(Protocol):
    """A working order, or one in the history."""

    ticket: int
    time_setup: int
    time_setup_msc: int
    time_done_msc: int
    time_expiration: int
    type: int
    state: int
    magic: int
    position_id: int
    reason: int
    volume_initial: float
    volume_current: float
    price_open: float
    price_stoplimit: float
    sl: float
    tp: float
    symbol: str
    comment: str


class TradeDeal(Protocol):
    """An execution, or a booking on the account."""

    ticket: int
    order: int
    time: int
    time_msc: int
    type: int
    entry: int
    magic: int
    position_id: int
    reason: int
    volume: float
    price: float
    commission: float
    swap: float
    profit: float
    fee: float
    symbol: str
    comment: str


class SendResult(Protocol):
    """The trade server's answer to a request."""

    retcode: int
    deal: int
    order: int
    volume: float
    price: float
    comment: str


RequestField = int | float | str
"""Exact types only: numpy numbers, Decimal and None are refused by the package."""
Request = dict[str, RequestField]


class MarketFunctions(Protocol):
    """Functions of terminal, symbols and ticks; positional-only where keywords are refused."""

    def initialize(self, path: str = ..., /, **settings: int | str | bool) -> bool:
        """Attach to a terminal."""
        ...

    def shutdown(self) -> object:
        """Detach."""
        ...

    def last_error(self) -> tuple[int, str]:
        """Code and text of the last call of this process."""
        ...

    def terminal_info(self) -> TerminalInfo | None:
        """The terminal program's state."""
        ...

    def account_info(self) -> AccountInfo | None:
        """The account's state."""
        ...

    def symbols_get(self) -> tuple[SymbolInfo, ...] | None:
        """Every symbol of the broker."""
        ...

    def symbol_info(self, symbol: str, /) -> SymbolInfo | None:
        """Contract data of a symbol."""
        ...

    def symbol_info_tick(self, symbol: str, /) -> LastTick | None:
        """The last quote of a symbol."""
        ...

    def symbol_select(self, symbol: str, enable: bool = ..., /) -> bool:
        """Put a symbol into the Market Watch."""
        ...

    def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float, /
    ) -> float | None:
        """Margin of a market order."""
        ...

    def order_calc_profit(
        self, action: int, symbol: str, volume: float, opened: float, closed: float, /
    ) -> float | None:
        """Profit between two prices."""
        ...

    def copy_ticks_from(
        self, symbol: str, date_from: int, count: int, flags: int, /
    ) -> Ticks | None:
        """Ticks forward from a second."""
        ...

    def copy_ticks_range(
        self, symbol: str, date_from: int, date_to: int, flags: int, /
    ) -> Ticks | None:
        """Ticks between two seconds."""
        ...


class TradeFunctions(Protocol):
    """Functions of positions, orders and deals; positional-only where keywords are refused."""

    def positions_get(self, **by: int | str) -> tuple[TradePosition, ...] | None:
        """Open positions."""
        ...

    def orders_get(self, **by: int | str) -> tuple[TradeOrder, ...] | None:
        """Working orders."""
        ...

    def history_orders_get(self, *dates: int, **by: int | str) -> tuple[TradeOrder, ...] | None:
        """Ended orders: between two dates, or by ticket or position."""
        ...

    def history_deals_get(self, *dates: int, **by: int | str) -> tuple[TradeDeal, ...] | None:
        """Deals: between two dates, or by ticket or position."""
        ...

    def order_send(self, request: Request, /) -> SendResult | None:
        """Send a request to the trade server."""
        ...


class Mt5Module(MarketFunctions, TradeFunctions, Protocol):
    """The package."""
