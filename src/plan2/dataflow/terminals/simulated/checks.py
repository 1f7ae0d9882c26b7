"""The broker's checks of a request, in MetaTrader's spirit: each a pure function of a situation.

A check returns the reason to refuse, or None. `refusal_of` asks those that belong to the request's
kind, in order; the first reason counts.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.dataflow.terminals.simulated.book import Position
from plan2.dataflow.terminals.simulated.distances import (
    are_stops_valid,
    has_valid_stops,
    is_on_grid,
    is_order_frozen,
    is_pending_price_valid,
    is_position_frozen,
)
from plan2.dataflow.terminals.simulated.orders import BrokerOrder, opening_price
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.dataflow.terminals.simulated.requests import BrokerRequest, Filling
from plan2.dataflow.terminals.simulated.rules import (
    AccountRules,
    ExecutionMode,
    SymbolRules,
    TradeMode,
)
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side, Tick


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """A request at the quote that would carry it out, and what the broker knows about it.

    Attributes:
        position: the one it closes, reduces or protects. opposite: the other one of a CLOSE_BY.
        order: the working order it names; `is_order_known`: whether that ever existed.
        held: the symbol's positions, oldest first. working: how many orders work on the account.
        lots_in_direction: positions and working orders of the symbol on the request's side.
        money_needed: further margin with commission; free_margin: what is there; both account
        currency.
    """

    request: BrokerRequest
    instrument: Instrument
    rules: AccountRules
    tick: Tick
    ts_ns: int
    position: Position | None = None
    opposite: Position | None = None
    order: BrokerOrder | None = None
    is_order_known: bool = False
    held: tuple[Position, ...] = ()
    working: int = 0
    lots_in_direction: float = 0.0
    money_needed: Decimal = Decimal(0)
    free_margin: Decimal = Decimal(0)

    @property
    def own(self) -> SymbolRules:
        """The rules of the symbol."""
        return self.rules.of(self.instrument.symbol)


Check = Callable[[Situation], Refusal | None]


def refusal_of(situation: Situation) -> Refusal | None:
    """The first reason to refuse the request, None to carry it out."""
    checks = CHECKS[situation.request.kind]
    return next((reason for check in checks if (reason := check(situation))), None)


def _volume(now: Situation) -> Refusal | None:
    is_tradable = now.instrument.is_tradable_volume(now.request.quantity)
    return None if is_tradable else Refusal.INVALID_VOLUME


def _trade_mode(now: Situation) -> Refusal | None:
    """What only reduces a netting position may always be done unless the symbol is disabled."""
    mode, request = now.own.trade_mode, now.request
    if mode is TradeMode.DISABLED:
        return Refusal.TRADE_DISABLED
    is_exit = now.position is not None and request.quantity <= now.position.quantity
    if is_exit or mode is TradeMode.FULL:
        return None
    if mode is TradeMode.CLOSE_ONLY:
        return Refusal.CLOSE_ONLY
    if mode is TradeMode.LONG_ONLY:
        return None if request.side is Side.BUY else Refusal.LONG_ONLY
    return None if request.side is Side.SELL else Refusal.SHORT_ONLY


def _hedge(now: Situation) -> Refusal | None:
    is_hedge = any(one.side is not now.request.side for one in now.held)
    is_refused = now.rules.is_hedge_prohibited and now.rules.is_hedging and is_hedge
    return Refusal.HEDGE_PROHIBITED if is_refused else None


def _market_filling(now: Situation) -> Refusal | None:
    filling, own = now.request.filling, now.own
    if filling is Filling.RETURN:
        is_known = own.execution is not ExecutionMode.MARKET
    else:
        is_known = filling in own.fillings
    return None if is_known else Refusal.INVALID_FILLING


def _market_price(now: Situation) -> Refusal | None:
    """Instant execution and execution on request keep to the price within the deviation."""
    execution, request = now.own.execution, now.request
    if execution not in {ExecutionMode.INSTANT, ExecutionMode.REQUEST}:
        return None
    if request.price <= 0 or not is_on_grid(request.price, now.instrument):
        return Refusal.INVALID_PRICE
    moved = opening_price(request.side, now.tick) - request.price
    if abs(now.instrument.points(moved)) <= request.deviation_points + 1e-6:
        return None
    is_instant = execution is ExecutionMode.INSTANT
    return Refusal.REQUOTE if is_instant else Refusal.PRICE_CHANGED


def _market_stops(now: Situation) -> Refusal | None:
    request = now.request
    stops = (request.stop_loss, request.take_profit)
    is_valid = has_valid_stops(request.side, stops, now.instrument, now.tick)
    return None if is_valid else Refusal.INVALID_STOPS


def _volume_limit(now: Situation) -> Refusal | None:
    limit = now.own.volume_limit
    is_over = limit > 0 and now.lots_in_direction + now.request.quantity > limit + 1e-9
    return Refusal.LIMIT_VOLUME if is_over else None


def _money(now: Situation) -> Refusal | None:
    is_short = now.money_needed > max(now.free_margin, Decimal(0))
    return Refusal.NO_MONEY if is_short else None


def _pending_type(now: Situation) -> Refusal | None:
    is_offered = now.request.trigger in now.own.triggers
    return None if is_offered else Refusal.INVALID_ORDER


def _count(now: Situation) -> Refusal | None:
    return Refusal.LIMIT_ORDERS if now.working >= now.rules.max_orders else None


def _expiry(now: Situation) -> Refusal | None:
    expires = now.request.expires_ts_ns
    if not expires:
        return None
    is_possible = now.own.allows_expiry and expires > now.ts_ns
    return None if is_possible else Refusal.INVALID_EXPIRATION


def _pending_price(now: Situation) -> Refusal | None:
    request = now.request
    order = now.order
    trigger = order.trigger if order else request.trigger
    side = order.side if order else request.side
    prices = (request.price, request.limit_price)
    is_stop_limit = trigger is Trigger.STOP_LIMIT
    if not all(p > 0 and is_on_grid(p, now.instrument) for p in prices[: 1 + is_stop_limit]):
        return Refusal.INVALID_PRICE
    if order is not None and order.is_activated:
        trigger, prices = Trigger.LIMIT, (request.limit_price, 0.0)
    is_valid = is_pending_price_valid(side, trigger, prices, now.instrument, now.tick)
    return None if is_valid else Refusal.INVALID_PRICE


def _pending_stops(now: Situation) -> Refusal | None:
    """Stops of a pending order are measured from the price at which it will open."""
    request, order = now.request, now.order
    side = order.side if order else request.side
    trigger = order.trigger if order else request.trigger
    opened_at = request.limit_price if trigger is Trigger.STOP_LIMIT else request.price
    stops = (request.stop_loss, request.take_profit)
    is_valid = are_stops_valid(side, stops, now.instrument, opened_at)
    return None if is_valid else Refusal.INVALID_STOPS


def _order_exists(now: Situation) -> Refusal | None:
    if now.order is not None:
        is_other = now.order.symbol != now.instrument.symbol
        return Refusal.INVALID_REQUEST if is_other else None
    return Refusal.ORDER_CHANGED if now.is_order_known else Refusal.INVALID_REQUEST


def _order_differs(now: Situation) -> Refusal | None:
    order, request = now.order, now.request
    names = ("price", "limit_price", "stop_loss", "take_profit", "expires_ts_ns")
    is_same = all(getattr(order, name) == getattr(request, name) for name in names)
    return Refusal.NO_CHANGES if is_same else None


def _order_frozen(now: Situation) -> Refusal | None:
    is_frozen = now.order is not None and is_order_frozen(now.order, now.instrument, now.tick)
    return Refusal.FROZEN if is_frozen else None


def _position_exists(now: Situation) -> Refusal | None:
    if now.position is None:
        return Refusal.POSITION_CLOSED
    is_other = now.position.symbol != now.instrument.symbol
    return Refusal.INVALID_REQUEST if is_other else None


def _close_side(now: Situation) -> Refusal | None:
    is_same = now.position is not None and now.position.side is now.request.side
    return Refusal.INVALID_REQUEST if is_same else None


def _close_volume(now: Situation) -> Refusal | None:
    held = now.position.quantity if now.position else 0.0
    return Refusal.INVALID_CLOSE_VOLUME if now.request.quantity > held + 1e-9 else None


def _first_in_first_out(now: Situation) -> Refusal | None:
    is_oldest = not now.held or now.position is now.held[0]
    return Refusal.FIFO_CLOSE if now.rules.is_fifo and not is_oldest else None


def _position_frozen(now: Situation) -> Refusal | None:
    position = now.position
    is_frozen = position is not None and is_position_frozen(position, now.instrument, now.tick)
    return Refusal.FROZEN if is_frozen else None


def _symbol_enabled(now: Situation) -> Refusal | None:
    is_disabled = now.own.trade_mode is TradeMode.DISABLED
    return Refusal.TRADE_DISABLED if is_disabled else None


def _opposites(now: Situation) -> Refusal | None:
    one, other = now.position, now.opposite
    if not now.rules.is_hedging:
        return Refusal.INVALID_ORDER
    if one is None or other is None:
        return Refusal.POSITION_CLOSED
    is_pair = one.symbol == other.symbol == now.instrument.symbol and one.side is not other.side
    return None if is_pair else Refusal.INVALID_REQUEST


def _stops_differ(now: Situation) -> Refusal | None:
    position, request = now.position, now.request
    is_same = position is not None and (
        (position.stop_loss, position.take_profit) == (request.stop_loss, request.take_profit)
    )
    return Refusal.NO_CHANGES if is_same else None


def _protection(now: Situation) -> Refusal | None:
    side = now.position.side if now.position else now.request.side
    stops = (now.request.stop_loss, now.request.take_profit)
    is_valid = has_valid_stops(side, stops, now.instrument, now.tick)
    return None if is_valid else Refusal.INVALID_STOPS


CHECKS: dict[OrderKind, tuple[Check, ...]] = {
    OrderKind.OPEN: (
        _volume, _trade_mode, _hedge, _market_filling, _market_price, _market_stops,
        _volume_limit, _money,
    ),
    OrderKind.PENDING: (
        _volume, _pending_type, _trade_mode, _count, _expiry, _pending_price, _pending_stops,
        _volume_limit,
    ),
    OrderKind.CLOSE: (
        _volume, _symbol_enabled, _position_exists, _close_side, _close_volume,
        _first_in_first_out, _market_filling, _market_price, _position_frozen,
    ),
    OrderKind.CLOSE_BY: (_symbol_enabled, _opposites, _position_frozen),
    OrderKind.PROTECT: (
        _symbol_enabled, _position_exists, _stops_differ, _protection, _position_frozen,
    ),
    OrderKind.CHANGE: (
        _symbol_enabled, _order_exists, _order_differs, _expiry, _pending_price, _pending_stops,
        _order_frozen,
    ),
    OrderKind.CANCEL: (_order_exists, _order_frozen),
}  # fmt: skip
"""What is asked of each kind of request, in this order."""

AT_ACTIVATION: tuple[Check, ...] = (_trade_mode, _hedge, _money)
"""What is asked of a pending order when a quote has reached it."""


def refusal_at_activation(situation: Situation) -> Refusal | None:
    """Why a pending order cannot be executed now that it is reached."""
    return next((reason for check in AT_ACTIVATION if (reason := check(situation))), None)
