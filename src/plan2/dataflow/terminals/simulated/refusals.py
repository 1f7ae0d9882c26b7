"""What a broker refuses, and why: the checks of a market order in MetaTrader's order.

Each check is a pure function of the order and of what the broker knows at the tick that would fill
it. The numbers are the return codes that MetaTrader gives for the same refusal.
"""

import enum
from decimal import Decimal

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind
from plan2.dataflow.terminals.simulated.book import Position
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side, Tick

POINT_TOLERANCE = 1e-6


class Refusal(enum.StrEnum):
    """Why an order was rejected; the value travels in `OrderUpdate.reason`."""

    INVALID_REQUEST = "invalid_request"
    """10013: a close on the wrong side, or of another symbol."""
    INVALID_VOLUME = "invalid_volume"
    """10014: below the minimum, above the maximum or the position, or off the step."""
    INVALID_STOPS = "invalid_stops"
    """10016: on the wrong side of the market, or nearer than the stops level."""
    TRADE_DISABLED = "trade_disabled"
    """10017: the account may not trade."""
    MARKET_CLOSED = "market_closed"
    """10018: the order arrived outside the session."""
    NO_MONEY = "no_money"
    """10019: the free margin does not cover margin and commission."""
    NO_QUOTES = "no_quotes"
    """10021: no quote of the symbol came in time."""
    POSITION_CLOSED = "position_closed"
    """10036: there is no such position (any more)."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """The account does not offer the symbol."""
    NO_CONVERSION_RATE = "no_conversion_rate"
    """No quote converts the symbol's currencies into the account's."""
    DUPLICATE_TOKEN = "duplicate_token"  # noqa: S105 - a reason, not a password
    """An order with this token was received before; it is never executed twice."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An order at the tick that would fill it.

    position: the one it closes or reduces. new_lots: for which it needs margin; rates: account
    currency per unit of the symbol's base and quote currency.
    """

    order: ApprovedOrder
    instrument: Instrument
    tick: Tick
    position: Position | None
    new_lots: float
    base_rate: float | None
    quote_rate: float | None
    free_margin: Decimal


def first_refusal(request: Request) -> Refusal | None:
    """The first reason to refuse the order, None to execute it."""
    if not request.instrument.is_tradable_volume(request.order.quantity):
        return Refusal.INVALID_VOLUME
    if request.quote_rate is None or request.base_rate is None:
        return Refusal.NO_CONVERSION_RATE
    if request.order.kind is OrderKind.CLOSE:
        return _close_refusal(request.order, request.position)
    return _open_refusal(request, request.base_rate)


def has_valid_stops(order: ApprovedOrder, instrument: Instrument, tick: Tick) -> bool:
    """Whether both stops lie far enough on their side of the price that would trigger them.

    A long is closed at the bid, so its stops are measured from the bid; a short's from the ask.
    """
    market = tick.bid if order.side is Side.BUY else tick.ask
    least = max(instrument.stops_level_points, 1) - POINT_TOLERANCE
    loss = order.side * instrument.points(market - order.stop_loss)
    gain = order.side * instrument.points(order.take_profit - market)
    return (order.stop_loss == 0.0 or loss >= least) and (order.take_profit == 0.0 or gain >= least)


def _open_refusal(request: Request, base_rate: float) -> Refusal | None:
    order, instrument = request.order, request.instrument
    if not has_valid_stops(order, instrument, request.tick):
        return Refusal.INVALID_STOPS
    if request.new_lots == 0.0:
        return None
    margin = instrument.margin(request.new_lots, base_rate)
    needed = margin + instrument.commission(order.quantity)
    return Refusal.NO_MONEY if needed > request.free_margin else None


def _close_refusal(order: ApprovedOrder, position: Position | None) -> Refusal | None:
    if position is None:
        return Refusal.POSITION_CLOSED
    if position.symbol != order.symbol or position.side is order.side:
        return Refusal.INVALID_REQUEST
    return Refusal.INVALID_VOLUME if order.quantity > position.quantity + 1e-9 else None
