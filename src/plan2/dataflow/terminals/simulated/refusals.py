"""Why a broker refuses: stable words of ours, each with the return code MetaTrader gives for it."""

import enum


class Refusal(enum.StrEnum):
    """Why an order was rejected; the value travels in `OrderUpdate.reason`."""

    REQUOTE = "requote"
    """Instant execution: the quote moved beyond the deviation."""
    REJECTED = "rejected"
    """The dealer said no, or not all lots of a fill-or-kill order could be filled."""
    CANCELLED_BY_DEALER = "cancelled_by_dealer"
    """The request was withdrawn on the way."""
    INVALID_REQUEST = "invalid_request"
    """Parts of it contradict each other, or it names an order that never existed."""
    INVALID_VOLUME = "invalid_volume"
    """Below the minimum, above the maximum, or off the step."""
    INVALID_PRICE = "invalid_price"
    """None where one is needed, off the grid, or on the wrong side of or too near the market."""
    INVALID_STOPS = "invalid_stops"
    """Stops on the wrong side of the price, nearer than the stops level, or off the grid."""
    TRADE_DISABLED = "trade_disabled"
    """The account or the symbol may not trade."""
    MARKET_CLOSED = "market_closed"
    """The order arrived outside the session."""
    NO_MONEY = "no_money"
    """The free margin does not cover margin and commission."""
    PRICE_CHANGED = "price_changed"
    """Execution on request: the quote moved beyond the deviation."""
    NO_QUOTES = "no_quotes"
    """No quote of the symbol came in time."""
    INVALID_EXPIRATION = "invalid_expiration"
    """The expiry lies in the past, or the symbol allows none."""
    ORDER_CHANGED = "order_changed"
    """The pending order was executed, withdrawn or expired meanwhile."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """More requests in a second than the broker takes."""
    NO_CHANGES = "no_changes"
    """Everything already is as asked for."""
    LOCKED = "locked"
    """The position or order is being worked on."""
    FROZEN = "frozen"
    """A stop or pending price is within the freeze level of the market."""
    INVALID_FILLING = "invalid_fill"
    """The symbol does not know this filling mode."""
    LIMIT_ORDERS = "limit_orders"
    """As many pending orders as the account may have."""
    LIMIT_VOLUME = "limit_volume"
    """More lots in one direction than the symbol allows."""
    INVALID_ORDER = "invalid_order"
    """The symbol or account does not allow this type of order."""
    POSITION_CLOSED = "position_closed"
    """There is no such position (any more)."""
    INVALID_CLOSE_VOLUME = "invalid_close_volume"
    """More lots than the position has."""
    CLOSE_ORDER_EXISTS = "close_order_exist"
    """Another order is closing the position already."""
    LONG_ONLY = "long_only"
    """The symbol may only be bought."""
    SHORT_ONLY = "short_only"
    """The symbol may only be sold."""
    CLOSE_ONLY = "close_only"
    """Positions of the symbol may only be closed."""
    FIFO_CLOSE = "fifo_close"
    """Only the oldest position of the symbol may be closed."""
    HEDGE_PROHIBITED = "hedge_prohibited"
    """A position of the other side is open, and the account may not hold both."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """The account does not offer the symbol."""
    NO_CONVERSION_RATE = "no_conversion_rate"
    """No quote converts the symbol's currencies into the account's."""
    DUPLICATE_TOKEN = "duplicate_token"  # noqa: S105 - a reason, not a password
    """An order with this token was received before; it is never executed twice."""

    @property
    def retcode(self) -> int:
        """MetaTrader's return code; what MetaTrader does not know has that of the nearest."""
        return RETCODES[self]


RETCODES = {
    Refusal.REQUOTE: 10004,
    Refusal.REJECTED: 10006,
    Refusal.CANCELLED_BY_DEALER: 10007,
    Refusal.INVALID_REQUEST: 10013,
    Refusal.INVALID_VOLUME: 10014,
    Refusal.INVALID_PRICE: 10015,
    Refusal.INVALID_STOPS: 10016,
    Refusal.TRADE_DISABLED: 10017,
    Refusal.MARKET_CLOSED: 10018,
    Refusal.NO_MONEY: 10019,
    Refusal.PRICE_CHANGED: 10020,
    Refusal.NO_QUOTES: 10021,
    Refusal.INVALID_EXPIRATION: 10022,
    Refusal.ORDER_CHANGED: 10023,
    Refusal.TOO_MANY_REQUESTS: 10024,
    Refusal.NO_CHANGES: 10025,
    Refusal.LOCKED: 10028,
    Refusal.FROZEN: 10029,
    Refusal.INVALID_FILLING: 10030,
    Refusal.LIMIT_ORDERS: 10033,
    Refusal.LIMIT_VOLUME: 10034,
    Refusal.INVALID_ORDER: 10035,
    Refusal.POSITION_CLOSED: 10036,
    Refusal.INVALID_CLOSE_VOLUME: 10038,
    Refusal.CLOSE_ORDER_EXISTS: 10039,
    Refusal.LONG_ONLY: 10042,
    Refusal.SHORT_ONLY: 10043,
    Refusal.CLOSE_ONLY: 10044,
    Refusal.FIFO_CLOSE: 10045,
    Refusal.HEDGE_PROHIBITED: 10046,
    Refusal.UNKNOWN_SYMBOL: 10013,
    Refusal.NO_CONVERSION_RATE: 10021,
    Refusal.DUPLICATE_TOKEN: 10006,
}
"""TRADE_RETCODE_* of each refusal."""
