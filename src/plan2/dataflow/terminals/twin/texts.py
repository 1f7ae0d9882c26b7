"""What the trade server says with each return code."""

from typing import Final

from plan2.dataflow.terminals.twin import constants

CHECKED: Final = "Done"
"""With return code 0 of order_check."""

RETCODE_TEXTS: Final = {
    constants.TRADE_RETCODE_REQUOTE: "Requote",
    constants.TRADE_RETCODE_REJECT: "Request rejected",
    constants.TRADE_RETCODE_CANCEL: "Request canceled by trader",
    constants.TRADE_RETCODE_PLACED: "Order placed",
    constants.TRADE_RETCODE_DONE: "Request executed",
    constants.TRADE_RETCODE_DONE_PARTIAL: "Request executed partially",
    constants.TRADE_RETCODE_ERROR: "Request processing error",
    constants.TRADE_RETCODE_TIMEOUT: "Request timed out",
    constants.TRADE_RETCODE_INVALID: "Invalid request",
    constants.TRADE_RETCODE_INVALID_VOLUME: "Invalid volume",
    constants.TRADE_RETCODE_INVALID_PRICE: "Invalid price",
    constants.TRADE_RETCODE_INVALID_STOPS: "Invalid stops",
    constants.TRADE_RETCODE_TRADE_DISABLED: "Trade disabled",
    constants.TRADE_RETCODE_MARKET_CLOSED: "Market closed",
    constants.TRADE_RETCODE_NO_MONEY: "No money",
    constants.TRADE_RETCODE_PRICE_CHANGED: "Price changed",
    constants.TRADE_RETCODE_PRICE_OFF: "No prices",
    constants.TRADE_RETCODE_INVALID_EXPIRATION: "Invalid expiration",
    constants.TRADE_RETCODE_ORDER_CHANGED: "Order changed",
    constants.TRADE_RETCODE_TOO_MANY_REQUESTS: "Too many requests",
    constants.TRADE_RETCODE_NO_CHANGES: "No changes",
    constants.TRADE_RETCODE_SERVER_DISABLES_AT: "AutoTrading disabled by server",
    constants.TRADE_RETCODE_CLIENT_DISABLES_AT: "AutoTrading disabled by client",
    constants.TRADE_RETCODE_LOCKED: "Request locked",
    constants.TRADE_RETCODE_FROZEN: "Order or position frozen",
    constants.TRADE_RETCODE_INVALID_FILL: "Unsupported filling mode",
    constants.TRADE_RETCODE_CONNECTION: "No connection",
    constants.TRADE_RETCODE_ONLY_REAL: "Only real accounts",
    constants.TRADE_RETCODE_LIMIT_ORDERS: "Orders limit reached",
    constants.TRADE_RETCODE_LIMIT_VOLUME: "Volume limit reached",
    constants.TRADE_RETCODE_INVALID_ORDER: "Invalid order",
    constants.TRADE_RETCODE_POSITION_CLOSED: "Position closed",
    constants.TRADE_RETCODE_INVALID_CLOSE_VOLUME: "Invalid close volume",
    constants.TRADE_RETCODE_CLOSE_ORDER_EXIST: "Close order already exists",
    constants.TRADE_RETCODE_LIMIT_POSITIONS: "Positions limit reached",
    constants.TRADE_RETCODE_REJECT_CANCEL: "Pending order activated, cancel rejected",
    constants.TRADE_RETCODE_LONG_ONLY: "Only long positions allowed",
    constants.TRADE_RETCODE_SHORT_ONLY: "Only short positions allowed",
    constants.TRADE_RETCODE_CLOSE_ONLY: "Only closing allowed",
    constants.TRADE_RETCODE_FIFO_CLOSE: "Close only by FIFO",
    10046: "Opposite positions prohibited",
}
"""10009, 10015, 10016, 10021, 10027, 10030 as seen on real terminals; the others by their names."""
