"""The bus delivers in order, to exact classes, without loss; mailboxes keep their bound."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation import bus as bus_module
from plan2.foundation.bus import Bus, Mailbox, Overflow
from plan2.foundation.errors import InvariantBroken, JournalLost
from plan2.foundation.events.base import Event
from plan2.foundation.events.market import FeedStateChanged
from plan2.foundation.events.system import SystemStopped


class Louder(SystemStopped, frozen=True, kw_only=True, gc=False):
    """A subclass, to show that dispatch does not look at inheritance."""


def stopped(number: int) -> SystemStopped:
    """The n-th event."""
    return SystemStopped(ts_ns=number, run_id="r", reason=str(number))


def feed(symbol: str, number: int) -> FeedStateChanged:
    """The n-th event of a symbol."""
    return FeedStateChanged(ts_ns=number, symbol=symbol, state="fresh", age_ms=0)


@given(st.integers(0, 6), st.integers(0, 20))
def test_every_subscriber_gets_every_event_in_order_of_subscription(
    subscribers: int, events: int
) -> None:
    """Deliveries are the product of events and subscribers, event first."""
    seen: list[tuple[int, int]] = []
    bus = Bus()
    for number in range(subscribers):
        bus.subscribe(SystemStopped, lambda event, n=number: seen.append((event.ts_ns, n)))
    bus.seal()

    for number in range(events):
        bus.publish(stopped(number))

    assert seen == [(e, s) for e in range(events) for s in range(subscribers)]


def test_dispatch_is_by_exact_class() -> None:
    """A subscriber of a class does not get its subclasses; nobody need listen."""
    seen: list[Event] = []
    bus = Bus()
    bus.subscribe(SystemStopped, seen.append)

    bus.publish(Louder(ts_ns=1, run_id="r", reason=""))
    bus.publish(feed("EURUSD", 2))

    assert seen == []


def test_an_event_published_by_a_handler_follows_the_current_one() -> None:
    """All subscribers see the first event before any sees the one that it caused."""
    seen: list[str] = []
    bus = Bus()

    def cause(event: SystemStopped) -> None:
        seen.append(f"first {event.reason}")
        if event.ts_ns < 2:
            bus.publish(stopped(event.ts_ns + 1))

    bus.subscribe(SystemStopped, cause)
    bus.subscribe(SystemStopped, lambda event: seen.append(f"second {event.reason}"))

    bus.publish(stopped(0))

    assert seen == ["first 0", "second 0", "first 1", "second 1", "first 2", "second 2"]


def test_subscription_ends_with_the_wiring() -> None:
    """A late subscriber is refused and named."""
    bus = Bus()
    bus.seal()

    with pytest.raises(InvariantBroken, match="SystemStopped"):
        bus.subscribe(SystemStopped, lambda _: None)


def test_a_failing_handler_reaches_the_publisher_and_leaves_the_bus_usable() -> None:
    """What was pending is dropped with the failed delivery; the next publish works."""
    seen: list[int] = []
    bus = Bus()

    def fail_once(event: SystemStopped) -> None:
        if event.ts_ns == 0:
            bus.publish(stopped(7))
            raise ValueError("broken handler")
        seen.append(event.ts_ns)

    bus.subscribe(SystemStopped, fail_once)

    with pytest.raises(ValueError, match="broken handler"):
        bus.publish(stopped(0))
    bus.publish(stopped(1))

    assert seen == [1]


def test_events_without_end_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pending list has a bound."""
    monkeypatch.setattr(bus_module, "PENDING_MAX", 3)
    bus = Bus()

    def flood(event: SystemStopped) -> None:
        for number in range(4):
            bus.publish(stopped(number))

    bus.subscribe(SystemStopped, flood)

    with pytest.raises(InvariantBroken, match="without end"):
        bus.publish(stopped(0))


@given(st.lists(st.integers(0, 100)), st.integers(1, 10))
def test_drop_oldest_keeps_the_newest(numbers: list[int], capacity: int) -> None:
    """The box holds the last `capacity` events and counts the others."""
    box = Mailbox(capacity, Overflow.DROP_OLDEST)
    for number in numbers:
        box.put(stopped(number))

    assert box.dropped == max(0, len(numbers) - capacity)
    assert [event.ts_ns for event in box.drain(1_000)] == numbers[-capacity:]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100))))
def test_coalesce_keeps_the_newest_of_each_key(puts: list[tuple[str, int]]) -> None:
    """With room for every key nothing but superseded events disappears, in order of last put."""
    box = Mailbox(3, Overflow.COALESCE, key=lambda event: getattr(event, "symbol", ""))
    for symbol, number in puts:
        box.put(feed(symbol, number))

    last = {symbol: index for index, (symbol, _) in enumerate(puts)}
    expected = [puts[index] for index in sorted(last.values())]
    taken = [(e.symbol, e.ts_ns) for e in box.drain(9) if isinstance(e, FeedStateChanged)]
    assert taken == expected
    assert box.dropped == 0


def test_coalesce_beyond_its_keys_drops_the_oldest_key() -> None:
    """A key too many costs the longest waiting one, counted."""
    box = Mailbox(2, Overflow.COALESCE, key=lambda event: getattr(event, "symbol", ""))
    for symbol in "abc":
        box.put(feed(symbol, 1))

    assert [getattr(event, "symbol", "") for event in box.drain(9)] == ["b", "c"]
    assert box.dropped == 1


def test_a_box_that_must_not_drop_refuses_and_keeps_what_it_has() -> None:
    """The journal's policy: an exception for the new event, the old ones stay."""
    box = Mailbox(2, Overflow.NEVER)
    box.put(stopped(1))
    box.put(stopped(2))

    with pytest.raises(JournalLost, match="2 events"):
        box.put(stopped(3))

    assert [event.ts_ns for event in box.drain(9)] == [1, 2]


async def test_take_waits_for_the_first_event_and_takes_up_to_the_limit() -> None:
    """A waiting listener wakes with a put; what is above the limit stays for the next take."""
    box = Mailbox(10, Overflow.NEVER)
    waiting = asyncio.create_task(box.take(2))
    await asyncio.sleep(0)
    assert not waiting.done()
    for number in range(3):
        box.put(stopped(number))

    assert [event.ts_ns for event in await waiting] == [0, 1]
    assert [event.ts_ns for event in await box.take(2)] == [2]
    assert len(box) == 0
