"""Orders on their way to a host: every one gets an answer, and every word is told once.

Until the host says something, an order has a deadline. When that passes, or the link is lost, an
order that was written to the link has an unknown outcome and one that was not was certainly not
sent. The truth may come later and is passed on; a second UNKNOWN is not.
"""

from typing import Final

import msgspec

from plan2.dataflow.terminals.port import OrderUpdate, UpdateKind
from plan2.foundation.clock import Clock
from plan2.foundation.errors import require

HEARD_MAX: Final = 20_000
"""Words that are remembered to know repetitions."""

Word = tuple[str, UpdateKind, str, str]
"""Order, kind, ticket and the deal's ticket."""


class _Pending(msgspec.Struct):
    """An order without an answer; the deadline is a time of the event loop."""

    deadline_s: float
    is_written: bool = False


class PendingOrders:
    """The orders of one terminal that no word has come for, and the words that came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pending: dict[str, _Pending] = {}
        self._heard: dict[Word, None] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def begin(self, order_id: str, deadline_s: float) -> None:
        """An order was accepted for sending.

        Raises:
            InvariantBroken: it is on its way already.
        """
        require(order_id not in self._pending, f"order {order_id} is on its way already")
        self._pending[order_id] = _Pending(deadline_s)

    def write(self, order_id: str) -> bool:
        """The order is about to be written; False when it was given up meanwhile."""
        pending = self._pending.get(order_id)
        if pending is None:
            return False
        pending.is_written = True
        return True

    def is_news(self, update: OrderUpdate) -> bool:
        """Take in a word of the host; whether nobody has heard it yet."""
        self._pending.pop(update.order_id, None)
        return self._is_first(update)

    def overdue(self, now_s: float) -> list[OrderUpdate]:
        """Words for the orders whose deadline has passed."""
        late = [key for key, pending in self._pending.items() if pending.deadline_s <= now_s]
        return self._give_up(late, "no_answer")

    def lost(self) -> list[OrderUpdate]:
        """Words for all orders, because the link is gone."""
        return self._give_up(list(self._pending), "link_lost")

    def _give_up(self, order_ids: list[str], reason: str) -> list[OrderUpdate]:
        words = []
        for order_id in order_ids:
            was_written = self._pending.pop(order_id).is_written
            word = OrderUpdate(
                kind=UpdateKind.UNKNOWN if was_written else UpdateKind.REJECTED,
                ts_ns=self._clock.now_ns(),
                order_id=order_id,
                reason=reason if was_written else f"not_sent: {reason}",
            )
            if self._is_first(word):
                words.append(word)
        return words

    def _is_first(self, update: OrderUpdate) -> bool:
        deal_ticket = update.deal.ticket if update.deal is not None else ""
        is_unknown = update.kind is UpdateKind.UNKNOWN
        ticket = "" if is_unknown else update.ticket
        word = (update.order_id, update.kind, ticket, deal_ticket)
        if word in self._heard:
            return False
        self._heard[word] = None
        if len(self._heard) > HEARD_MAX:
            del self._heard[next(iter(self._heard))]
        return True
