"""The paper broker's words: what a request's answer and the desk's own doings are told as."""

from collections.abc import Callable

from plan2.dataflow.terminals.port import (
    Deal,
    OrderKind,
    OrderUpdate,
    TerminalOrder,
    TerminalPosition,
    UpdateKind,
)
from plan2.dataflow.terminals.simulated.book import Position
from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.faults import Fate
from plan2.dataflow.terminals.simulated.orders import REST_CANCELLED, WITHDRAWN, BrokerOrder
from plan2.dataflow.terminals.simulated.pendings import DeskEvent
from plan2.dataflow.terminals.simulated.requests import BrokerAnswer, BrokerRequest

NO_REPLY = "no_reply"
"""The reason of an UNKNOWN outcome."""
CARRIED_OUT = {OrderKind.PROTECT, OrderKind.CHANGE, OrderKind.CANCEL}
VERDICTS = {UpdateKind.ACCEPTED, UpdateKind.REJECTED, UpdateKind.DONE}
"""What an order's first answer may be, besides UNKNOWN."""

Tell = Callable[[OrderUpdate], None]


class Outbox:
    """Words that are told later than they are true; bounded by the orders under way."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, OrderUpdate]] = []

    def put(self, due_ns: int, update: OrderUpdate) -> None:
        """Tell it at the first tick at or after `due_ns`."""
        self._waiting.append((due_ns, update))

    def spoil(self, fate: Fate, updates: list[OrderUpdate], ts_ns: int) -> list[OrderUpdate]:
        """What of an order's answers is told now; what comes later is kept here."""
        if fate.is_reply_double:
            updates = [one for one in updates for _ in range(2)]
        if fate.is_reordered:
            updates = updates[::-1]
        now = []
        for update in updates:
            is_deal = update.kind is UpdateKind.FILLED
            delay_ns = max(fate.reply_delay_ns, fate.history_delay_ns if is_deal else 0)
            if delay_ns:
                self.put(ts_ns + delay_ns, update)
            else:
                now.append(update)
        return now

    def next_due_ns(self, otherwise_ns: int) -> int:
        """When the next one is due, or `otherwise_ns` if that is earlier."""
        return min((due for due, _ in self._waiting), default=otherwise_ns)

    def take_due(self, now_ns: int) -> list[OrderUpdate]:
        """What is to be told now, by due time."""
        due = sorted((one for one in self._waiting if one[0] <= now_ns), key=lambda one: one[0])
        self._waiting = [one for one in self._waiting if one[0] > now_ns]
        return [update for _, update in due]

    def lose_verdicts(self) -> list[str]:
        """Forget every first answer still under way; returns the ids of their orders."""
        lost = [one for _, one in self._waiting if one.kind in VERDICTS]
        self._waiting = [one for one in self._waiting if one[1].kind not in VERDICTS]
        return list(dict.fromkeys(one.order_id for one in lost))


def answers(request: BrokerRequest, answer: BrokerAnswer, ts_ns: int) -> list[OrderUpdate]:
    """What a request's sender is told."""

    def said(kind: UpdateKind, ticket: str, reason: str = "") -> OrderUpdate:
        return OrderUpdate(
            kind=kind, ts_ns=ts_ns, order_id=request.order_id, ticket=ticket, reason=reason
        )

    if answer.refusal is not None:
        return [said(UpdateKind.REJECTED, "", answer.refusal.value)]
    if request.kind in CARRIED_OUT:
        return [said(UpdateKind.DONE, answer.order_ticket or request.position_ticket)]
    updates = [said(UpdateKind.ACCEPTED, answer.order_ticket)]
    updates += [filled(request.order_id, deal) for deal in answer.deals]
    if answer.is_partial:
        updates.append(said(UpdateKind.CANCELLED, answer.order_ticket, REST_CANCELLED))
    return updates


def unknown(order_id: str, ts_ns: int) -> OrderUpdate:
    """Nobody can say what became of the order."""
    return OrderUpdate(kind=UpdateKind.UNKNOWN, ts_ns=ts_ns, order_id=order_id, reason=NO_REPLY)


def withdrawn(order: BrokerOrder, ts_ns: int) -> OrderUpdate:
    """The end of a pending order that somebody cancelled."""
    return OrderUpdate(
        kind=UpdateKind.CANCELLED,
        ts_ns=ts_ns,
        order_id=order.order_id,
        ticket=order.ticket,
        reason=WITHDRAWN,
    )


def told(event: DeskEvent) -> OrderUpdate:
    """What the desk did by itself; `order_id` is that of the pending order, if it was one."""
    if event.deal is not None:
        return filled(event.order.order_id, event.deal)
    return OrderUpdate(
        kind=event.kind,
        ts_ns=event.ts_ns,
        order_id=event.order.order_id,
        ticket=event.order.ticket,
        reason=event.reason,
    )


def filled(order_id: str, deal: Deal) -> OrderUpdate:
    """An execution."""
    return OrderUpdate(
        kind=UpdateKind.FILLED,
        ts_ns=deal.ts_ns,
        order_id=order_id,
        ticket=deal.order_ticket,
        reason=deal.reason,
        deal=deal,
    )


def position_view(position: Position, desk: Desk) -> TerminalPosition:
    """A position as the port shows it."""
    return TerminalPosition(
        ticket=position.identifier,
        symbol=position.symbol,
        side=position.side,
        quantity=position.quantity,
        open_price=position.open_price,
        stop_loss=position.stop_loss,
        take_profit=position.take_profit,
        swap=position.swap,
        profit=desk.profit(position),
        magic=position.magic,
        token=position.token,
        opened_ts_ns=position.opened_ts_ns,
    )


def order_view(order: BrokerOrder) -> TerminalOrder:
    """A working order as the port shows it."""
    return TerminalOrder(
        ticket=order.ticket,
        symbol=order.symbol,
        side=order.side,
        trigger=order.trigger,
        quantity=order.rest,
        price=order.price,
        limit_price=order.limit_price,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        expires_ts_ns=order.expires_ts_ns,
        magic=order.magic,
        token=order.token,
        placed_ts_ns=order.placed_ts_ns,
    )
