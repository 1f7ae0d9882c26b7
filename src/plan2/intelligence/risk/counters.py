"""What is counted against floods: messages to the broker, and automatic entries per flow.

Both count every order that was placed, from the same events live and at a restart, in market time.
"""

from collections import deque
from typing import Final

from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.order import OrderPlaced
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import Scope

AUTOMATIC: Final = "algorithm:"
"""How the name of a decider begins that is not a person."""

ENTRIES: Final = frozenset({"open", "pending"})
"""Kinds of orders that may bring a new position."""


class Messages:
    """Orders in the last second and minute."""

    def __init__(self) -> None:
        self._placed_ns: deque[int] = deque()

    def note(self, ts_ns: int) -> None:
        """Count an order."""
        self._placed_ns.append(ts_ns)
        self._forget(ts_ns)

    def last_second(self, ts_ns: int) -> int:
        """Messages later than one second before `ts_ns`."""
        horizon = ts_ns - NS_PER_SECOND
        # Quotes of two symbols do not come in the order of their times, nor do their orders.
        return sum(placed_ns > horizon for placed_ns in self._placed_ns)

    def last_minute(self, ts_ns: int) -> int:
        """Messages later than one minute before `ts_ns`."""
        self._forget(ts_ns)
        return len(self._placed_ns)

    def _forget(self, ts_ns: int) -> None:
        horizon = ts_ns - NS_PER_MINUTE
        while self._placed_ns and self._placed_ns[0] <= horizon:
            self._placed_ns.popleft()


class Executions:
    """The repeated-execution throttle: automatic entries of each flow in a window.

    A flow that reaches the limit is in `spent` until its switch is thrown; resuming it, which only
    a person does, begins a new count.
    """

    def __init__(self, limit: int, window_s: int) -> None:
        self._limit = limit
        self._window_ns = window_s * NS_PER_SECOND
        self._placed_ns: dict[str, deque[int]] = {}
        self.spent: set[str] = set()

    def adopt(self, limit: int, window_s: int) -> None:
        """Count by another limit from now on; what a longer window would need is not known."""
        self._limit = limit
        self._window_ns = window_s * NS_PER_SECOND

    def apply(self, event: OrderPlaced) -> None:
        """Count an automatic entry; others do not count."""
        if event.kind not in ENTRIES or not event.decided_by.startswith(AUTOMATIC):
            return
        placed_ns = self._placed_ns.setdefault(event.flow_id, deque())
        placed_ns.append(event.ts_ns)
        self._forget(placed_ns, event.ts_ns)
        if len(placed_ns) >= self._limit:
            self.spent.add(event.flow_id)

    def switched(self, event: TradingStateChanged) -> None:
        """A flow's switch was thrown: stopped as it should be, or resumed by a person."""
        if event.scope != Scope.FLOW:
            return
        self.spent.discard(event.target)
        if event.new_state == TradingState.ARMED.word:
            self._placed_ns.pop(event.target, None)

    def in_window(self, flow_id: str, ts_ns: int) -> int:
        """Automatic entries of the flow later than one window before `ts_ns`."""
        placed_ns = self._placed_ns.get(flow_id)
        if placed_ns is None:
            return 0
        self._forget(placed_ns, ts_ns)
        return len(placed_ns)

    def _forget(self, placed_ns: deque[int], ts_ns: int) -> None:
        horizon = ts_ns - self._window_ns
        while placed_ns and placed_ns[0] <= horizon:
            placed_ns.popleft()
