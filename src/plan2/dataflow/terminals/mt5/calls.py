"""Every call into the package, once: typed, checked, with the reason of a failure beside it.

`last_error()` belongs to the process and is reset by the next call, so it is read in the same place
as the call. `order_send` is called here and nowhere else, in the one form that every version takes,
and never twice: whether to try again is decided upstream, by a new order.
"""

import math
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from plan2.dataflow.terminals.mt5.codes import COPY_TICKS_ALL, Result
from plan2.dataflow.terminals.mt5.shape import (
    AccountInfo,
    LastTick,
    Mt5Module,
    Request,
    SendResult,
    SymbolInfo,
    TerminalInfo,
    Ticks,
    TradeDeal,
    TradeOrder,
    TradePosition,
)

T = TypeVar("T")

COMMENT_MAX: Final = 26
SYMBOL_MAX: Final = 29
DATE_MIN: Final = 1
"""0 is never transmitted: the terminal would use whatever lies in its memory."""
DATE_MAX: Final = 2**31 - 1

INT_FIELDS: Final = frozenset(
    {"action", "magic", "order", "deviation", "type", "type_filling", "type_time", "expiration"}
    | {"position", "position_by"}
)
FLOAT_FIELDS: Final = frozenset({"volume", "price", "stoplimit", "sl", "tp"})
TEXT_FIELDS: Final = {"symbol": SYMBOL_MAX, "comment": COMMENT_MAX}

BROKEN: Final = frozenset(
    {
        Result.INTERNAL_FAIL,
        Result.INTERNAL_FAIL_SEND,
        Result.INTERNAL_FAIL_RECEIVE,
        Result.INTERNAL_FAIL_INIT,
        Result.INTERNAL_FAIL_CONNECT,
    }
)
"""After these the pipe is gone; only `initialize` brings it back."""
NOT_SENT: Final = frozenset(
    {
        Result.INVALID_PARAMS,
        Result.NOT_FOUND,
        Result.AUTO_TRADING_DISABLED,
        Result.INTERNAL_FAIL_CONNECT,
    }
)
"""After these an `order_send` certainly did not leave this machine; after others it may have."""
ABSENT: Final = frozenset({Result.OK, Result.NOT_FOUND})
"""`None` with one of these from a look-up by ticket means: there is none."""

MEANINGS: Final = {
    Result.OK: "the terminal gave no answer and no reason",
    Result.FAIL: "the terminal could not carry out the call",
    Result.INVALID_PARAMS: "the package refused an argument; nothing was sent",
    Result.NO_MEMORY: "the terminal is out of memory",
    Result.NOT_FOUND: "the terminal does not know what was named",
    Result.INVALID_VERSION: "the terminal is older than the package needs; update it",
    Result.AUTH_FAILED: "login, password or server were refused",
    Result.UNSUPPORTED: "the account needs a one-time or certificate password",
    Result.AUTO_TRADING_DISABLED: "trading through the Python API is switched off in the terminal",
    Result.INTERNAL_FAIL: "the call to the terminal failed",
    Result.INTERNAL_FAIL_SEND: "the connection to the terminal broke while asking",
    Result.INTERNAL_FAIL_RECEIVE: "the connection to the terminal broke before its answer",
    Result.INTERNAL_FAIL_INIT: "the terminal could not be started or found",
    Result.INTERNAL_FAIL_CONNECT: "the terminal is not connected to this process",
    Result.INTERNAL_FAIL_TIMEOUT: "the terminal runs but did not reach its trade server in time",
}


class CallFailed(msgspec.Struct, frozen=True):
    """Why a call gave nothing: the package's code and text, and what they mean."""

    function: str
    code: int
    text: str

    @property
    def meaning(self) -> str:
        """In plain words."""
        known = {int(code): words for code, words in MEANINGS.items()}
        return known.get(self.code, "an error that the package does not document")

    @property
    def is_broken(self) -> bool:
        """Whether the connection to the terminal is gone."""
        return self.code in BROKEN

    @property
    def is_not_sent(self) -> bool:
        """Whether an order certainly did not leave this machine."""
        return self.code in NOT_SENT

    def __str__(self) -> str:
        return f"{self.function}: {self.meaning} ({self.code}, {self.text})"


class Connection:
    """The pipe to the terminal, and how every call over it is made and judged.

    `broken` holds the failure that cut the connection, until the next successful `initialize`.
    """

    def __init__(self, module: Mt5Module) -> None:
        self.broken: CallFailed | None = None
        self._module = module

    def initialize(self, path: str, settings: dict[str, int | str | bool]) -> bool | CallFailed:
        """Attach to the terminal at `path`, starting it if need be; replaces an open connection."""
        module = self._module

        def attach() -> bool:
            return module.initialize(path, **settings) if path else module.initialize(**settings)

        answer = self._ask("initialize", attach)
        if not isinstance(answer, CallFailed):
            self.broken = None
        return answer

    def shutdown(self) -> None:
        """Detach; cannot fail."""
        self._module.shutdown()

    def terminal_info(self) -> TerminalInfo | CallFailed:
        """The terminal program's state."""
        return self._ask("terminal_info", self._module.terminal_info)

    def account_info(self) -> AccountInfo | CallFailed:
        """The account's state."""
        return self._ask("account_info", self._module.account_info)

    def _ask(self, function: str, call: Callable[[], T | None]) -> T | CallFailed:
        try:
            answer = call()
        except (SystemError, OverflowError, TypeError) as error:
            return CallFailed(function, Result.INVALID_PARAMS, str(error))
        return self._judge(function, answer)

    def _judge(self, function: str, answer: T | None) -> T | CallFailed:
        if answer is not None and answer is not False:
            return answer
        code, text = self._module.last_error()
        failed = CallFailed(function, int(code), str(text))
        if failed.is_broken:
            self.broken = failed
        return failed


class MarketCalls(Connection):
    """Symbols, quotes and ticks; each call gives its value or a `CallFailed`."""

    def symbols_get(self) -> tuple[SymbolInfo, ...] | CallFailed:
        """Every symbol the broker has."""
        return self._ask("symbols_get", self._module.symbols_get)

    def symbol_info(self, symbol: str) -> SymbolInfo | CallFailed:
        """Contract data of a symbol."""
        return self._ask("symbol_info", lambda: self._module.symbol_info(symbol))

    def symbol_info_tick(self, symbol: str) -> LastTick | CallFailed:
        """The last quote of a symbol."""
        return self._ask("symbol_info_tick", lambda: self._module.symbol_info_tick(symbol))

    def symbol_select(self, symbol: str) -> bool | CallFailed:
        """Put a symbol into the Market Watch."""
        return self._ask("symbol_select", lambda: self._module.symbol_select(symbol, True))

    def order_calc_margin(
        self, action: int, symbol: str, lots: float, price: float
    ) -> float | CallFailed:
        """Margin of a market order, account currency, whatever is open."""
        return self._ask(
            "order_calc_margin",
            lambda: self._module.order_calc_margin(int(action), symbol, lots, price),
        )

    def order_calc_profit(
        self, action: int, symbol: str, lots: float, opened: float, closed: float
    ) -> float | CallFailed:
        """Profit between two prices, account currency at the present rate."""
        return self._ask(
            "order_calc_profit",
            lambda: self._module.order_calc_profit(int(action), symbol, lots, opened, closed),
        )

    def copy_ticks_from(self, symbol: str, start_s: int, count: int) -> Ticks | CallFailed:
        """At most `count` ticks from a server second on, oldest first."""
        start = checked_date(start_s)
        return self._ask(
            "copy_ticks_from",
            lambda: self._module.copy_ticks_from(symbol, start, int(count), COPY_TICKS_ALL),
        )

    def copy_ticks_range(self, symbol: str, start_s: int, end_s: int) -> Ticks | CallFailed:
        """Ticks from a server second up to, at the millisecond .000, another."""
        start, end = checked_date(start_s), checked_date(end_s)
        return self._ask(
            "copy_ticks_range",
            lambda: self._module.copy_ticks_range(symbol, start, end, COPY_TICKS_ALL),
        )


class Calls(MarketCalls):
    """All functions: positions, orders, deals and sending besides the market's."""

    def positions_get(self) -> tuple[TradePosition, ...] | CallFailed:
        """All open positions."""
        return self._ask("positions_get", self._module.positions_get)

    def orders_get(self) -> tuple[TradeOrder, ...] | CallFailed:
        """All working orders."""
        return self._ask("orders_get", self._module.orders_get)

    def history_orders(self, start_s: int, end_s: int) -> tuple[TradeOrder, ...] | CallFailed:
        """Orders that ended between two server seconds."""
        start, end = checked_date(start_s), checked_date(end_s)
        return self._ask("history_orders_get", lambda: self._module.history_orders_get(start, end))

    def history_order(self, ticket: int) -> tuple[TradeOrder, ...] | CallFailed:
        """The ended order of a ticket; empty when there is none (yet)."""
        return self._look_up(
            "history_orders_get", lambda: self._module.history_orders_get(ticket=int(ticket))
        )

    def history_deals(self, start_s: int, end_s: int) -> tuple[TradeDeal, ...] | CallFailed:
        """Deals between two server seconds."""
        start, end = checked_date(start_s), checked_date(end_s)
        return self._ask("history_deals_get", lambda: self._module.history_deals_get(start, end))

    def deals_of_position(self, identifier: int) -> tuple[TradeDeal, ...] | CallFailed:
        """All deals of a position; empty when there are none (yet)."""
        return self._look_up(
            "history_deals_get",
            lambda: self._module.history_deals_get(position=int(identifier)),
        )

    def send(self, request: Request) -> SendResult | CallFailed:
        """Send a request, once; the failure says whether it may have been executed.

        The fields are checked first, so that an exception out of the package can only mean that it
        was on its way: such an outcome counts as unknown.
        """
        fault = request_fault(request)
        if fault:
            return CallFailed("order_send", Result.INVALID_PARAMS, fault)
        try:
            result = self._module.order_send(request)
        except (SystemError, OverflowError, TypeError) as error:
            return CallFailed("order_send", Result.INTERNAL_FAIL, str(error))
        return self._judge("order_send", result)

    def _look_up(
        self, function: str, call: Callable[[], tuple[T, ...] | None]
    ) -> tuple[T, ...] | CallFailed:
        answer = self._ask(function, call)
        if isinstance(answer, CallFailed) and answer.code in ABSENT:
            return ()
        return answer


def checked_date(server_s: int) -> int:
    """A date that the package transmits: whole seconds, at least 1, within 32 bits."""
    return min(max(int(server_s), DATE_MIN), DATE_MAX)


def request_fault(request: Request) -> str:
    """What the package would refuse in a request, empty when nothing."""
    for name, value in request.items():
        if name in INT_FIELDS:
            is_right = type(value) is int and value >= 0
        elif name in FLOAT_FIELDS:
            is_right = type(value) is float and math.isfinite(value)
        elif name in TEXT_FIELDS:
            is_right = isinstance(value, str) and len(value) <= TEXT_FIELDS[name]
            is_right = is_right and str(value).isascii()
        else:
            return f'Unknown field "{name}"'
        if not is_right:
            return f'Invalid "{name}" argument'
    return ""
