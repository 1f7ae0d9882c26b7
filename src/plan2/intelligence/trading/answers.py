"""From the broker's words to events of ours: pure translation, duplicates give nothing."""

from plan2.dataflow.terminals.port import Deal, OrderUpdate, UpdateKind
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderExecuted,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    PositionClosed,
    PositionOpened,
)
from plan2.foundation.values import Side
from plan2.intelligence.trading.orders import TRANSITIONS, Order, OrderBook, OrderState
from plan2.intelligence.trading.positions import Position, PositionBook, position_id_of


def events_of(
    update: OrderUpdate, tenant_id: str, account_id: str, orders: OrderBook, book: PositionBook
) -> list[Event]:
    """What an update means for our books; empty when it says nothing new."""
    if update.deal is not None:
        return events_of_deal(update.deal, tenant_id, account_id, orders, book)
    order = orders.orders.get(update.order_id)
    if order is None:
        return []
    event = _answer(update, order, account_id)
    return [event] if event is not None else []


def _answer(update: OrderUpdate, order: Order, account_id: str) -> Event | None:
    order_id, symbol, ts_ns = update.order_id, order.placed.symbol, update.ts_ns
    allowed = TRANSITIONS[order.state]
    if update.kind is UpdateKind.ACCEPTED and OrderState.ACCEPTED in allowed:
        return OrderAccepted(
            ts_ns=ts_ns,
            order_id=order_id,
            account_id=account_id,
            symbol=symbol,
            ticket=update.ticket,
        )
    if update.kind is UpdateKind.REJECTED and OrderState.REJECTED in allowed:
        return OrderRejected(
            ts_ns=ts_ns,
            order_id=order_id,
            account_id=account_id,
            symbol=symbol,
            reason=update.reason,
        )
    if update.kind is UpdateKind.UNKNOWN and OrderState.UNKNOWN in allowed:
        return OrderOutcomeUnknown(
            ts_ns=ts_ns,
            order_id=order_id,
            account_id=account_id,
            symbol=symbol,
            reason=update.reason,
        )
    return None


def events_of_deal(
    deal: Deal, tenant_id: str, account_id: str, orders: OrderBook, book: PositionBook
) -> list[Event]:
    """The fill, and the position it opened or closed; a deal already booked gives nothing."""
    fill_id = position_id_of(account_id, deal.ticket)
    if fill_id in book.fills:
        return []
    order = orders.orders.get(orders.by_token.get(deal.token, ""))
    if order is not None and (deal.symbol != order.placed.symbol or not order.is_open):
        order = None  # a stop's deal carries the token of the order that opened the position
    position_id = position_id_of(account_id, deal.position_ticket)
    executed = OrderExecuted(
        ts_ns=deal.ts_ns,
        order_id=order.placed.order_id if order is not None else "",
        account_id=account_id,
        symbol=deal.symbol,
        fill_id=fill_id,
        position_id=position_id,
        side=deal.side.name.lower(),
        executed_price=deal.price,
        executed_quantity=deal.quantity,
        commission=str(deal.commission),
        swap=str(deal.swap),
        profit=str(deal.profit),
        reason=deal.reason,
        is_exit=deal.is_exit,
    )
    position = book.open.get(position_id)
    if position is None and not deal.is_exit:
        placed = order.placed if order is not None else None
        return [executed, _opened(deal, executed, tenant_id, placed)]
    if position is not None and deal.is_exit and _is_last(position, deal):
        return [executed, _closed(deal, executed, tenant_id, position)]
    return [executed]


def _is_last(position: Position, deal: Deal) -> bool:
    return deal.quantity >= position.quantity - 1e-9


def _opened(
    deal: Deal, executed: OrderExecuted, tenant_id: str, placed: OrderPlaced | None
) -> PositionOpened:
    return PositionOpened(
        ts_ns=deal.ts_ns,
        position_id=executed.position_id,
        account_id=executed.account_id,
        tenant_id=tenant_id,
        symbol=deal.symbol,
        direction="buy" if deal.side is Side.BUY else "sell",
        quantity=deal.quantity,
        open_price=deal.price,
        stop_loss=placed.stop_loss if placed else 0.0,
        take_profit=placed.take_profit if placed else 0.0,
        commission=executed.commission,
        decision_id=placed.decision_id if placed else "",
        expires_ts_ns=placed.expires_ts_ns if placed else 0,
    )


def _closed(
    deal: Deal, executed: OrderExecuted, tenant_id: str, position: Position
) -> PositionClosed:
    return PositionClosed(
        ts_ns=deal.ts_ns,
        position_id=executed.position_id,
        account_id=executed.account_id,
        tenant_id=tenant_id,
        symbol=deal.symbol,
        direction=position.side.name.lower(),
        quantity=position.opened_quantity,
        open_price=position.open_price,
        close_price=deal.price,
        profit=str(position.profit + deal.profit),
        commission=str(position.commission + deal.commission),
        swap=str(position.swap + deal.swap),
        reason=deal.reason,
        decision_id=position.decision_id,
    )
