"""From the broker's words to events of ours: pure translation, duplicates give nothing.

A deal's ticket names its fill. A deal belongs to an order of ours by the id the terminal tells, by
the order's ticket, or by the token; what the broker or a person did by himself never does.
"""

import msgspec

from plan2.dataflow.terminals.port import Deal, OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderCompleted,
    OrderExecuted,
    OrderExpired,
    OrderOutcomeUnknown,
    OrderRejected,
    PositionClaimed,
    PositionClosed,
    PositionOpened,
    PositionProtected,
    ReconciliationDifference,
)
from plan2.intelligence.trading.orders import Answer, Order, OrderBook, OrderState, next_state
from plan2.intelligence.trading.positions import Position, PositionBook, position_id_of

BY_ORDER = "client"
"""The reason of a deal that an order of a program brought about."""
REST_CANCELLED = "rest_cancelled"
"""Why an order ended of which a part was executed."""
TOLD_LATE = "its first deal is of our order and was told late"
"""Why a position that was taken for somebody else's is looked after."""
ANSWERS: dict[UpdateKind, Answer] = {
    UpdateKind.ACCEPTED: Answer.ACCEPTED,
    UpdateKind.REJECTED: Answer.REJECTED,
    UpdateKind.UNKNOWN: Answer.UNKNOWN,
    UpdateKind.DONE: Answer.DONE,
    UpdateKind.CANCELLED: Answer.CANCELLED,
    UpdateKind.EXPIRED: Answer.EXPIRED,
}


class Owner(msgspec.Struct, frozen=True):
    """Whose books the events are for."""

    tenant_id: str
    account_id: str


def events_of(
    update: OrderUpdate, tenant_id: str, account_id: str, orders: OrderBook, book: PositionBook
) -> list[Event]:
    """What an update means for our books; empty when it says nothing new."""
    if update.deal is not None:
        return _events_of_deal(update, update.deal, Owner(tenant_id, account_id), orders, book)
    order = orders.orders.get(update.order_id) or orders.of_ticket(update.ticket)
    answer = ANSWERS.get(update.kind)
    if order is None or answer is None:
        return []
    if answer is Answer.CANCELLED and update.reason == REST_CANCELLED and not order.fills:
        answer = Answer.UNKNOWN  # the part was not told yet: what it reserved stays reserved
    state = next_state(order, answer)
    if state is None:
        return []
    if answer is Answer.DONE:
        return _done(update, order, account_id, orders, book)
    return [_answered(update, order, account_id, state)]


def order_of(update: OrderUpdate, deal: Deal, orders: OrderBook) -> Order | None:
    """The order of ours that a deal executes; None for stops, stop-outs and people."""
    if deal.reason != BY_ORDER:
        return None  # a stop's deal may carry the token of the order that opened the position
    by_token = orders.orders.get(orders.by_token.get(deal.token, "")) if deal.token else None
    order = orders.orders.get(update.order_id) or orders.of_ticket(deal.order_ticket) or by_token
    return order if order is not None and order.placed.symbol == deal.symbol else None


def _answered(update: OrderUpdate, order: Order, account_id: str, state: OrderState) -> Event:
    order_id, symbol, ts_ns = order.placed.order_id, order.placed.symbol, update.ts_ns
    if update.kind is UpdateKind.ACCEPTED:
        return OrderAccepted(
            ts_ns=ts_ns,
            order_id=order_id,
            account_id=account_id,
            symbol=symbol,
            ticket=update.ticket,
        )
    if state is OrderState.EXPIRED:
        return OrderExpired(ts_ns=ts_ns, order_id=order_id, account_id=account_id, symbol=symbol)
    kinds: dict[OrderState, type[OrderRejected | OrderOutcomeUnknown | OrderCancelled]] = {
        OrderState.REJECTED: OrderRejected,
        OrderState.UNKNOWN: OrderOutcomeUnknown,
        OrderState.CANCELLED: OrderCancelled,
    }
    return kinds[state](
        ts_ns=ts_ns,
        order_id=order_id,
        account_id=account_id,
        symbol=symbol,
        reason=update.reason,
    )


def _done(
    update: OrderUpdate, order: Order, account_id: str, orders: OrderBook, book: PositionBook
) -> list[Event]:
    """The errand was run: what it changed, and that it is over."""
    placed, ts_ns = order.placed, update.ts_ns
    completed = OrderCompleted(
        ts_ns=ts_ns, order_id=placed.order_id, account_id=account_id, symbol=placed.symbol
    )
    target = orders.of_ticket(placed.target_ticket)
    position = book.open.get(position_id_of(account_id, placed.position_id))
    if order.kind is OrderKind.PROTECT and position is not None:
        protected = PositionProtected(
            ts_ns=ts_ns,
            position_id=position.position_id,
            account_id=account_id,
            symbol=placed.symbol,
            stop_loss=placed.stop_loss,
            take_profit=placed.take_profit,
            reason=placed.reason or placed.decided_by,
        )
        return [completed, protected]
    if target is None or not target.is_open:
        return [completed]
    if order.kind is OrderKind.CHANGE:
        return [completed, _amended(ts_ns, order, target)]
    cancelled = OrderCancelled(
        ts_ns=ts_ns,
        order_id=target.placed.order_id,
        account_id=account_id,
        symbol=placed.symbol,
        reason=placed.reason or placed.decided_by,
    )
    return [completed, cancelled]


def _amended(ts_ns: int, order: Order, target: Order) -> OrderAmended:
    placed = order.placed
    return OrderAmended(
        ts_ns=ts_ns,
        order_id=target.placed.order_id,
        account_id=placed.account_id,
        symbol=placed.symbol,
        price=placed.price,
        limit_price=placed.limit_price,
        stop_loss=placed.stop_loss,
        take_profit=placed.take_profit,
        order_expires_ts_ns=placed.order_expires_ts_ns,
    )


def _events_of_deal(
    update: OrderUpdate, deal: Deal, owner: Owner, orders: OrderBook, book: PositionBook
) -> list[Event]:
    """The fill, and what it brings about; a deal already booked gives nothing."""
    fill_id = position_id_of(owner.account_id, deal.ticket)
    if book.is_booked(fill_id, deal.ts_ns):
        return []
    order = order_of(update, deal, orders)
    executed = OrderExecuted(
        ts_ns=deal.ts_ns,
        order_id=order.placed.order_id if order is not None else "",
        account_id=owner.account_id,
        symbol=deal.symbol,
        fill_id=fill_id,
        position_id=position_id_of(owner.account_id, deal.position_ticket),
        side=deal.side.name.lower(),
        executed_price=deal.price,
        executed_quantity=deal.quantity,
        commission=str(deal.commission),
        swap=str(deal.swap),
        profit=str(deal.profit),
        reason=deal.reason,
        is_exit=deal.is_exit,
    )
    events: list[Event] = [executed, *_consequences(executed, owner, orders, book)]
    if order is not None:
        events += _reclaimed(executed, order, book)
        events += _contradiction(executed, order)
    return events


def _consequences(
    executed: OrderExecuted, owner: Owner, orders: OrderBook, book: PositionBook
) -> list[Event]:
    """Positions that a fill opens and closes, with those that waited for it."""
    position_id = executed.position_id
    trial = book.trial(position_id)
    trial.apply(executed)
    events: list[Event] = []
    while True:
        position = trial.open.get(position_id)
        entry = trial.waiting_entry(position_id)
        event: Event
        if position is not None and position.is_used_up:
            event = _closed(position, owner)
        elif position is None and entry is not None:
            event = _opened(entry, owner, orders.orders.get(entry.order_id))
        else:
            return events
        events.append(event)
        trial.apply(event)


def _reclaimed(executed: OrderExecuted, order: Order, book: PositionBook) -> list[Event]:
    """A netting position that an order of ours opened, though a later deal was told first."""
    position = book.open.get(executed.position_id)
    if position is None or position.is_managed or executed.is_exit:
        return []
    opened_ns = position.opened_ts_ns
    is_told = any(
        fill.position_id == executed.position_id and fill.ts_ns == opened_ns
        for fill in book.fills.values()
    )
    if not is_told or executed.ts_ns >= opened_ns:
        return []  # somebody else's, or adopted as it was found
    claimed = PositionClaimed(
        ts_ns=executed.ts_ns,
        position_id=executed.position_id,
        account_id=executed.account_id,
        symbol=executed.symbol,
        is_managed=True,
        expires_ts_ns=_expiry(executed, order),
        actor=order.placed.decided_by,
        reason=TOLD_LATE,
    )
    return [claimed]


def _contradiction(executed: OrderExecuted, order: Order) -> list[Event]:
    """A broker that executes more than was asked for, or what it had refused."""
    if not order.is_contradicted_by(executed.executed_quantity):
        return []
    placed = order.placed
    before = f"{order.state}, {order.filled_quantity:g} of {placed.quantity:g} lots filled"
    difference = ReconciliationDifference(
        ts_ns=executed.ts_ns,
        account_id=executed.account_id,
        kind="fill_after_refusal" if order.state is OrderState.REJECTED else "over_fill",
        ours=f"{placed.order_id}: {before}",
        theirs=f"{executed.fill_id}: {executed.executed_quantity:g} lots executed",
        action="booked; new risk in the symbol is refused until a person arms it again",
    )
    return [difference]


def _opened(entry: OrderExecuted, owner: Owner, order: Order | None) -> PositionOpened:
    placed = order.placed if order is not None else None
    return PositionOpened(
        ts_ns=entry.ts_ns,
        position_id=entry.position_id,
        account_id=owner.account_id,
        tenant_id=owner.tenant_id,
        symbol=entry.symbol,
        direction=entry.side,
        quantity=entry.executed_quantity,
        open_price=entry.executed_price,
        stop_loss=order.stop_loss if order else 0.0,
        take_profit=order.take_profit if order else 0.0,
        commission=entry.commission,
        decision_id=placed.decision_id if placed else "",
        expires_ts_ns=_expiry(entry, order) if order else 0,
        is_managed=bool(entry.order_id),
        flow_id=placed.flow_id if placed else "",
    )


def _expiry(entry: OrderExecuted, order: Order) -> int:
    """When the position is closed; a pending order's time begins with its first fill."""
    expires_ts_ns = order.placed.expires_ts_ns
    if order.kind is not OrderKind.PENDING or not expires_ts_ns:
        return expires_ts_ns
    return entry.ts_ns + expires_ts_ns - order.placed.ts_ns


def _closed(position: Position, owner: Owner) -> PositionClosed:
    return PositionClosed(
        ts_ns=position.exit_ts_ns,
        position_id=position.position_id,
        account_id=owner.account_id,
        tenant_id=owner.tenant_id,
        symbol=position.symbol,
        direction=position.side.name.lower(),
        quantity=position.opened_quantity,
        open_price=position.open_price,
        close_price=position.exit_price,
        profit=str(position.profit),
        commission=str(position.commission),
        swap=str(position.swap),
        reason=position.exit_reason,
        decision_id=position.decision_id,
    )
