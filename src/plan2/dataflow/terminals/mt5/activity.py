"""What happened on the account since the last look: deals and ends of pending orders, by whomever.

The package has no events, so this compares. Deals are asked for again some way back, because they
reach the history late, and are known by their tickets. An order that no longer works is looked up
in the history; its end is told after all of its deals.
"""

from decimal import Decimal
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5 import reading
from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import OrderState
from plan2.dataflow.terminals.mt5.memory import LOT_EPSILON, OrderMemory, Sent, Stage
from plan2.dataflow.terminals.mt5.shape import TradeDeal, TradeOrder
from plan2.dataflow.terminals.mt5.telling import Teller
from plan2.dataflow.terminals.port import Deal, OrderUpdate, UpdateKind

GONE_MAX: Final = 1_000
ENDS: Final = {
    int(OrderState.CANCELED): (UpdateKind.CANCELLED, "withdrawn"),
    int(OrderState.EXPIRED): (UpdateKind.EXPIRED, "expired"),
    int(OrderState.REJECTED): (UpdateKind.CANCELLED, "rejected"),
    int(OrderState.PARTIAL): (UpdateKind.CANCELLED, "rest_cancelled"),
}
REST_CANCELLED: Final = "rest_cancelled"


class Paid(msgspec.Struct):
    """What a symbol's deals cost so far."""

    commission: Decimal = Decimal(0)
    lots_in: float = 0.0
    lots_out: float = 0.0


class AccountWatch:
    """Looks at one account again and again; `begin` once, then `look`.

    Args:
        overlap_s: how far before the last look deals are asked for again.
    """

    def __init__(self, calls: Calls, teller: Teller, memory: OrderMemory, overlap_s: int) -> None:
        self.is_begun = False
        self.paid: dict[str, Paid] = {}
        self._calls = calls
        self._teller = teller
        self._memory = memory
        self._overlap_s = overlap_s
        self._covered_ns = 0
        self._known: dict[int, int] = {}
        self._filled: dict[int, float] = {}
        self._working: set[int] = set()
        self._gone: set[int] = set()

    def begin(self, now_ns: int) -> CallFailed | None:
        """Take what is there as known, but for deals of orders whose end was never told."""
        waiting = (one for one in self._memory.by_token.values() if one.stage is not Stage.OVER)
        self._covered_ns = min((one.sent_ns for one in waiting), default=now_ns)
        deals = self._deals_in_window(now_ns)
        orders = self._calls.orders_get()
        if isinstance(deals, CallFailed):
            return deals
        if isinstance(orders, CallFailed):
            return orders
        for one in deals:
            sent = self._teller.sender(one)
            if sent is None or sent.stage is Stage.OVER:
                self._known[one.ticket] = one.time
            self._learn_from(one)
        self._working = {one.ticket for one in orders}
        self.is_begun = True
        return None

    def look(self, now_ns: int) -> list[OrderUpdate] | CallFailed:
        """What is new, deals first; after a failure nothing is lost, the next look tells it."""
        orders = self._calls.orders_get()
        if isinstance(orders, CallFailed):
            return orders
        deals = self._deals_in_window(now_ns)
        if isinstance(deals, CallFailed):
            return deals
        for one in orders:
            self._memory.claim(self._teller.outline_of_order(one))
        updates = self._new_deals(deals)
        working = {one.ticket for one in orders}
        self._gone |= self._working - working
        self._working = working
        updates += self._new_ends(working)
        self._covered_ns = now_ns
        self._prune(now_ns)
        return updates

    def _deals_in_window(self, now_ns: int) -> tuple[TradeDeal, ...] | CallFailed:
        since_ns = min(self._covered_ns, now_ns)
        start_s, end_s = self._teller.window_s(since_ns, self._overlap_s)
        return self._calls.history_deals(start_s, end_s)

    def _new_deals(self, deals: tuple[TradeDeal, ...]) -> list[OrderUpdate]:
        updates: list[OrderUpdate] = []
        for one in sorted(deals, key=lambda deal: (deal.time_msc, deal.ticket)):
            if one.ticket in self._known:
                continue
            told = self._teller.deal(one) if reading.is_trade(one) else ()
            if told is None:
                continue  # a turn whose earlier deals are not there yet: the next look tells it
            self._known[one.ticket] = one.time
            self._learn_from(one)
            if told:
                self._filled[one.order] = self._filled.get(one.order, 0.0) + one.volume
            sent = self._teller.sender(one)
            updates += [filled(deal, sent) for deal in told]
        return updates

    def _new_ends(self, working: set[int]) -> list[OrderUpdate]:
        """Ends of orders that worked, and of ours that may never have been seen working."""
        ours = {one.order_ticket for one in self._memory.open_orders()}
        updates: list[OrderUpdate] = []
        for ticket in sorted((self._gone | ours) - working):
            found = self._calls.history_order(ticket)
            if isinstance(found, CallFailed) or not found:
                continue  # not in the history yet
            updates += self._end(found[0])
        return updates

    def _end(self, order: TradeOrder) -> list[OrderUpdate]:
        """The end of an order, nothing while some of its deals are missing."""
        executed = order.volume_initial - order.volume_current
        if self._filled.get(order.ticket, 0.0) < executed - LOT_EPSILON:
            return []
        sent = self._memory.of_ticket(order.ticket)
        if sent is not None:
            sent.stage = Stage.OVER
        self._gone.discard(order.ticket)
        self._filled.pop(order.ticket, None)
        if order.volume_current <= LOT_EPSILON or order.state == OrderState.FILLED:
            return []
        kind, reason = ENDS.get(order.state, (UpdateKind.CANCELLED, REST_CANCELLED))
        if executed > LOT_EPSILON and kind is UpdateKind.CANCELLED:
            reason = REST_CANCELLED
        return [
            OrderUpdate(
                kind=kind,
                ts_ns=self._teller.utc_ns(order.time_done_msc),
                order_id=sent.order_id if sent is not None else "",
                ticket=str(order.ticket),
                reason=reason,
            )
        ]

    def _learn_from(self, deal: TradeDeal) -> None:
        if not reading.is_trade(deal):
            return
        paid = self.paid.setdefault(deal.symbol, Paid())
        paid.commission += reading.money(deal.commission + deal.fee, self._teller.money_digits)
        if reading.is_exit(deal):
            paid.lots_out += deal.volume
        else:
            paid.lots_in += deal.volume

    def _prune(self, now_ns: int) -> None:
        """Forget what can no longer come up: the next window begins later."""
        start_s = self._teller.window_s(now_ns, self._overlap_s)[0]
        old = [ticket for ticket, time_s in self._known.items() if time_s < start_s]
        for ticket in old:
            del self._known[ticket]
        while len(self._gone) > GONE_MAX:
            self._gone.discard(min(self._gone))
        ours = {one.order_ticket for one in self._memory.open_orders()}
        asked = self._working | self._gone | ours
        self._filled = {ticket: lots for ticket, lots in self._filled.items() if ticket in asked}


def filled(deal: Deal, sent: Sent | None) -> OrderUpdate:
    """The news of a deal."""
    return OrderUpdate(
        kind=UpdateKind.FILLED,
        ts_ns=deal.ts_ns,
        order_id=sent.order_id if sent is not None else "",
        ticket=deal.order_ticket,
        reason=deal.reason,
        deal=deal,
    )
