"""A desk with working orders and open positions, and a terminal that answers from what happened."""

from decimal import Decimal

import msgspec
from trading_fixtures import BUY, EURUSD, NOON_NS, RULES, Desk, scene, tick

from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    OrderKind,
    OrderUpdate,
    TerminalOrder,
    TerminalPosition,
    Trigger,
    UpdateKind,
)
from plan2.foundation.config.schema import Risk
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.decision.decide import Rules
from plan2.intelligence.decision.keeping import Scene
from plan2.intelligence.trading.wishes import Ask, OrderWish

ROOM = Risk(
    positions_max=5_000,
    positions_per_symbol_max=5_000,
    exposure_max_fraction=1e6,
    order_value_max_fraction=1e6,
    volatility_target_fraction=1e6,
    expected_shortfall_max_fraction=1e6,
    currency_exposure_max_fraction=1e6,
    orders_per_minute_max=100_000,
    messages_per_second_max=100_000,
    messages_per_minute_max=100_000,
    duplicate_window_s=0.0,
)
"""Limits that leave room for as many orders as a test wants."""

LEVERED = msgspec.structs.replace(EURUSD, leverage=1_000.0)
"""So is the margin of many."""

WIDE: Rules = msgspec.structs.replace(RULES, risk=ROOM)
PERSON = Ask("user:ann", "test")


class KillScene:
    """An armed desk; `pend` and `open_position` fill it, `answer_all` plays the broker."""

    def __init__(self, desk: Desk | None = None) -> None:
        self.desk = (desk or Desk(WIDE, instrument=LEVERED)).arm()
        self.account = self.desk.account
        self.tickets = 0
        self.now_ns = NOON_NS
        self.working: dict[str, TerminalOrder] = {}
        self.positions: dict[str, TerminalPosition] = {}
        self.refuse_closes = False
        self.tick(0.0)

    def tick(self, after_s: float) -> None:
        """A quote `after_s` seconds after noon, without a forecast."""
        self.now_ns = NOON_NS + int(after_s * NS_PER_SECOND)
        quote = tick(after_s=after_s)
        self.account.on_tick(_scene(quote))

    def pend(self, count: int = 1, flow_id: str = "main") -> list[str]:
        """Leave buy limits at the broker; returns their order ids."""
        wishes = [
            OrderWish(
                kind=OrderKind.PENDING,
                ask=PERSON,
                symbol="EURUSD",
                side=BUY,
                quantity=0.01,
                trigger=Trigger.LIMIT,
                price=1.09,
                stop_loss=1.08,
                key=f"pend:{self.tickets}:{number}",
                flow_id=flow_id,
            )
            for number in range(count)
        ]
        outcomes = self.account.requests.request_all(wishes, self.now_ns)
        assert [outcome.refusal for outcome in outcomes] == [None] * count
        for order in self.desk.sent[-count:]:
            self.accept(order)
        return [outcome.order_id for outcome in outcomes]

    def accept(self, order: ApprovedOrder) -> str:
        """The broker takes a pending order."""
        self.tickets += 1
        ticket = str(self.tickets)
        self._say(UpdateKind.ACCEPTED, order, ticket=ticket)
        self.working[ticket] = TerminalOrder(
            ticket=ticket,
            symbol=order.symbol,
            side=order.side,
            trigger=order.trigger,
            quantity=order.quantity,
            price=order.price,
            limit_price=0.0,
            stop_loss=order.stop_loss,
            take_profit=order.take_profit,
            expires_ts_ns=0,
            magic=order.magic,
            token=order.token,
            placed_ts_ns=order.ts_ns,
        )
        return ticket

    def open_position(self, flow_id: str = "main") -> str:
        """Buy a tenth of a lot at market; returns the position's ticket."""
        wish = OrderWish(
            kind=OrderKind.OPEN,
            ask=PERSON,
            symbol="EURUSD",
            side=BUY,
            quantity=0.1,
            stop_loss=1.09,
            key=f"open:{self.tickets}",
            flow_id=flow_id,
        )
        assert self.account.requests.request(wish, self.now_ns).refusal is None
        return self.fill_entry(self.desk.sent[-1])

    def fill_entry(self, order: ApprovedOrder) -> str:
        """The broker opens a position for an order; returns its ticket."""
        self.tickets += 1
        ticket = f"p{self.tickets}"
        self.desk.fill(order, 1.1001, str(self.tickets), position_ticket=ticket)
        self.positions[ticket] = foreign(ticket, magic=order.magic)
        return ticket

    def answer_all(self, orders: list[ApprovedOrder]) -> None:
        """The broker carries out withdrawals and closes, or refuses closes: market closed."""
        for order in orders:
            if order.kind is OrderKind.CANCEL:
                self._withdraw(order)
            elif order.kind is OrderKind.CLOSE and self.refuse_closes:
                self._say(UpdateKind.REJECTED, order, reason="market_closed")
            elif order.kind is OrderKind.CLOSE:
                self.tickets += 1
                self.desk.fill(
                    order,
                    1.1,
                    str(self.tickets),
                    position_ticket=order.position_ticket,
                    is_exit=True,
                    ts_ns=self.now_ns + 1,
                )
                del self.positions[order.position_ticket]

    def _withdraw(self, order: ApprovedOrder) -> None:
        self._say(UpdateKind.DONE, order)
        del self.working[order.order_ticket]
        pending = self.account.orders.of_ticket(order.order_ticket)
        if pending is not None:
            update = OrderUpdate(
                kind=UpdateKind.CANCELLED,
                ts_ns=self.now_ns,
                order_id=pending.placed.order_id,
                reason="withdrawn",
            )
            self.account.on_order_update(update)

    def _say(self, kind: UpdateKind, order: ApprovedOrder, **more: str) -> None:
        update = OrderUpdate(kind=kind, ts_ns=self.now_ns, order_id=order.order_id, **more)
        self.account.on_order_update(update)

    # --- the questions of the terminal port -----------------------------------------------

    async def orders(self) -> tuple[TerminalOrder, ...]:
        """What works at the broker."""
        return tuple(self.working.values())

    async def positions_now(self) -> tuple[TerminalPosition, ...]:
        """What is open at the broker."""
        return tuple(self.positions.values())


def foreign(ticket: str, magic: int = 0) -> TerminalPosition:
    """A EURUSD position at the broker."""
    return TerminalPosition(
        ticket=ticket,
        symbol=EURUSD.symbol,
        side=BUY,
        quantity=0.1,
        open_price=1.1,
        stop_loss=1.09,
        take_profit=0.0,
        swap=Decimal(0),
        profit=Decimal(0),
        magic=magic,
        token="",
        opened_ts_ns=NOON_NS,
    )


def _scene(quote: object) -> Scene:
    return scene(quote, None)  # type: ignore[arg-type]
