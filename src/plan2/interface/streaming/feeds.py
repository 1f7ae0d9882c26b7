"""What feeds the logs: decisions and orders from the bus, stored events from the event store.

The handlers keep a reference and wake the hub; items are made when the hub drains, off the tick's
way. An order's item needs its history, so the last orders are remembered here.
"""

from collections import deque
from collections.abc import Callable

from plan2.foundation.bus import Bus
from plan2.foundation.events.base import Event
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import OrderExecuted
from plan2.foundation.eventstore.record import StoredEvent
from plan2.intelligence.trading.stored import ORDER_EVENTS, OrderEvent
from plan2.interface.order_items import OrderItem
from plan2.interface.screen import to_us
from plan2.interface.streaming.channels import Channels, light
from plan2.interface.streaming.log_channel import RING_SIZE
from plan2.interface.views.fold import decision_item, event_item, fill_item, fold_order


class LogFeeds:
    """Turns events into entries of the log channels.

    Args:
        channels: where entries go.
        wake: called when there is something to drain; quick, must not raise.
    """

    def __init__(self, channels: Channels, wake: Callable[[], None]) -> None:
        self._channels = channels
        self._wake = wake
        self._waiting: deque[Event | StoredEvent] = deque(maxlen=RING_SIZE)
        self._orders: dict[str, OrderItem] = {}

    def subscribe(self, bus: Bus) -> None:
        """Listen to decisions and orders; part of the wiring."""
        bus.subscribe(DecisionMade, self.put)
        for event_type in ORDER_EVENTS:
            bus.subscribe(event_type, self.put)

    def put(self, fact: Event | StoredEvent) -> None:
        """Keep a fact until the next drain."""
        self._waiting.append(fact)
        self._wake()

    def seed_orders(self, items: list[OrderItem]) -> None:
        """Take over orders of earlier runs, oldest first, so that their next change is whole."""
        for item in items:
            self._keep(item)

    def drain(self) -> bool:
        """Move everything that waits into the logs; False when nothing did."""
        if not self._waiting:
            return False
        while self._waiting:
            self._take(self._waiting.popleft())
        return True

    def _take(self, fact: Event | StoredEvent) -> None:
        if isinstance(fact, StoredEvent):
            item = light(event_item(fact))
            self._channels.events.append(fact.at_us, item, fact.position)
        elif isinstance(fact, DecisionMade):
            self._channels.decisions.append(to_us(fact.ts_ns), decision_item(fact))
        elif isinstance(fact, OrderEvent):
            if isinstance(fact, OrderExecuted):
                self._channels.fills.append(to_us(fact.ts_ns), fill_item(fact))
            self._take_order(fact)

    def _take_order(self, event: OrderEvent) -> None:
        before = self._orders.get(event.order_id)
        after = fold_order(before, event)
        if after is None or after == before:
            return
        self._keep(after)
        self._channels.orders.append(to_us(event.ts_ns), after)

    def _keep(self, item: OrderItem) -> None:
        self._orders.pop(item.order_id, None)
        self._orders[item.order_id] = item
        if len(self._orders) > RING_SIZE:
            del self._orders[next(iter(self._orders))]
