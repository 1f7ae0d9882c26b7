"""The trade server's return codes: one table of what each means and what becomes of the order.

The engine never sends again, whatever the code: a fresh price is a new decision, made upstream with
a new order. `reason` is the stable word that travels in `OrderUpdate.reason`.
"""

import enum
from typing import Final

import msgspec


class Outcome(enum.Enum):
    """What a return code means for the order, and for what may be done next."""

    DONE = "done"
    """Carried out."""
    PARTIAL = "partial"
    """Carried out in part; the rest is cancelled."""
    PLACED = "placed"
    """Taken; the execution comes later."""
    FRESH_PRICE = "fresh_price"
    """Refused because the price moved: decide anew."""
    BACK_OFF = "back_off"
    """Refused for a moment: wait before the next order."""
    UNKNOWN = "unknown"
    """May or may not have been executed: settle it by asking, never resend."""
    REFUSED = "refused"
    """Refused by the dealer for this order."""
    HALT = "halt"
    """Refused because trading is not allowed as it stands: a person must look."""
    SESSION = "session"
    """Refused until the market opens."""
    RESYNC = "resync"
    """Refused because our books are behind: reconcile."""
    REQUEST_BUG = "request_bug"
    """Refused because the request is wrong."""
    ALREADY_SO = "already_so"
    """Nothing to change."""


class Retcode(msgspec.Struct, frozen=True):
    """A return code: its number and name, what follows, our word, and a sentence for people."""

    code: int
    name: str
    outcome: Outcome
    reason: str
    meaning: str


_TABLE: Final = (
    Retcode(10004, "REQUOTE", Outcome.FRESH_PRICE, "requote",
            "The broker offers another price."),
    Retcode(10006, "REJECT", Outcome.REFUSED, "rejected",
            "The broker refused the order without saying why."),
    Retcode(10007, "CANCEL", Outcome.REFUSED, "cancelled_by_dealer",
            "The request was cancelled by the dealer or at the terminal."),
    Retcode(10008, "PLACED", Outcome.PLACED, "placed",
            "The order is at the broker."),
    Retcode(10009, "DONE", Outcome.DONE, "done",
            "The request was carried out."),
    Retcode(10010, "DONE_PARTIAL", Outcome.PARTIAL, "partial",
            "Only part of the volume could be filled; the rest is cancelled."),
    Retcode(10011, "ERROR", Outcome.UNKNOWN, "server_error",
            "The server met an error; whether the order was executed is not known."),
    Retcode(10012, "TIMEOUT", Outcome.UNKNOWN, "timeout",
            "The server's answer took too long; whether the order was executed is not known."),
    Retcode(10013, "INVALID", Outcome.REQUEST_BUG, "invalid_request",
            "The request makes no sense to the broker."),
    Retcode(10014, "INVALID_VOLUME", Outcome.REQUEST_BUG, "invalid_volume",
            "The volume is outside the symbol's limits or off its step."),
    Retcode(10015, "INVALID_PRICE", Outcome.FRESH_PRICE, "invalid_price",
            "The price is missing, off the grid or too far from the market."),
    Retcode(10016, "INVALID_STOPS", Outcome.REQUEST_BUG, "invalid_stops",
            "A stop is on the wrong side of the market or nearer than the broker allows."),
    Retcode(10017, "TRADE_DISABLED", Outcome.HALT, "trade_disabled",
            "The account or the symbol may not be traded."),
    Retcode(10018, "MARKET_CLOSED", Outcome.SESSION, "market_closed",
            "The market is closed; wait for the session."),
    Retcode(10019, "NO_MONEY", Outcome.HALT, "no_money",
            "The free margin does not cover the order."),
    Retcode(10020, "PRICE_CHANGED", Outcome.FRESH_PRICE, "price_changed",
            "The price moved further than the allowed deviation."),
    Retcode(10021, "PRICE_OFF", Outcome.FRESH_PRICE, "no_quotes",
            "The broker has no quotes to execute on."),
    Retcode(10022, "INVALID_EXPIRATION", Outcome.REQUEST_BUG, "invalid_expiration",
            "The expiry is in the past or of a kind the symbol does not allow."),
    Retcode(10023, "ORDER_CHANGED", Outcome.RESYNC, "order_changed",
            "The order changed its state meanwhile."),
    Retcode(10024, "TOO_MANY_REQUESTS", Outcome.BACK_OFF, "too_many_requests",
            "The broker limits the number of requests; slow down."),
    Retcode(10025, "NO_CHANGES", Outcome.ALREADY_SO, "no_changes",
            "Everything is already as requested."),
    Retcode(10026, "SERVER_DISABLES_AT", Outcome.HALT, "server_disables_autotrading",
            "The broker has switched automatic trading off for this account."),
    Retcode(10027, "CLIENT_DISABLES_AT", Outcome.HALT, "client_disables_autotrading",
            "The terminal's AutoTrading button is off; press it."),
    Retcode(10028, "LOCKED", Outcome.BACK_OFF, "locked",
            "The request is locked for processing at the broker."),
    Retcode(10029, "FROZEN", Outcome.BACK_OFF, "frozen",
            "The order or position is too near to its execution to be changed."),
    Retcode(10030, "INVALID_FILL", Outcome.REQUEST_BUG, "invalid_fill",
            "The symbol does not support this filling mode; the next order uses another one."),
    Retcode(10031, "CONNECTION", Outcome.UNKNOWN, "no_connection",
            "No connection to the trade server; whether the order got there is not known."),
    Retcode(10032, "ONLY_REAL", Outcome.HALT, "only_real",
            "The operation is allowed for real accounts only."),
    Retcode(10033, "LIMIT_ORDERS", Outcome.HALT, "limit_orders",
            "The account has as many pending orders as the broker allows."),
    Retcode(10034, "LIMIT_VOLUME", Outcome.HALT, "limit_volume",
            "The volume of orders and positions of the symbol has reached its limit."),
    Retcode(10035, "INVALID_ORDER", Outcome.REQUEST_BUG, "invalid_order",
            "The kind of order is wrong or not allowed for the symbol."),
    Retcode(10036, "POSITION_CLOSED", Outcome.RESYNC, "position_closed",
            "The position is already closed."),
    Retcode(10038, "INVALID_CLOSE_VOLUME", Outcome.REQUEST_BUG, "invalid_close_volume",
            "More would be closed than the position holds."),
    Retcode(10039, "CLOSE_ORDER_EXIST", Outcome.RESYNC, "close_order_exist",
            "An order that closes this position is already on its way."),
    Retcode(10040, "LIMIT_POSITIONS", Outcome.HALT, "limit_positions",
            "The account has as many positions as the broker allows."),
    Retcode(10041, "REJECT_CANCEL", Outcome.RESYNC, "reject_cancel",
            "The pending order was withdrawn when it was triggered."),
    Retcode(10042, "LONG_ONLY", Outcome.HALT, "long_only",
            "The symbol may only be bought."),
    Retcode(10043, "SHORT_ONLY", Outcome.HALT, "short_only",
            "The symbol may only be sold."),
    Retcode(10044, "CLOSE_ONLY", Outcome.HALT, "close_only",
            "Positions of the symbol may only be closed."),
    Retcode(10045, "FIFO_CLOSE", Outcome.HALT, "fifo_close",
            "The account must close its oldest position first."),
    Retcode(10046, "HEDGE_PROHIBITED", Outcome.HALT, "hedge_prohibited",
            "The account may not hold opposite positions of a symbol."),
)  # fmt: skip

RETCODES: Final = {row.code: row for row in _TABLE}

UNDOCUMENTED: Final = "undocumented_retcode"


def retcode(code: int) -> Retcode:
    """The row of a code; a code nobody documented leaves the outcome unknown."""
    unknown = Retcode(
        code,
        "",
        Outcome.UNKNOWN,
        UNDOCUMENTED,
        f"The broker answered {code}, which is not documented; the outcome is not known.",
    )
    return RETCODES.get(code, unknown)
