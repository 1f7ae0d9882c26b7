"""Taking working orders back: each at most once at a time, again after a second when refused.

Where a closed market or a lost link lasts, each next attempt waits twice as long, a minute at most.
"""

from collections.abc import Callable, Sequence
from typing import Final

from plan2.dataflow.terminals.port import OrderKind, TerminalOrder
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.switch import Switches
from plan2.intelligence.trading.orders import Order, OrderBook
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.wishes import Ask, OrderWish

AGAIN_AFTER_NS: Final = NS_PER_SECOND
AGAIN_MAX_NS: Final = 60 * NS_PER_SECOND
"""Market time between two attempts to withdraw the same order: the first pause, the longest."""
SWITCHES: Final = Ask("algorithm:plan2-switches", "the switch lets no entry through")


class Withdrawal:
    """Knows which working orders of one account are being withdrawn; times are market times."""

    def __init__(
        self,
        orders: OrderBook,
        switches: Switches,
        request_all: Callable[[Sequence[OrderWish], int], tuple[Outcome, ...]],
    ) -> None:
        self._orders = orders
        self._switches = switches
        self._request_all = request_all
        self._pauses: dict[str, tuple[int, int]] = {}
        """By ticket: not before when, and how long the pause until then is."""

    def hurry(self) -> None:
        """Somebody asks anew, or the broker can be reached again: wait for nothing any longer."""
        self._pauses.clear()

    def enforce(self, now_ns: int) -> None:
        """Take back every working entry order that a reduce-only or halted switch bears on.

        Raises:
            JournalLost: the withdrawals could not be written down; none was sent.
        """
        forbidden = [
            order
            for order in self._orders.working()
            if self._switches.state_of(order.placed.symbol, order.placed.flow_id).withdraws
        ]
        wishes = self.wishes(forbidden, SWITCHES, now_ns)
        if wishes:
            self._request_all(wishes, now_ns)

    def wishes(self, orders: Sequence[Order], ask: Ask, now_ns: int) -> list[OrderWish]:
        """Withdrawals of those orders for which none is under way."""
        if not orders:
            return []
        horizon = now_ns - AGAIN_MAX_NS
        self._pauses = {key: each for key, each in self._pauses.items() if each[0] > horizon}
        under_way = self._under_way()
        return [
            OrderWish(
                kind=OrderKind.CANCEL,
                ask=ask,
                order_id=order.placed.order_id,
                flow_id=order.placed.flow_id,
                key=f"withdraw:{order.ticket}:{now_ns}",
            )
            for order in orders
            if self._is_due(order.ticket, under_way, now_ns)
        ]

    def foreign(self, orders: Sequence[TerminalOrder], ask: Ask, now_ns: int) -> list[OrderWish]:
        """The same for orders that only the broker knows."""
        under_way = self._under_way()
        return [
            OrderWish(
                kind=OrderKind.CANCEL,
                ask=ask,
                symbol=order.symbol,
                order_ticket=order.ticket,
                key=f"withdraw:{order.ticket}:{now_ns}",
            )
            for order in orders
            if self._is_due(order.ticket, under_way, now_ns)
        ]

    def _is_due(self, ticket: str, under_way: set[str], now_ns: int) -> bool:
        due_ns, pause_ns = self._pauses.get(ticket, (0, 0))
        is_waiting = now_ns < due_ns <= now_ns + AGAIN_MAX_NS  # else the clock was put back
        if not ticket or ticket in under_way or is_waiting:
            return False
        pause_ns = min(max(2 * pause_ns, AGAIN_AFTER_NS), AGAIN_MAX_NS)
        self._pauses[ticket] = (now_ns + pause_ns, pause_ns)
        return True

    def _under_way(self) -> set[str]:
        return {
            order.placed.target_ticket
            for order in self._orders.open.values()
            if order.kind is OrderKind.CANCEL
        }
