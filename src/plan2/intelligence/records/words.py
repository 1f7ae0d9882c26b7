"""How records say things: times, currencies, the codes of RTS 24."""

from datetime import UTC, datetime, timedelta
from typing import Final

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.events.order import OrderPlaced
from plan2.intelligence.trading.orders import kind_of

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NO_CURRENCY: Final = "X" * 3
"""ISO 4217: no currency; for symbols that are not named by a pair of currencies."""
METALS: Final = frozenset({"XAU", "XAG", "XPT", "XPD"})
CURRENCIES: Final = frozenset(
    {
        *("AUD", "CAD", "CHF", "CNH", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY"),
        *("MXN", "NOK", "NZD", "PLN", "RUB", "SEK", "SGD", "THB", "TRY", "USD", "ZAR"),
    }
)
LIMIT_TRIGGERS: Final = frozenset({Trigger.LIMIT.value})
STOP_TRIGGERS: Final = frozenset({"stop", "stop_limit"})


def instant(ts_ns: int) -> str:
    """UTC nanoseconds as ISO 8601 with microseconds; the rest is cut off."""
    return instant_us(ts_ns // 1_000)


def instant_us(at_us: int) -> str:
    """UTC microseconds as ISO 8601."""
    moment = EPOCH + timedelta(microseconds=at_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def quote_currency(symbol: str) -> str:
    """The currency of a symbol's prices by its name: EURUSD, XAUUSD.m → USD."""
    base, quote = symbol[:3].upper(), symbol[3:6].upper()
    known = CURRENCIES | METALS
    return quote if base in known and quote in CURRENCIES else NO_CURRENCY


def asset_class(symbol: str) -> str:
    """EMIR's class of what a symbol is about, by its name; "" where the name does not tell."""
    base = symbol[:3].upper()
    if quote_currency(symbol) == NO_CURRENCY:
        return ""
    return "COMM" if base in METALS else "CURR"


def order_type(placed: OrderPlaced) -> str:
    """Field 22: LMTO and STOP are the regulation's, MRKT is ours for orders at market."""
    if placed.trigger in LIMIT_TRIGGERS:
        return "LMTO"
    return "STOP" if placed.trigger in STOP_TRIGGERS else "MRKT"


def validity(placed: OrderPlaced) -> str:
    """Field 8: what cannot be executed of an order at market is cancelled at once."""
    if kind_of(placed) is not OrderKind.PENDING:
        return "IOCV"
    return "GTTV" if placed.order_expires_ts_ns else "GTCV"


def side_code(side: str) -> str:
    """Field 32."""
    return "BUYI" if side == "buy" else "SELL"
