"""Events folded into the items that screens show; pure, shared by the stream and the projections.

A fold takes what is known so far (None = nothing) and one event, and gives what is known after it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.events.base import Event
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import (
    OrderAmended,
    OrderExecuted,
    OrderPlaced,
    PositionClaimed,
    PositionClosed,
    PositionOpened,
    PositionProtected,
)
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.values import Side
from plan2.intelligence.trading.orders import (
    ANSWER_OF,
    LOT_SLACK,
    STEPS,
    Answer,
    OrderState,
    kind_of,
)
from plan2.interface.items import DecisionItem, EventItem
from plan2.interface.order_items import FillItem, OrderItem, PositionItem
from plan2.interface.screen import for_screen, to_us


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
    if isinstance(event, OrderExecuted):
        return _executed(item, event)
    if isinstance(event, OrderAmended):
        return _amended(item, event)
    answer = ANSWER_OF.get(type(event))
    return _answered(item, event, answer) if answer is not None else item


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
    if isinstance(event, PositionProtected | PositionClaimed):
        return _cared_for(item, event) if item is not None else None
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
        kind=kind_of(event).value,
        quantity=event.quantity,
        state="placed",
        price=event.price or None,
        stop_loss=event.stop_loss or None,
        take_profit=event.take_profit or None,
        filled_price=None,
        filled_quantity=0.0,
        reason=None,
        trigger=event.trigger,
        limit_price=event.limit_price or None,
        expires_us=to_us(event.order_expires_ts_ns),
        position_id=event.position_id,
        target_ticket=event.target_ticket,
        flow_id=event.flow_id,
        decided_by=event.decided_by,
        why=event.reason,
    )


def _answered(item: OrderItem, event: Event, answer: Answer) -> OrderItem:
    """The order after a word of the broker; what the table of steps does not know is no news."""
    state = STEPS[OrderState(item.state)].get(answer)
    if state is None:
        return item
    return msgspec.structs.replace(
        item,
        state=state.value,
        reason=getattr(event, "reason", item.reason),
        ticket=getattr(event, "ticket", "") or item.ticket,
    )


def _amended(item: OrderItem, event: OrderAmended) -> OrderItem:
    return msgspec.structs.replace(
        item,
        price=event.price or None,
        limit_price=event.limit_price or None,
        stop_loss=event.stop_loss or None,
        take_profit=event.take_profit or None,
        expires_us=to_us(event.order_expires_ts_ns),
    )


def _executed(item: OrderItem, event: OrderExecuted) -> OrderItem:
    total = item.filled_quantity + event.executed_quantity
    spent = item.filled_quantity * (item.filled_price or 0.0)
    # Both positions of a close-by have their own deal.
    wanted = item.quantity * (2.0 if item.kind == OrderKind.CLOSE_BY.value else 1.0)
    answer = Answer.REST if total >= wanted - LOT_SLACK else Answer.PART
    state = STEPS[OrderState(item.state)].get(answer, OrderState(item.state))
    return msgspec.structs.replace(
        item,
        state=state.value,
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
        is_managed=event.is_managed,
        expires_us=to_us(event.expires_ts_ns),
        flow_id=event.flow_id,
    )


def _cared_for(item: PositionItem, event: PositionProtected | PositionClaimed) -> PositionItem:
    if isinstance(event, PositionProtected):
        stops = {"stop_loss": event.stop_loss, "take_profit": event.take_profit}
        return msgspec.structs.replace(item, **stops)
    expires_us = to_us(event.expires_ts_ns)
    return msgspec.structs.replace(item, is_managed=event.is_managed, expires_us=expires_us)


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
        is_managed=item.is_managed if item else True,
        expires_us=item.expires_us if item else 0,
        flow_id=item.flow_id if item else "",
    )


def _sum(left: str, right: str) -> str:
    return str(Decimal(left) + Decimal(right))
