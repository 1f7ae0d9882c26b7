"""What people and automatic care may ask of an account, and the intent that each wish becomes.

A wish names things as our books do and leaves out what stays as it is; `intent_of` completes it
from the books and rounds it to the instrument. Nothing here approves or sends anything.
"""

from collections.abc import Callable

import msgspec

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.ids import derived_id
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side, Tick
from plan2.intelligence.risk.exit_slip import exit_deviation
from plan2.intelligence.risk.limits import Intent
from plan2.intelligence.trading.orders import Order, OrderBook
from plan2.intelligence.trading.positions import Position, PositionBook

PERSON = "user:"
"""What the names of people begin with, where an actor is named."""
FLOW = "main"


class Ask(msgspec.Struct, frozen=True):
    """Who wants something, `user:…` or `algorithm:…`, and why."""

    actor: str
    reason: str


class OrderWish(msgspec.Struct, frozen=True, kw_only=True):
    """An order as somebody wishes for it; prices in quote currency, quantity in lots.

    Attributes:
        quantity: 0.0 = the whole position, for CLOSE and CLOSE_BY; of one larger than the broker
            takes in an order, as much as it takes.
        stop_loss, take_profit, price, limit_price, expires_ts_ns: None = as it is, 0 = none.
        position_id, opposite_id: positions of ours or foreign ones, by our name.
        order_id: a pending order of ours; order_ticket: a foreign one by the broker's name.
        key: what the order's id is derived from; the same key never leads to a second order.
        horizon_s: after how long the position it opens is closed, 0 = never.
    """

    kind: OrderKind
    ask: Ask
    symbol: str = ""
    side: Side | None = None
    quantity: float = 0.0
    trigger: Trigger = Trigger.MARKET
    price: float | None = None
    limit_price: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    expires_ts_ns: int | None = None
    position_id: str = ""
    opposite_id: str = ""
    order_id: str = ""
    order_ticket: str = ""
    key: str = ""
    horizon_s: int = 0
    flow_id: str = FLOW

    @property
    def is_by_person(self) -> bool:
        """Whether a person asks, not an algorithm."""
        return self.ask.actor.startswith(PERSON)


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no order: the rule, what it saw, its limit, and a sentence."""

    rule: str
    message: str
    value: float = 0.0
    limit: float = 0.0


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders and positions of an account; empty means all of ours."""

    symbol: str = ""
    flow_id: str = ""
    includes_foreign: bool = False

    def wants_position(self, position: Position) -> bool:
        """Whether a position is meant."""
        return (
            (position.is_managed or self.includes_foreign)
            and self.symbol in {"", position.symbol}
            and self.flow_id in {"", position.flow_id}
        )

    def wants_order(self, order: Order) -> bool:
        """Whether an order of ours is meant."""
        placed = order.placed
        return self.symbol in {"", placed.symbol} and self.flow_id in {"", placed.flow_id}


class Sight(msgspec.Struct, frozen=True):
    """What wishes are completed from: the books of one account and the last quotes."""

    account_id: str
    orders: OrderBook
    positions: PositionBook
    instruments: dict[str, Instrument]
    quotes: dict[str, Tick]


def intent_of(wish: OrderWish, sight: Sight, now_ns: int) -> Intent | Refusal:
    """The complete intent at a market time, or why it cannot be one."""
    symbol = wish.symbol or _symbol_of(wish, sight)
    instrument = sight.instruments.get(symbol)
    if not symbol and wish.position_id:
        return _no_position(wish.position_id)
    if not symbol and wish.order_id:
        return Refusal("unknown_order", f"There is no order {wish.order_id!r}.")
    if instrument is None:
        return Refusal("unknown_symbol", f"There is no symbol {symbol!r} to trade here.")
    completed = COMPLETE[wish.kind](wish, sight, instrument)
    if isinstance(completed, Refusal):
        return completed
    return msgspec.structs.replace(
        completed, decision_id=decision_id_of(wish, sight.account_id, now_ns), ts_ns=now_ns
    )


def decision_id_of(wish: OrderWish, account_id: str, now_ns: int) -> str:
    """What the order's id is derived from: the key, or the wish and its time when it has none."""
    what = (wish.key,) if wish.key else (*msgspec.structs.astuple(wish), now_ns)
    return derived_id("request", account_id, *what)


def stop_loosened(wish: OrderWish, intent: Intent, sight: Sight) -> float:
    """How far a wish moves the stop of a managed position away from the market, quote currency.

    At most 0 when it is set or tightened; the whole price when it is removed. A stop that is on its
    way to the broker counts like the one that is there.
    """
    position = sight.positions.open.get(wish.position_id)
    if position is None or not position.is_managed:
        return 0.0
    known = [stop for stop in (position.stop_loss, _coming(position, sight)[0]) if stop]
    if not known:
        return 0.0
    if not intent.stop_loss:
        return max(known)
    return max(position.side * (stop - intent.stop_loss) for stop in known)


def _coming(position: Position, sight: Sight) -> tuple[float, float]:
    """Stop-loss and take-profit as they will be once all that is on its way has been done."""
    stops = (position.stop_loss, position.take_profit)
    for order in sight.orders.open.values():  # oldest first
        if order.kind is OrderKind.PROTECT and order.placed.position_id == position.ticket:
            stops = (order.placed.stop_loss, order.placed.take_profit)
    return stops


def _symbol_of(wish: OrderWish, sight: Sight) -> str:
    position = sight.positions.open.get(wish.position_id)
    if position is not None:
        return position.symbol
    order = sight.orders.orders.get(wish.order_id)
    return order.placed.symbol if order is not None else ""


def _market_price(side: Side, quote: Tick | None) -> float:
    """What the side pays now; 0.0 without a quote."""
    if quote is None:
        return 0.0
    return quote.ask if side is Side.BUY else quote.bid


def _new(wish: OrderWish, sight: Sight, instrument: Instrument) -> Intent | Refusal:
    """A position at market, or a pending order."""
    is_pending = wish.kind is OrderKind.PENDING
    if wish.side is None:
        return Refusal("side", "Say whether to buy or to sell.")
    if is_pending is (wish.trigger is Trigger.MARKET):
        return Refusal("trigger", "A pending order waits for a limit, stop or stop_limit price.")
    price = wish.price or 0.0
    if not is_pending:
        price = _market_price(wish.side, sight.quotes.get(instrument.symbol))
    limit_price = wish.limit_price or 0.0
    if not price > 0.0:
        return Refusal("price", f"{instrument.symbol} has no price to go by.")
    if (wish.trigger is Trigger.STOP_LIMIT) is not (limit_price > 0.0):
        return Refusal("limit_price", "A stop_limit order, and no other, has a limit price.")
    return Intent(
        decision_id="",
        symbol=instrument.symbol,
        kind=wish.kind,
        side=wish.side,
        quantity=round(wish.quantity, 8),
        price=instrument.round_price(price),
        stop_loss=instrument.round_price(wish.stop_loss or 0.0),
        take_profit=instrument.round_price(wish.take_profit or 0.0),
        ts_ns=0,
        trigger=wish.trigger,
        limit_price=instrument.round_price(limit_price),
        expires_ts_ns=wish.expires_ts_ns or 0,
    )


def _close(wish: OrderWish, sight: Sight, instrument: Instrument) -> Intent | Refusal:
    position = sight.positions.open.get(wish.position_id)
    if position is None:
        return _no_position(wish.position_id)
    side = position.side.opposite
    price = _market_price(side, sight.quotes.get(instrument.symbol))
    return Intent(
        decision_id="",
        symbol=instrument.symbol,
        kind=OrderKind.CLOSE,
        side=side,
        quantity=round(wish.quantity or min(position.quantity, instrument.volume_max), 8),
        price=price,
        stop_loss=0.0,
        take_profit=0.0,
        ts_ns=0,
        position_ticket=position.ticket,
        deviation_points=exit_deviation(instrument, price),
    )


def _close_by(wish: OrderWish, sight: Sight, instrument: Instrument) -> Intent | Refusal:
    position = sight.positions.open.get(wish.position_id)
    opposite = sight.positions.open.get(wish.opposite_id)
    if position is None or opposite is None:
        return _no_position(wish.position_id if position is None else wish.opposite_id)
    if position.symbol != opposite.symbol or position.side is opposite.side:
        message = "Two positions of one symbol and of opposite sides close each other."
        return Refusal("opposite", message)
    return Intent(
        decision_id="",
        symbol=instrument.symbol,
        kind=OrderKind.CLOSE_BY,
        side=position.side.opposite,
        quantity=min(position.quantity, opposite.quantity),
        price=0.0,
        stop_loss=0.0,
        take_profit=0.0,
        ts_ns=0,
        position_ticket=position.ticket,
        opposite_ticket=opposite.ticket,
    )


def _protect(wish: OrderWish, sight: Sight, instrument: Instrument) -> Intent | Refusal:
    position = sight.positions.open.get(wish.position_id)
    if position is None:
        return _no_position(wish.position_id)
    coming = _coming(position, sight)
    stops = (
        _changed(wish.stop_loss, coming[0], instrument),
        _changed(wish.take_profit, coming[1], instrument),
    )
    if stops == coming:
        return Refusal("no_change", "The position has these stops already.")
    return Intent(
        decision_id="",
        symbol=instrument.symbol,
        kind=OrderKind.PROTECT,
        side=position.side,
        quantity=position.quantity,
        price=0.0,
        stop_loss=stops[0],
        take_profit=stops[1],
        ts_ns=0,
        position_ticket=position.ticket,
    )


def _change(wish: OrderWish, sight: Sight, instrument: Instrument) -> Intent | Refusal:
    order = sight.orders.orders.get(wish.order_id)
    if order is None or not order.is_working or not order.ticket:
        return _not_working(wish.order_id)
    now = (order.price, order.limit_price, order.stop_loss, order.take_profit)
    asked = (wish.price, wish.limit_price, wish.stop_loss, wish.take_profit)
    prices = tuple(_changed(new, old, instrument) for new, old in zip(asked, now, strict=True))
    expires = order.expires_ts_ns if wish.expires_ts_ns is None else wish.expires_ts_ns
    if (prices, expires) == (now, order.expires_ts_ns):
        return Refusal("no_change", "The order has these prices and this expiry already.")
    return Intent(
        decision_id="",
        symbol=instrument.symbol,
        kind=OrderKind.CHANGE,
        side=Side[order.placed.side.upper()],
        quantity=round(order.rest, 8),
        price=prices[0],
        limit_price=prices[1],
        stop_loss=prices[2],
        take_profit=prices[3],
        ts_ns=0,
        order_ticket=order.ticket,
        trigger=Trigger(order.placed.trigger),
        expires_ts_ns=expires,
    )


def _cancel(wish: OrderWish, sight: Sight, instrument: Instrument) -> Intent | Refusal:
    order = sight.orders.orders.get(wish.order_id)
    is_ours = order is not None and order.is_working and bool(order.ticket)
    if not is_ours and not wish.order_ticket:
        return _not_working(wish.order_id)
    return Intent(
        decision_id="",
        symbol=instrument.symbol,
        kind=OrderKind.CANCEL,
        side=Side[order.placed.side.upper()] if order is not None else Side.BUY,
        quantity=round(order.rest, 8) if order is not None else 0.0,
        price=0.0,
        stop_loss=0.0,
        take_profit=0.0,
        ts_ns=0,
        order_ticket=order.ticket if order is not None and is_ours else wish.order_ticket,
    )


def _changed(new: float | None, old: float, instrument: Instrument) -> float:
    return old if new is None else instrument.round_price(new)


def _no_position(position_id: str) -> Refusal:
    return Refusal("unknown_position", f"There is no open position {position_id!r}.")


def _not_working(order_id: str) -> Refusal:
    return Refusal("order_not_working", f"No pending order {order_id!r} works at the broker.")


Complete = Callable[[OrderWish, Sight, Instrument], Intent | Refusal]
COMPLETE: dict[OrderKind, Complete] = {
    OrderKind.OPEN: _new,
    OrderKind.PENDING: _new,
    OrderKind.CLOSE: _close,
    OrderKind.CLOSE_BY: _close_by,
    OrderKind.PROTECT: _protect,
    OrderKind.CHANGE: _change,
    OrderKind.CANCEL: _cancel,
}
"""How each kind of wish is completed."""
