"""What must hold whatever happens, looked at from the broker's side and from the journal's."""

from collections import Counter
from decimal import Decimal

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind
from plan2.foundation.eventstore.record import StoredEvent
from plan2.intelligence.risk.gate import MAGIC
from plan2.intelligence.trading.orders import NEVER_ARRIVED
from simulation.process import RULES, Process
from simulation.world import World

ADDS_RISK = {OrderKind.OPEN, OrderKind.PENDING}


class Violated(AssertionError):
    """An invariant does not hold."""


def hold(condition: bool, text: str) -> None:
    """Say what does not hold."""
    if not condition:
        raise Violated(text)


class Invariants:
    """Checks one world over all lives of the process."""

    def __init__(self, world: World, durable: dict[str, str]) -> None:
        self._world = world
        self._durable = durable
        self.sent: dict[str, ApprovedOrder] = {}
        self._executed: Counter[str] = Counter()
        self._deals_seen = 0
        self.process: Process | None = None
        world.on_submit = self.on_submit

    def on_submit(self, order: ApprovedOrder) -> None:
        """An order is about to reach the broker: durable, for the first time, within the limits."""
        hold(order.order_id in self._durable, f"{order.order_id} is sent but not durable")
        hold(order.token not in self.sent, f"{order.order_id} is sent a second time")
        self.sent[order.token] = order
        if order.kind in ADDS_RISK:
            self._hold_limits(order)

    def _hold_limits(self, order: ApprovedOrder) -> None:
        """What is at the broker or on its way there, with this order, stays below the caps."""
        broker, risk = self._world.broker, RULES.risk
        book = broker._book
        held = {one.identifier: one for one in book.positions.values() if one.magic == MAGIC}
        working = [one for one in book.working.values() if one.magic == MAGIC]
        coming = [a.request for a in broker._arrivals if a.request.kind in ADDS_RISK]
        new = [one for one in working if one.ticket not in held]  # others' rest adds to theirs
        count = len(held) + len(new) + len(coming) + 1
        hold(count <= risk.positions_max, f"{order.order_id} makes {count} positions possible")
        lots = [(one.symbol, one.quantity) for one in (*held.values(), *coming, order)]
        lots += [(one.symbol, one.rest) for one in working]
        exposure = sum(quantity * self._value(symbol) for symbol, quantity in lots)
        cap = risk.exposure_max_fraction * float(broker.desk.equity())
        hold(exposure <= cap * 1.02, f"{order.order_id}: exposure {exposure:.0f} > {cap:.0f}")

    def _value(self, symbol: str) -> float:
        return self._world.instruments[symbol].contract_size * self._world.prices[symbol]

    def each_turn(self) -> None:
        """Nothing was executed twice, and nothing without having been written down before."""
        deals = self._world.broker._book.deals
        for deal in deals[self._deals_seen :]:
            if deal.magic != MAGIC or deal.reason != "client":
                continue
            order = self.sent.get(deal.token)
            hold(order is not None, f"deal {deal.ticket} belongs to no order of ours")
            assert order is not None
            self._executed[deal.token] = round(self._executed[deal.token] + deal.quantity, 8)
            factor = 2 if order.kind is OrderKind.CLOSE_BY else 1
            hold(
                self._executed[deal.token] <= factor * order.quantity + 1e-9,
                f"{order.order_id} asked for {order.quantity}, got {self._executed[deal.token]}",
            )
        self._deals_seen = len(deals)

    def one_order_for_one_intent(self) -> None:
        """The broker has at most one order of each token, ended ones included."""
        book = self._world.broker._book
        tokens = Counter(
            order.token
            for order in (*book.working.values(), *book.history.values())
            if order.token and order.reason == "client"
        )
        twice = [token for token, count in tokens.items() if count > 1]
        hold(not twice, f"two orders at the broker for {twice}")

    def verdicts_were_right(self, events: list[StoredEvent]) -> None:
        """No order that the broker has on record was taken for one that never arrived."""
        book = self._world.broker._book
        known = {one.token for one in (*book.working.values(), *book.history.values())}
        tokens = {order.order_id: order.token for order in self.sent.values()}
        for each in events:
            if each.type == "OrderRejected" and each.data["reason"] == NEVER_ARRIVED:
                order_id = each.data["order_id"]
                hold(tokens.get(order_id) not in known, f"{order_id} did arrive")

    def books_are_equal(self, process: Process) -> None:
        """Positions, working orders and the balance, to the cent."""
        broker, account = self._world.broker, process.account
        ours = {
            one.ticket: (one.symbol, one.side, one.quantity, one.stop_loss, one.take_profit)
            for one in account.positions.open.values()
        }
        theirs = {
            one.ticket: (one.symbol, one.side, one.quantity, one.stop_loss, one.take_profit)
            for one in broker.positions()
        }
        hold(ours == theirs, f"positions differ: ours {ours}, the broker's {theirs}")
        orders = {one.ticket: (one.rest, one.price) for one in account.orders.working()}
        working = {
            one.ticket: (one.quantity, one.price) for one in broker.orders() if one.magic == MAGIC
        }
        hold(orders == working, f"working orders differ: ours {orders}, the broker's {working}")
        balance = broker.account().balance
        hold(
            account.portfolio.balance.quantize(Decimal("0.01")) == balance,
            f"balance differs: ours {account.portfolio.balance}, the broker's {balance}",
        )

    def all_is_settled(self, process: Process) -> None:
        """No order is in doubt, no saga is left, nothing of ours is at the broker, books agree."""
        account = process.account
        doubtful = [str(one.placed.order_id) for one in account.orders.open.values()]
        hold(not doubtful, f"orders that never ended: {doubtful}")
        sagas = [f"{one.order_id} {one.step}" for one in process.sagas.live.values()]
        hold(not sagas, f"sagas that never ended: {sagas}")
        left = [one.ticket for one in account.positions.open.values() if one.is_managed]
        hold(not left, f"positions that were not closed: {left}")
        hold(not account.kills.live, f"kills that never finished: {list(account.kills.live)}")
        hold(process.reconciler.books_agree, f"books: {process.reconciler.health().detail}")
        hold(not process.faults, f"faults: {process.faults}")
