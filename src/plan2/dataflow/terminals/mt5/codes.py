"""MetaTrader's numbers that travel in requests and records, by their names.

The values are those of package 5.0.6231 (unchanged since 5.0.45); a test compares each with the
list read from the package. `FillingBit` and `ExpirationBit` exist in MQL5 only.
"""

import enum
from typing import Final

COPY_TICKS_ALL: Final = -1
"""Not 0 and not 3, as many imitations have it."""


class TickFlag(enum.IntFlag):
    """What changed in a tick; the terminal sets further, undocumented bits."""

    BID = 2
    ASK = 4
    LAST = 8
    VOLUME = 16
    BUY = 32
    SELL = 64


class Action(enum.IntEnum):
    """TRADE_ACTION_*: what a request wants."""

    DEAL = 1
    PENDING = 5
    SLTP = 6
    MODIFY = 7
    REMOVE = 8
    CLOSE_BY = 10


class OrderType(enum.IntEnum):
    """ORDER_TYPE_*."""

    BUY = 0
    SELL = 1
    BUY_LIMIT = 2
    SELL_LIMIT = 3
    BUY_STOP = 4
    SELL_STOP = 5
    BUY_STOP_LIMIT = 6
    SELL_STOP_LIMIT = 7
    CLOSE_BY = 8


class OrderState(enum.IntEnum):
    """ORDER_STATE_*."""

    STARTED = 0
    PLACED = 1
    CANCELED = 2
    PARTIAL = 3
    FILLED = 4
    REJECTED = 5
    EXPIRED = 6
    REQUEST_ADD = 7
    REQUEST_MODIFY = 8
    REQUEST_CANCEL = 9


class OrderFilling(enum.IntEnum):
    """ORDER_FILLING_*: what a request names; not the bits of a symbol's mask."""

    FOK = 0
    IOC = 1
    RETURN = 2
    BOC = 3


class FillingBit(enum.IntFlag):
    """SYMBOL_FILLING_*: bits of `filling_mode`; RETURN has none."""

    FOK = 1
    IOC = 2
    BOC = 4


class CalcMode(enum.IntEnum):
    """SYMBOL_CALC_MODE_*: by which formula margin and profit are reckoned."""

    FOREX = 0
    FUTURES = 1
    CFD = 2
    CFDINDEX = 3
    CFDLEVERAGE = 4
    FOREX_NO_LEVERAGE = 5
    EXCH_STOCKS = 32
    EXCH_FUTURES = 33
    EXCH_OPTIONS = 34
    EXCH_OPTIONS_MARGIN = 36
    EXCH_BONDS = 37
    EXCH_STOCKS_MOEX = 38
    EXCH_BONDS_MOEX = 39
    SERV_COLLATERAL = 64


class Execution(enum.IntEnum):
    """SYMBOL_TRADE_EXECUTION_*."""

    REQUEST = 0
    INSTANT = 1
    MARKET = 2
    EXCHANGE = 3


class OrderTime(enum.IntEnum):
    """ORDER_TIME_*: how long a pending order works."""

    GTC = 0
    DAY = 1
    SPECIFIED = 2
    SPECIFIED_DAY = 3


class ExpirationBit(enum.IntFlag):
    """SYMBOL_EXPIRATION_*: bits of `expiration_mode`."""

    GTC = 1
    DAY = 2
    SPECIFIED = 4
    SPECIFIED_DAY = 8


class DealType(enum.IntEnum):
    """DEAL_TYPE_* of executions; all other types are bookings on the account."""

    BUY = 0
    SELL = 1


class DealEntry(enum.IntEnum):
    """DEAL_ENTRY_*."""

    IN = 0
    OUT = 1
    INOUT = 2
    OUT_BY = 3


class DealReason(enum.IntEnum):
    """DEAL_REASON_*: who made the deal."""

    CLIENT = 0
    MOBILE = 1
    WEB = 2
    EXPERT = 3
    SL = 4
    TP = 5
    SO = 6
    ROLLOVER = 7
    VMARGIN = 8
    SPLIT = 9


class PositionType(enum.IntEnum):
    """POSITION_TYPE_*."""

    BUY = 0
    SELL = 1


class AccountTradeMode(enum.IntEnum):
    """ACCOUNT_TRADE_MODE_*."""

    DEMO = 0
    CONTEST = 1
    REAL = 2


class AccountMarginMode(enum.IntEnum):
    """ACCOUNT_MARGIN_MODE_*."""

    RETAIL_NETTING = 0
    EXCHANGE = 1
    RETAIL_HEDGING = 2


class SwapMode(enum.IntEnum):
    """SYMBOL_SWAP_MODE_*: the unit of a symbol's swap."""

    DISABLED = 0
    POINTS = 1
    CURRENCY_SYMBOL = 2
    CURRENCY_MARGIN = 3
    CURRENCY_DEPOSIT = 4
    INTEREST_CURRENT = 5
    INTEREST_OPEN = 6
    REOPEN_CURRENT = 7
    REOPEN_BID = 8


class Result(enum.IntEnum):
    """RES_*: what `last_error()` says first."""

    OK = 1
    FAIL = -1
    INVALID_PARAMS = -2
    NO_MEMORY = -3
    NOT_FOUND = -4
    INVALID_VERSION = -5
    AUTH_FAILED = -6
    UNSUPPORTED = -7
    AUTO_TRADING_DISABLED = -8
    INTERNAL_FAIL = -10000
    INTERNAL_FAIL_SEND = -10001
    INTERNAL_FAIL_RECEIVE = -10002
    INTERNAL_FAIL_INIT = -10003
    INTERNAL_FAIL_CONNECT = -10004
    INTERNAL_FAIL_TIMEOUT = -10005
