"""A queue in which tenants take turns, however many jobs each of them has waiting.

Stride scheduling: every tenant has a lane with a position; the lane that is furthest back gets the
next turn and moves on by one stride, divided by its weight. Who comes back from idleness starts at
the position of the turn before, and a lane is only forgotten when it lies behind that, so neither
waiting long nor asking one by one buys more turns. With weights of one, a job at the head of its
lane waits at most one turn of every other lane.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

STRIDE: Final = 1 << 20

Item = TypeVar("Item")


class _Lane(Generic[Item]):
    """What waits of one tenant, in order, and how far the tenant has come."""

    __slots__ = ("items", "position")

    def __init__(self, position: int) -> None:
        self.items: deque[Item] = deque()
        self.position = position


class FairQueue(Generic[Item]):
    """What waits of every tenant.

    Args:
        weight_of: how many turns a tenant gets to one of another; at least 1.
    """

    def __init__(self, weight_of: Callable[[str], int] = lambda _: 1) -> None:
        self._weight_of = weight_of
        self._lanes: dict[str, _Lane[Item]] = {}
        self._position = 0

    def __len__(self) -> int:
        return sum(len(lane.items) for lane in self._lanes.values())

    def waiting(self, tenant_id: str) -> int:
        """How many of a tenant's items wait."""
        lane = self._lanes.get(tenant_id)
        return len(lane.items) if lane is not None else 0

    def items(self) -> list[tuple[str, Item]]:
        """Everything that waits, by tenant."""
        return [(tenant, item) for tenant, lane in self._lanes.items() for item in lane.items]

    def add(self, tenant_id: str, item: Item) -> None:
        """Put an item at the end of its tenant's lane."""
        lane = self._lanes.get(tenant_id)
        if lane is None:
            lane = self._lanes[tenant_id] = _Lane(self._position)
        elif not lane.items:
            lane.position = max(lane.position, self._position)
        lane.items.append(item)

    def remove(self, tenant_id: str, item: Item) -> None:
        """Take back an item that waits."""
        self._lanes[tenant_id].items.remove(item)

    def take(self, may_run: Callable[[str], bool] = lambda _: True) -> tuple[str, Item] | None:
        """The next item and whose it is; None when nothing waits of tenants that may run.

        A tenant that may not run now keeps its place.
        """
        ready = [
            (lane.position, tenant_id)
            for tenant_id, lane in self._lanes.items()
            if lane.items and may_run(tenant_id)
        ]
        if not ready:
            return None
        position, tenant_id = min(ready)
        self._position = max(self._position, position)
        lane = self._lanes[tenant_id]
        lane.position += STRIDE // max(self._weight_of(tenant_id), 1)
        item = lane.items.popleft()
        self._forget_idle()
        return tenant_id, item

    def _forget_idle(self) -> None:
        for tenant_id in [
            tenant_id
            for tenant_id, lane in self._lanes.items()
            if not lane.items and lane.position <= self._position
        ]:
            del self._lanes[tenant_id]
