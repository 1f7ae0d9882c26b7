"""Events folded into the items that screens show; pure, shared by the stream and the projections.

A fold takes what is known so far (None = nothing) and one event, and gives what is known after it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from plan2.foundation.events.base import Event
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderExecuted,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    OrderSent,
    PositionClosed,
    PositionOpened,
)
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.values import Side
from plan2.interface.items import DecisionItem, EventItem, FillItem, OrderItem, PositionItem
from plan2.interface.screen import for_screen, to_us

OrderEvent = (
    OrderPlaced | OrderSent | OrderAccepted | OrderRejected | OrderOutcomeUnknown | OrderExecuted
)
PositionEvent = PositionOpened | PositionClosed | OrderExecuted

QUANTITY_SLACK = 1e-9
"""Lots that are only the rounding of sums of lots."""


def event_item(stored: StoredEvent) -> EventItem:
    """A stored event as screens show it."""
    payload = for_screen(stored.data)
    return EventItem(
        position=stored.position,
        at_us=stored.at_us,
        type=stored.type,
        stream_id=stored.stream_id,
        actor=stored.actor,
        correlation_id=stored.correlation_id,
        payload=payload if isinstance(payload, dict) else {},
    )


def decision_item(event: DecisionMade) -> DecisionItem:
    """A decision as lists show it."""
    record = event.record
    edge: Mapping[str, Any] = record.get("edge") or {}  # the record's schema is level 4's
    size: Mapping[str, Any] = record.get("size") or {}
    return DecisionItem(
        decision_id=event.decision_id,
        ts_us=to_us(event.ts_ns),
        symbol=event.symbol,
        outcome=event.outcome,
        reason=event.reason,
        sentence=str(record.get("sentence", "")),
        side=Side(edge["side"]).name.lower() if edge else None,
        p=edge.get("p"),
        ev=edge.get("ev"),
        cost=edge.get("cost"),
        quantity=size.get("quantity"),
        order_id=record.get("order_id") or None,
    )


def fold_order(item: OrderItem | None, event: Event) -> OrderItem | None:
    """An order after an event; events about other things or nothing known change nothing."""
    if isinstance(event, OrderPlaced):
        return _placed(event)
    if item is None:
        return None
    if isinstance(event, OrderSent):
        # The broker's answer may have been stored first; a step back is not news.
        return msgspec.structs.replace(item, state="sent") if item.state == "placed" else item
    if isinstance(event, OrderAccepted):
        return msgspec.structs.replace(item, state="accepted")
    if isinstance(event, OrderRejected):
        return msgspec.structs.replace(item, state="rejected", reason=event.reason)
    if isinstance(event, OrderOutcomeUnknown):
        return msgspec.structs.replace(item, state="unknown", reason=event.reason)
    if isinstance(event, OrderExecuted):
        return _executed(item, event)
    return item


def fill_item(event: OrderExecuted) -> FillItem:
    """An execution as pages show it."""
    return FillItem(
        fill_id=event.fill_id,
        order_id=event.order_id,
        position_id=event.position_id,
        ts_us=to_us(event.ts_ns),
        symbol=event.symbol,
        side=event.side,
        executed_price=event.executed_price,
        executed_quantity=event.executed_quantity,
        commission=event.commission,
        swap=event.swap,
        profit=event.profit,
        reason=event.reason,
        is_exit=event.is_exit,
    )


def fold_position(item: PositionItem | None, event: Event) -> PositionItem | None:
    """A position after an event; an entry's fill comes before `PositionOpened` and is in it."""
    if isinstance(event, PositionOpened):
        return _opened(event)
    if isinstance(event, PositionClosed):
        return _closed(item, event)
    if isinstance(event, OrderExecuted) and item is not None and item.closed_us is None:
        return _booked(item, event)
    return item


def _placed(event: OrderPlaced) -> OrderItem:
    return OrderItem(
        order_id=event.order_id,
        decision_id=event.decision_id,
        ts_us=to_us(event.ts_ns),
        symbol=event.symbol,
        side=event.side,
        kind="close" if event.reduce_only else "open",
        quantity=event.quantity,
        state="placed",
        price=event.price or None,
        stop_loss=event.stop_loss or None,
        take_profit=event.take_profit or None,
        filled_price=None,
        filled_quantity=0.0,
        reason=None,
    )


def _executed(item: OrderItem, event: OrderExecuted) -> OrderItem:
    total = item.filled_quantity + event.executed_quantity
    spent = item.filled_quantity * (item.filled_price or 0.0)
    is_done = total >= item.quantity - QUANTITY_SLACK
    return msgspec.structs.replace(
        item,
        state="filled" if is_done else "partially_filled",
        filled_quantity=round(total, 8),
        filled_price=(spent + event.executed_quantity * event.executed_price) / total,
    )


def _opened(event: PositionOpened) -> PositionItem:
    return PositionItem(
        position_id=event.position_id,
        symbol=event.symbol,
        direction=event.direction,
        quantity=event.quantity,
        open_price=event.open_price,
        close_price=None,
        stop_loss=event.stop_loss,
        take_profit=event.take_profit,
        opened_us=to_us(event.ts_ns),
        closed_us=None,
        profit="0",
        commission=event.commission,
        swap="0",
        reason=None,
        decision_id=event.decision_id,
    )


def _booked(item: PositionItem, event: OrderExecuted) -> PositionItem:
    sign = -1 if event.is_exit else 1
    quantity = round(item.quantity + sign * event.executed_quantity, 8)
    price = item.open_price
    if not event.is_exit and quantity > 0:
        added = event.executed_quantity * event.executed_price
        price = (item.quantity * item.open_price + added) / quantity
    return msgspec.structs.replace(
        item,
        quantity=quantity,
        open_price=price,
        profit=_sum(item.profit, event.profit),
        commission=_sum(item.commission, event.commission),
        swap=_sum(item.swap, event.swap),
    )


def _closed(item: PositionItem | None, event: PositionClosed) -> PositionItem:
    closed_us = to_us(event.ts_ns)
    return PositionItem(
        position_id=event.position_id,
        symbol=event.symbol,
        direction=event.direction,
        quantity=event.quantity,
        open_price=event.open_price,
        close_price=event.close_price,
        stop_loss=item.stop_loss if item else 0.0,
        take_profit=item.take_profit if item else 0.0,
        opened_us=item.opened_us if item else closed_us,
        closed_us=closed_us,
        profit=event.profit,
        commission=event.commission,
        swap=event.swap,
        reason=event.reason,
        decision_id=event.decision_id,
    )


def _sum(left: str, right: str) -> str:
    return str(Decimal(left) + Decimal(right))
