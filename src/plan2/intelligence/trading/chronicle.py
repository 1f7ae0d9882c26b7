"""Where facts are written down: durable ones first to the order journal, all to the event store.

`record` applies nothing and decides nothing. Facts that must survive a crash before anything else
happens go through the journal in one write; then every fact is announced on the bus and handed to
the event store's mailbox. In a backtest the sink forgets, and the bytes are the same.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from plan2.foundation.bus import Bus
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import NAME_OF, STORED
from plan2.foundation.events.fact import Fact
from plan2.intelligence.trading.journal import Entry, Journal


class EventSink(Protocol):
    """The way into the event store; bounded, never drops."""

    def put(self, fact: Fact, on_stored: Callable[[], None] | None) -> None:
        """Queue a fact; `on_stored` is called once it is committed.

        Raises:
            JournalLost: the queue is full; trading must stop.
        """
        ...


class NoSink:
    """For backtests: facts are announced but not stored."""

    def put(self, fact: Fact, on_stored: Callable[[], None] | None) -> None:
        """Forget it."""


class Chronicle:
    """Writes facts in order: journal, then bus, then event store."""

    def __init__(self, journal: Journal, sink: EventSink, bus: Bus) -> None:
        self._journal = journal
        self._sink = sink
        self._bus = bus
        self._encoder = msgspec.json.Encoder()

    def record_durable(self, facts: Sequence[Fact]) -> None:
        """Write facts so that they survive a crash from the moment this returns, and announce them.

        Raises:
            JournalLost: they could not be made durable; nothing was announced.
        """
        self.announce(facts, self.make_durable([self.entry(item) for item in facts]))

    def make_durable(self, entries: Sequence[Entry], *, adds_risk: bool = False) -> int:
        """Write entries to the journal only; an order leaves between this and `announce`.

        `adds_risk`: whether one of them may bring a new position.

        Raises:
            JournalLost: they could not be made durable.
        """
        return self._journal.append(entries, adds_risk=adds_risk)

    def announce(self, facts: Sequence[Fact], sequence: int) -> None:
        """Hand durable facts of a journal record to the event store and to the bus."""
        for item in facts[:-1]:
            self._sink.put(item, None)
        self._sink.put(facts[-1], lambda: self._journal.release(sequence))
        for item in facts:
            self._bus.publish(item.event)

    def record(self, item: Fact) -> None:
        """Write a fact that may be lost in a crash because nothing outside depends on it."""
        self._sink.put(item, None)
        self._bus.publish(item.event)

    def tell(self, event: Event) -> None:
        """Announce what is written down nowhere: the next look at the broker tells it again."""
        self._bus.publish(event)

    def entry(self, item: Fact) -> Entry:
        """A fact as the journal keeps it."""
        name = NAME_OF[type(item.event)]
        version, _ = STORED[name]
        return Entry(
            item.event_id,
            item.stream,
            name,
            version,
            item.correlation_id,
            self._encoder.encode(item.event),
        )


def fact_of(entry: Entry) -> Fact:
    """The fact that a journal entry holds."""
    _, cls = STORED[entry.type]
    event = msgspec.json.decode(entry.payload, type=cls)
    return Fact(entry.stream, entry.event_id, event, entry.correlation_id)
