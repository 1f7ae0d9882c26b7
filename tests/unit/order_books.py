"""The books of one account and a broker whose deals are made by hand, for tests of order lives."""

from decimal import Decimal

from plan2.dataflow.terminals.port import Deal, OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderPlaced
from plan2.foundation.values import NS_PER_SECOND, Side
from plan2.intelligence.trading.answers import events_of
from plan2.intelligence.trading.orders import OrderBook
from plan2.intelligence.trading.positions import PositionBook

NOON_NS = 1_709_640_000 * NS_PER_SECOND  # Tuesday 2024-03-05 12:00 UTC


class Books:
    """Order book and position book of account `a`; every event that was folded is kept."""

    def __init__(self) -> None:
        self.orders = OrderBook()
        self.positions = PositionBook()
        self.events: list[Event] = []
        self.records: list[int] = [0]
        """Numbers of events after each durable record; a crash leaves whole records only."""
        self._placed = 0
        self._deals = 0

    def fold(self, *events: Event) -> None:
        """What writing down and applying does."""
        for event in events:
            self.events.append(event)
            self.orders.apply(event)
            self.positions.apply(event)
        self.records.append(len(self.events))

    def hear(self, update: OrderUpdate) -> list[object]:
        """The broker's word; returns the events it became."""
        events = events_of(update, "t", "a", self.orders, self.positions)
        self.fold(*events)
        return list(events)

    def place(
        self,
        kind: OrderKind,
        *,
        side: str = "buy",
        quantity: float = 0.3,
        position_id: str = "",
        opposite_id: str = "",
        target: str = "",
        **changes: object,
    ) -> str:
        """Place an order of 0.3 lots EURUSD; returns its id."""
        self._placed += 1
        order_id = f"o{self._placed}"
        values: dict[str, object] = {
            "ts_ns": NOON_NS,
            "order_id": order_id,
            "decision_id": f"d{self._placed}",
            "tenant_id": "t",
            "account_id": "a",
            "symbol": "EURUSD",
            "side": side,
            "quantity": quantity,
            "price": 1.1,
            "stop_loss": 1.09,
            "take_profit": 1.12,
            "reduce_only": kind not in {OrderKind.OPEN, OrderKind.PENDING},
            "token": f"p2.{order_id}",
            "position_id": position_id,
            "expires_ts_ns": 0,
            "kind": kind.value,
            "opposite_id": opposite_id,
            "target_ticket": target,
        }
        self.fold(OrderPlaced(**{**values, **changes}))  # type: ignore[arg-type]
        return order_id

    def deal(self, order_id: str, quantity: float, **changes: object) -> list[object]:
        """The broker executes lots of an order; returns the events it became."""
        return self.hear(told(self.make_deal(order_id, quantity, **changes)))

    def make_deal(
        self,
        order_id: str,
        quantity: float,
        *,
        position: str = "1",
        side: int = 1,
        **changes: object,
    ) -> Deal:
        """A deal with the next ticket; without an order id, one of a person's."""
        self._deals += 1
        values: dict[str, object] = {
            "ticket": str(self._deals),
            "order_ticket": f"t{order_id}",
            "position_ticket": position,
            "symbol": "EURUSD",
            "side": Side(side),
            "is_exit": False,
            "quantity": quantity,
            "price": 1.1,
            "commission": Decimal(0),
            "swap": Decimal(0),
            "profit": Decimal(0),
            "reason": "client" if order_id else "manual",
            "token": f"p2.{order_id}" if order_id else "",
            "magic": 20_250 if order_id else 0,
            "ts_ns": NOON_NS + self._deals,
        }
        return Deal(**{**values, **changes})  # type: ignore[arg-type]


def told(deal: Deal) -> OrderUpdate:
    """How a terminal tells of a deal."""
    return OrderUpdate(kind=UpdateKind.FILLED, ts_ns=deal.ts_ns, deal=deal)
