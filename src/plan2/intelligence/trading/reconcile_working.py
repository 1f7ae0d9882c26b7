"""Working orders: ours must work at the broker as we know them; others are shown, not touched."""

from plan2.dataflow.terminals.port import OrderSide, TerminalOrder, UpdateKind
from plan2.foundation.events.order import OrderAmended
from plan2.intelligence.risk.gate import MAGIC
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.orders import Order
from plan2.intelligence.trading.reconcile_orders import OrdersPass, is_unnamed
from plan2.intelligence.trading.reconcile_rules import (
    LOT_EPSILON,
    Action,
    Findings,
    Kind,
    Schedule,
    Sightings,
    is_same,
    ns_of,
)


class WorkingPass:
    """Compares the working orders of one account with the broker's."""

    def __init__(
        self,
        account: TradingAccount,
        terminal: OrderSide,
        findings: Findings,
        orders: OrdersPass,
        schedule: Schedule,
    ) -> None:
        self._account = account
        self._terminal = terminal
        self._findings = findings
        self._orders = orders
        self._schedule = schedule
        self._sightings = Sightings()
        self._lasting: list[str] = []

    async def run(self, now_ns: int) -> bool | None:
        """Whether it need not be looked again soon; None when the broker was not askable."""
        found = await self._terminal.orders()
        if found is None:
            return None
        theirs = {order.ticket: order for order in found}
        ours = {order.ticket: order for order in self._account.orders.working()}
        unclear: list[object] = []
        self._lasting = []
        for ticket, order in ours.items():
            if ticket in theirs:
                unclear += self._compare(order, theirs[ticket], now_ns)
            else:
                self._orders.age_ns(order, now_ns)
                self._orders.ask_now(order.placed.order_id)
                unclear.append(ticket)
        for ticket, stranger in theirs.items():
            if ticket not in ours:
                unclear += self._meet(stranger, now_ns)
        foreign = (one for ticket, one in theirs.items() if self._is_foreign(ticket, one))
        self._account.broker.see_orders(tuple(foreign), now_ns)
        self._sightings.keep(unclear)
        self._findings.settle((Kind.ORDER_UNKNOWN, Kind.ORDER_QUANTITY), self._lasting)
        return not unclear

    def _is_foreign(self, ticket: str, theirs: TerminalOrder) -> bool:
        """Whether neither we nor a program with our mark placed it."""
        orders = self._account.orders
        is_known = orders.of_ticket(ticket) is not None or theirs.token in orders.by_token
        return not is_known and theirs.magic != MAGIC

    def _compare(self, order: Order, theirs: TerminalOrder, now_ns: int) -> list[object]:
        """Prices that differ are taken over; lots that differ are a missing fill."""
        if self._is_touched(order, now_ns):
            return []
        order_id, key = order.placed.order_id, (order.placed.order_id, theirs)
        if abs(order.rest - theirs.quantity) > LOT_EPSILON:
            self._lasting.append(order_id)
            sides = (f"{order.rest:g} lots left", f"{theirs.quantity:g} lots left")
            if self._is_confirmed(key, now_ns):
                self._findings.report(Kind.ORDER_QUANTITY, order_id, sides, Action.HALTED, now_ns)
            return [key]
        if _same_terms(order, theirs):
            return []
        if not self._is_confirmed(key, now_ns):
            return [key]
        sides = (_terms(order), _terms(theirs))
        self._findings.say(Kind.ORDER_CHANGED, order_id, sides, Action.BOOKED, now_ns)
        self._account.book([_amended(order, theirs, now_ns)])
        return []

    def _meet(self, stranger: TerminalOrder, now_ns: int) -> list[object]:
        """A working order that none of our working orders is: ours after all, or another's."""
        orders, key = self._account.orders, stranger.ticket
        order = orders.orders.get(orders.by_token.get(stranger.token, ""))
        if order is not None and is_unnamed(order):
            self._orders.say(order, UpdateKind.ACCEPTED, "", now_ns, key)
            return []
        self._lasting.append(key)
        if order is None and stranger.magic != MAGIC:
            sides = ("none", f"{stranger.trigger.value} {stranger.quantity:g} {stranger.symbol}")
            self._findings.report(Kind.ORDER_UNKNOWN, key, sides, Action.ADOPTED, now_ns)
            return []
        if self._is_confirmed(key, now_ns, self._schedule.protect_s):
            state = order.state.value if order is not None else "never placed"
            sides = (state, f"works, marked {stranger.token} as ours")
            self._findings.report(Kind.ORDER_UNKNOWN, key, sides, Action.HALTED, now_ns)
        return [key]

    def _is_confirmed(self, key: object, now_ns: int, after_s: float = 0.0) -> bool:
        """Whether the same was seen in every look for long enough."""
        after_ns = ns_of(max(after_s, self._schedule.recheck_s))
        return self._sightings.age_ns(key, now_ns) >= after_ns

    def _is_touched(self, order: Order, now_ns: int) -> bool:
        """Whether it changed a moment ago, or an order of ours is about to change it."""
        if self._orders.age_ns(order, now_ns) < ns_of(self._schedule.protect_s):
            return True
        return any(
            one.placed.target_ticket == order.ticket for one in self._account.orders.open.values()
        )


def _same_terms(order: Order, theirs: TerminalOrder) -> bool:
    return (
        is_same(theirs.price, order.price)
        and is_same(theirs.limit_price, order.limit_price)
        and is_same(theirs.stop_loss, order.stop_loss)
        and is_same(theirs.take_profit, order.take_profit)
        and theirs.expires_ts_ns == order.expires_ts_ns
    )


def _terms(order: TerminalOrder | Order) -> str:
    return f"at {order.price:g}, stops {order.stop_loss:g}/{order.take_profit:g}"


def _amended(order: Order, theirs: TerminalOrder, now_ns: int) -> OrderAmended:
    return OrderAmended(
        ts_ns=now_ns,
        order_id=order.placed.order_id,
        account_id=order.placed.account_id,
        symbol=order.placed.symbol,
        price=theirs.price,
        limit_price=theirs.limit_price,
        stop_loss=theirs.stop_loss,
        take_profit=theirs.take_profit,
        order_expires_ts_ns=theirs.expires_ts_ns,
    )
