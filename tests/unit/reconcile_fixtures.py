"""A broker that answers from lists, and an account that is reconciled on a clock of its own."""

from decimal import Decimal

import msgspec
from trading_fixtures import BUY, EURUSD, NOON_NS, Desk, scene, tick

from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    LinkChange,
    LinkState,
    OrderKind,
    OrderUpdate,
    TerminalOrder,
    TerminalPosition,
    Trace,
    Trigger,
    UpdateKind,
)
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.order import ReconciliationDifference
from plan2.foundation.values import NS_PER_SECOND, Side
from plan2.intelligence.risk.gate import MAGIC
from plan2.intelligence.trading.orders import Order
from plan2.intelligence.trading.reconcile import Reconciler
from plan2.intelligence.trading.wishes import Ask, OrderWish

PERSON = Ask("user:tester", "test")


class FakeTerminal:
    """None stands for a question that got no answer; `asked` names every question in order."""

    def __init__(self) -> None:
        self.deal_list: tuple[Deal, ...] | None = ()
        self.position_list: tuple[TerminalPosition, ...] | None = ()
        self.order_list: tuple[TerminalOrder, ...] | None = ()
        self.traces: dict[str, Trace | None] = {}
        self.balance: Decimal | None = Decimal("10000.00")
        self.is_hedging = True
        self.asked: list[str] = []

    def submit(self, order: ApprovedOrder) -> None:
        """Reconciliation never sends anything."""
        raise AssertionError("reconciliation must not send orders")

    async def account(self) -> AccountState | None:
        """The planted balance."""
        self.asked.append("account")
        if self.balance is None:
            return None
        return AccountState(
            login="1",
            server="s",
            currency="USD",
            mode="simulated",
            balance=self.balance,
            equity=self.balance,
            margin=Decimal(0),
            trade_allowed=True,
            is_hedging=self.is_hedging,
        )

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """The planted positions."""
        self.asked.append("positions")
        return self.position_list

    async def orders(self) -> tuple[TerminalOrder, ...] | None:
        """The planted working orders."""
        self.asked.append("orders")
        return self.order_list

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """The planted deals of that time."""
        self.asked.append("deals")
        if self.deal_list is None:
            return None
        return tuple(deal for deal in self.deal_list if deal.ts_ns >= since_ts_ns)

    async def trace(self, token: str) -> Trace | None:
        """The planted trace; without one, the deals and orders with the token."""
        self.asked.append(f"trace {token}")
        if token in self.traces:
            return self.traces[token]
        deals = tuple(deal for deal in self.deal_list or () if deal.token == token)
        working = next((one for one in self.order_list or () if one.token == token), None)
        return Trace(working=working, deals=deals, is_over=bool(deals) and working is None)


class Office:
    """A desk, its broker, and its reconciliation; `wait` lets time pass in quarters of a second."""

    def __init__(self, desk: Desk | None = None) -> None:
        self.desk = desk or Desk().arm()
        self.account = self.desk.account
        self.terminal = FakeTerminal()
        self.clock = SimulatedClock(NOON_NS)
        self.reconciler = Reconciler(self.account, self.terminal, self.clock)
        self.link(LinkState.UP)

    async def settled(self) -> "Office":
        """After a first pass that found nothing."""
        found = await self.reconciler.settle()
        assert found.agrees
        self.terminal.asked.clear()
        return self

    async def wait(self, seconds: float) -> None:
        """Time passes, and reconciliation does what is due."""
        for _ in range(int(seconds * 4)):
            self.clock.advance_to(self.clock.now_ns() + NS_PER_SECOND // 4)
            await self.reconciler.step(self.clock.now_ns())

    def link(self, state: LinkState) -> None:
        """The way to the broker changes."""
        self.account.on_link(LinkChange(state=state, reason="", ts_ns=self.clock.now_ns()))

    def hear(self, order: ApprovedOrder, kind: UpdateKind, ticket: str = "") -> None:
        """The broker says something about an order."""
        self.account.on_order_update(
            OrderUpdate(
                kind=kind, ts_ns=self.clock.now_ns(), order_id=order.order_id, ticket=ticket
            )
        )

    def order(self, order: ApprovedOrder) -> Order:
        """What our books say about an order."""
        return self.account.orders.orders[order.order_id]

    def ask(self, **wish: object) -> ApprovedOrder:
        """An order that a person asks for at a fresh quote; it is sent."""
        after_s = (self.clock.now_ns() - NOON_NS) / NS_PER_SECOND
        self.account.on_tick(scene(tick(after_s=after_s), None))
        outcome = self.account.requests.request(
            OrderWish(ask=PERSON, **wish),  # type: ignore[arg-type]
            self.clock.now_ns(),
        )
        assert outcome.refusal is None, outcome
        return self.desk.sent[-1]

    def open(self) -> ApprovedOrder:
        """An order for 0.10 lots EURUSD, sent now."""
        return self.ask(
            kind=OrderKind.OPEN, symbol="EURUSD", side=BUY, quantity=0.10, stop_loss=1.095
        )

    def pending(self, *, is_heard: bool = True) -> ApprovedOrder:
        """A limit order for 0.10 lots EURUSD that works as ticket 70, whether we heard it."""
        order = self.ask(
            kind=OrderKind.PENDING,
            symbol="EURUSD",
            side=BUY,
            quantity=0.10,
            trigger=Trigger.LIMIT,
            price=1.098,
            stop_loss=1.095,
        )
        if is_heard:
            self.hear(order, UpdateKind.ACCEPTED, "70")
        self.terminal.order_list = (working_of(order),)
        return order

    def position(self) -> ApprovedOrder:
        """A position of 0.10 lots, known to both sides."""
        order = self.open()
        deal = deal_of(order, self.clock.now_ns())
        self.account.on_order_update(
            OrderUpdate(kind=UpdateKind.FILLED, ts_ns=deal.ts_ns, deal=deal)
        )
        self.terminal.deal_list = (deal,)
        self.terminal.position_list = (position_of(order),)
        self.terminal.balance = Decimal("9999.65")
        return order

    def differences(self) -> list[tuple[str, str]]:
        """Kind and action of every difference said, in order."""
        return [
            (fact.event.kind, fact.event.action)
            for fact in self.desk.sink.facts
            if isinstance(fact.event, ReconciliationDifference)
        ]


def deal_of(order: ApprovedOrder, ts_ns: int = NOON_NS, **changes: object) -> Deal:
    """The broker's execution of an order as deal 7, position 700; it cost 0.35."""
    made = Deal(
        ticket="7",
        order_ticket="70",
        position_ticket="700",
        symbol=order.symbol,
        side=order.side,
        is_exit=False,
        quantity=order.quantity,
        price=1.10012,
        commission=Decimal("-0.35"),
        swap=Decimal("0.00"),
        profit=Decimal("0.00"),
        reason="client",
        token=order.token,
        magic=order.magic,
        ts_ns=ts_ns,
    )
    return msgspec.structs.replace(made, **changes)


def exit_of(deal: Deal, ts_ns: int) -> Deal:
    """The deal that closes what another opened, without gain."""
    return msgspec.structs.replace(
        deal,
        ticket="8",
        order_ticket="80",
        side=deal.side.opposite,
        is_exit=True,
        reason="stop_loss",
        ts_ns=ts_ns,
    )


def position_of(order: ApprovedOrder, **changes: object) -> TerminalPosition:
    """The broker's view of the position that the order opened."""
    made = TerminalPosition(
        ticket="700",
        symbol=order.symbol,
        side=BUY,
        quantity=order.quantity,
        open_price=1.10012,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        swap=Decimal("0.00"),
        profit=Decimal("0.00"),
        magic=order.magic,
        token=order.token,
        opened_ts_ns=NOON_NS,
    )
    return msgspec.structs.replace(made, **changes)


def foreign_position(quantity: float = 0.5, **changes: object) -> TerminalPosition:
    """What somebody opened by hand long ago."""
    made = TerminalPosition(
        ticket="900",
        symbol=EURUSD.symbol,
        side=Side.SELL,
        quantity=quantity,
        open_price=1.2,
        stop_loss=0.0,
        take_profit=0.0,
        swap=Decimal("0.00"),
        profit=Decimal("0.00"),
        magic=0,
        token="",
        opened_ts_ns=NOON_NS - 3600 * NS_PER_SECOND,
    )
    return msgspec.structs.replace(made, **changes)


def working_of(order: ApprovedOrder, **changes: object) -> TerminalOrder:
    """The broker's view of a pending order, ticket 70."""
    made = TerminalOrder(
        ticket="70",
        symbol=order.symbol,
        side=order.side,
        trigger=order.trigger,
        quantity=order.quantity,
        price=order.price,
        limit_price=order.limit_price,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        expires_ts_ns=order.expires_ts_ns,
        magic=MAGIC,
        token=order.token,
        placed_ts_ns=NOON_NS,
    )
    return msgspec.structs.replace(made, **changes)
