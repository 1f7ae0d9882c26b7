"""The in-process event bus, and mailboxes for listeners that are slow or asynchronous.

The bus announces what happened; it never drives what happens next. `publish` is synchronous, in
order of subscription, dispatched by the event's exact class. Nothing here is unbounded: a mailbox
has a capacity and a policy for the day it is full.
"""

import asyncio
import enum
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from plan2.foundation.errors import JournalLost, require
from plan2.foundation.events.base import Event

E = TypeVar("E", bound=Event)
Item = TypeVar("Item")
Handler = Callable[[Any], None]  # the class key decides the argument type; `subscribe` checks it

PENDING_MAX = 10_000
"""Events that handlers may publish while one is being delivered, before it counts as a loop."""


class Bus:
    """Typed publish/subscribe; wiring ends with `seal()`."""

    def __init__(self) -> None:
        self._handlers: dict[type[Event], tuple[Handler, ...]] = {}
        self._pending: deque[Event] = deque()
        self._delivering = False
        self._sealed = False

    def subscribe(self, event_type: type[E], handler: Callable[[E], None]) -> None:
        """Call `handler` for each event of exactly this class, after earlier subscribers.

        Raises:
            InvariantBroken: after `seal()`.
        """
        require(not self._sealed, f"cannot subscribe to {event_type.__name__}: the bus is sealed")
        self._handlers[event_type] = (*self._handlers.get(event_type, ()), handler)

    def seal(self) -> None:
        """End the wiring phase."""
        self._sealed = True

    def publish(self, event: Event) -> None:
        """Deliver `event` now; one published by a handler is delivered after the current one.

        A handler that raises is a fault of ours: the exception reaches the caller, which halts.
        """
        if self._delivering:
            require(len(self._pending) < PENDING_MAX, "events publish events without end")
            self._pending.append(event)
            return
        self._delivering = True
        try:
            for handler in self._handlers.get(event.__class__, ()):
                handler(event)
            while self._pending:
                following = self._pending.popleft()
                for handler in self._handlers.get(following.__class__, ()):
                    handler(following)
        finally:
            self._pending.clear()
            self._delivering = False


class Overflow(enum.Enum):
    """What a full mailbox does."""

    COALESCE = "coalesce"
    """Keep the newest event of each key: screens."""
    DROP_OLDEST = "drop_oldest"
    """Forget the oldest: metrics."""
    NEVER = "never"
    """Refuse: the journal. The owner stops trading."""


class Mailbox(Generic[Item]):
    """A bounded buffer between the bus and one listener task; what it holds is its type argument.

    Args:
        capacity: the most events it may hold.
        overflow: what happens beyond that.
        key: for COALESCE, what counts as the same fact; unused otherwise.
    """

    def __init__(
        self,
        capacity: int,
        overflow: Overflow,
        key: Callable[[Item], Hashable] = id,
    ) -> None:
        self.capacity = capacity
        self.dropped = 0
        self._overflow = overflow
        self._key = key
        self._events: dict[Hashable, Item] = {}
        self._count = 0
        self._ready = asyncio.Event()

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: Item) -> None:
        """Take an event from the bus.

        Raises:
            JournalLost: full, and the policy is NEVER.
        """
        key: Hashable
        if self._overflow is Overflow.COALESCE:
            key = self._key(event)
            self._events.pop(key, None)
        else:
            self._count += 1
            key = self._count
        if len(self._events) >= self.capacity:
            if self._overflow is Overflow.NEVER:
                raise JournalLost(f"a mailbox that must not drop is full at {self.capacity} events")
            del self._events[next(iter(self._events))]
            self.dropped += 1
        self._events[key] = event
        self._ready.set()

    async def take(self, limit: int) -> list[Item]:
        """Wait for events and take up to `limit`, oldest first."""
        await self._ready.wait()
        return self.drain(limit)

    def drain(self, limit: int) -> list[Item]:
        """Take up to `limit` events without waiting."""
        keys = [key for key, _ in zip(self._events, range(limit), strict=False)]
        taken = [self._events.pop(key) for key in keys]
        if not self._events:
            self._ready.clear()
        return taken
