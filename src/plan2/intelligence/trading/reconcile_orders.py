"""Orders without an answer: the broker is asked what became of them; nothing is ever resent.

An order that reached the broker leaves a trace there: it works, it has deals, or it is over. One
without any trace, several times in a row and old enough, never arrived. Changes of stops, changes
and withdrawals of pending orders leave no trace; they are settled by what the broker has now.
"""

import msgspec

from plan2.dataflow.terminals.port import (
    OrderKind,
    OrderSide,
    OrderUpdate,
    TerminalOrder,
    TerminalPosition,
    Trace,
    UpdateKind,
)
from plan2.foundation.events.order import OrderPlaced
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.orders import NEVER_ARRIVED, Order, OrderState
from plan2.intelligence.trading.reconcile_deals import DealsPass
from plan2.intelligence.trading.reconcile_rules import (
    Action,
    Findings,
    Kind,
    Schedule,
    is_same,
    ns_of,
)

NOT_DONE = "not carried out by the broker"
ENDED = "over at the broker"
NO_RECORD = "the broker has no record of it"
WITHOUT_TRACE = frozenset({OrderKind.PROTECT, OrderKind.CHANGE, OrderKind.CANCEL})
"""Kinds whose outcome is seen in what the broker has, not in a trace."""
UNANSWERED = frozenset({OrderState.PLACED, OrderState.SENT, OrderState.UNKNOWN})
OVER_LOOKS = 2
"""Looks in a row that must find an order over before what is missing of it counts as cancelled."""


class Doubt(msgspec.Struct):
    """What is known about an order whose end was not told; times of the terminal's clock.

    `looks` counts looks in a row that pointed to the same end, the last at `looked_ns`.
    """

    mark: tuple[OrderState, float]
    since_ns: int
    asked_ns: int = 0
    looks: int = 0
    looked_ns: int = 0
    is_urgent: bool = False


class Broker(msgspec.Struct, frozen=True):
    """What the broker has at one instant; None = not askable."""

    orders: tuple[TerminalOrder, ...] | None
    positions: tuple[TerminalPosition, ...] | None


class OrdersPass:
    """Settles the orders of one account whose outcome was not told."""

    def __init__(
        self,
        account: TradingAccount,
        terminal: OrderSide,
        findings: Findings,
        deals: DealsPass,
        schedule: Schedule,
    ) -> None:
        self._account = account
        self._terminal = terminal
        self._findings = findings
        self._deals = deals
        self._schedule = schedule
        self._doubts: dict[str, Doubt] = {}

    def due(self, now_ns: int) -> list[Order]:
        """The orders that must be asked for now."""
        open_orders = self._account.orders.open
        for order_id in [key for key in self._doubts if key not in open_orders]:
            del self._doubts[order_id]
        return [order for order in open_orders.values() if self._is_due(order, now_ns)]

    def ask_now(self, order_id: str) -> None:
        """Do not wait any longer before asking for this order."""
        doubt = self._doubts.get(order_id)
        if doubt is not None:
            doubt.is_urgent = True

    def age_ns(self, order: Order, now_ns: int) -> int:
        """Time since the order last changed."""
        return now_ns - self._doubt(order, now_ns).since_ns

    def unsettled(self) -> list[Order]:
        """Every open order that is not known to work at the broker."""
        return [order for order in self._account.orders.open.values() if not order.is_working]

    async def settle(self, orders: list[Order], now_ns: int) -> int:
        """Ask for each order; how many of them are over now."""
        broker: Broker | None = None
        settled = 0
        for order in orders:
            doubt = self._doubt(order, now_ns)
            doubt.asked_ns, doubt.is_urgent = now_ns, False
            if order.kind not in WITHOUT_TRACE:
                trace = await self._terminal.trace(order.placed.token)
                self._take_trace(order, trace, now_ns)
            else:
                if broker is None:
                    broker = Broker(await self._terminal.orders(), await self._terminal.positions())
                self._settle_by_sight(order, broker, now_ns)
            settled += not order.is_open
        return settled

    def say(
        self, order: Order, kind: UpdateKind, reason: str, now_ns: int, ticket: str = ""
    ) -> None:
        """Book what the broker would have said had it been heard."""
        self._account.on_order_update(
            OrderUpdate(
                kind=kind,
                ts_ns=now_ns,
                order_id=order.placed.order_id,
                ticket=ticket,
                reason=reason,
            )
        )

    # --- orders that leave a trace --------------------------------------------------------

    def _take_trace(self, order: Order, trace: Trace | None, now_ns: int) -> None:
        if trace is None:
            return  # on its way, or too young for the broker's records
        for deal in trace.deals:
            self._deals.take(deal, now_ns, order.placed.order_id)
        if not order.is_open:
            return
        doubt = self._doubt(order, now_ns)
        if trace.working is not None:
            if is_unnamed(order):
                self.say(order, UpdateKind.ACCEPTED, "", now_ns, trace.working.ticket)
            doubt.looks = 0
        elif trace.is_over:
            self._take_end(order, doubt, now_ns)
        elif trace.is_empty:
            self._take_nothing(order, doubt, now_ns)
        else:
            doubt.looks = 0

    def _take_end(self, order: Order, doubt: Doubt, now_ns: int) -> None:
        if self._is_confirmed(doubt, now_ns, OVER_LOOKS, 0.0):
            is_expired = 0 < order.expires_ts_ns <= now_ns
            end = UpdateKind.EXPIRED if is_expired else UpdateKind.CANCELLED
            self.say(order, end, ENDED, now_ns)

    def _take_nothing(self, order: Order, doubt: Doubt, now_ns: int) -> None:
        schedule = self._schedule
        if not self._is_confirmed(doubt, now_ns, schedule.confirmations, schedule.settling_s):
            return
        if order.state in UNANSWERED:
            self.say(order, UpdateKind.REJECTED, NEVER_ARRIVED, now_ns)
            return
        sides = (f"{order.state} as {order.ticket}", "no record of it")
        order_id = order.placed.order_id
        self._findings.say(Kind.ORDER_MISSING, order_id, sides, Action.HALTED, now_ns)
        self.say(order, UpdateKind.CANCELLED, NO_RECORD, now_ns)

    # --- orders that leave none -----------------------------------------------------------

    def _settle_by_sight(self, order: Order, broker: Broker, now_ns: int) -> None:
        if broker.orders is None or broker.positions is None:
            return
        is_done = self._is_carried_out(order.placed, broker.orders, broker.positions)
        if is_done:
            self.say(order, UpdateKind.DONE, "", now_ns)
            return
        schedule, doubt = self._schedule, self._doubt(order, now_ns)
        if is_done is False and self._is_confirmed(
            doubt, now_ns, schedule.confirmations, schedule.settling_s
        ):
            self.say(order, UpdateKind.REJECTED, NOT_DONE, now_ns)

    def _is_carried_out(
        self,
        placed: OrderPlaced,
        orders: tuple[TerminalOrder, ...],
        positions: tuple[TerminalPosition, ...],
    ) -> bool | None:
        """Whether the broker has what was asked for; None while that depends on another order."""
        if placed.kind == OrderKind.PROTECT.value:
            ticket = placed.position_id.rpartition(":")[2]
            position = next((one for one in positions if one.ticket == ticket), None)
            return position is not None and has_stops(position, placed)
        target = next((one for one in orders if one.ticket == placed.target_ticket), None)
        if placed.kind == OrderKind.CHANGE.value:
            return target is not None and has_terms(target, placed)
        if target is not None:
            return False
        ours = self._account.orders.orders.get(
            self._account.orders.by_ticket.get(placed.target_ticket, "")
        )
        if ours is not None and ours.is_open:
            self.ask_now(ours.placed.order_id)
            return None
        return ours is None or ours.state is not OrderState.FILLED

    # --- patience -------------------------------------------------------------------------

    def _is_due(self, order: Order, now_ns: int) -> bool:
        doubt, schedule = self._doubt(order, now_ns), self._schedule
        waited_ns = now_ns - doubt.asked_ns
        if waited_ns < ns_of(schedule.in_flight_every_s):
            return False
        if doubt.is_urgent or order.state is OrderState.UNKNOWN:
            return True
        is_old = now_ns - doubt.since_ns >= ns_of(schedule.in_flight_after_s)
        return is_old and not order.is_working

    def _doubt(self, order: Order, now_ns: int) -> Doubt:
        """What is remembered of an order; a change of it starts the waiting anew."""
        order_id, mark = order.placed.order_id, (order.state, order.filled_quantity)
        doubt = self._doubts.get(order_id)
        if doubt is None:
            since_ns = min(now_ns, order.placed.ts_ns) if order.state in UNANSWERED else now_ns
            doubt = self._doubts[order_id] = Doubt(mark, since_ns)
        elif doubt.mark != mark:
            doubt.mark, doubt.since_ns, doubt.looks = mark, now_ns, 0
        return doubt

    def _is_confirmed(self, doubt: Doubt, now_ns: int, looks: int, settling_s: float) -> bool:
        """Count a look that points to an end; whether there were enough, far enough apart."""
        if doubt.looks and now_ns - doubt.looked_ns < ns_of(self._schedule.in_flight_every_s):
            return False
        doubt.looks += 1
        doubt.looked_ns = now_ns
        return doubt.looks >= looks and now_ns - doubt.since_ns >= ns_of(settling_s)


def is_unnamed(order: Order) -> bool:
    """Whether its acceptance is news: it was not answered, or a part was filled before."""
    return order.state in UNANSWERED or (order.is_open and not order.ticket)


def has_stops(position: TerminalPosition, wanted: OrderPlaced) -> bool:
    """Whether the position has the stops that a PROTECT asked for."""
    return is_same(position.stop_loss, wanted.stop_loss) and is_same(
        position.take_profit, wanted.take_profit
    )


def has_terms(theirs: TerminalOrder, wanted: OrderPlaced) -> bool:
    """Whether a working order has the prices that a CHANGE asked for."""
    return (
        is_same(theirs.price, wanted.price)
        and is_same(theirs.limit_price, wanted.limit_price)
        and is_same(theirs.stop_loss, wanted.stop_loss)
        and is_same(theirs.take_profit, wanted.take_profit)
        and theirs.expires_ts_ns == wanted.order_expires_ts_ns
    )
