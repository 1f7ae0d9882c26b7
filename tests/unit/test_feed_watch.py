"""Feeds: fresh while quotes come, stale when they stop in an open market, closed at the weekend."""

from plan2.dataflow.feed_watch import FeedWatch
from plan2.dataflow.quality import QualityGate
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.market import FeedStateChanged
from plan2.foundation.health import Status
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, Tick

TUESDAY_NS = 1_709_640_000 * NS_PER_SECOND


def test_a_feed_goes_through_its_states() -> None:
    """Each change is told once; the alarm names the symbol and goes away by itself."""
    bus, clock, gate = Bus(), SimulatedClock(), QualityGate("EURUSD")
    heard: list[tuple[str, int]] = []
    bus.subscribe(FeedStateChanged, lambda event: heard.append((event.state, event.age_ms)))
    bus.seal()
    watch = FeedWatch({"EURUSD": gate}, bus, clock, 60_000)

    def at(seconds: float) -> Status:
        clock.advance_to(TUESDAY_NS + int(seconds * NS_PER_SECOND))
        watch.look()
        return watch.check().status

    assert at(0) is Status.OK
    assert gate.check(Tick("EURUSD", TUESDAY_NS, 1.1, 1.1001), TUESDAY_NS).is_accepted
    assert at(60) is Status.OK
    assert at(61) is Status.DEGRADED
    assert at(62) is Status.DEGRADED
    assert "EURUSD" in watch.check().detail
    back_ns = TUESDAY_NS + 63 * NS_PER_SECOND
    assert gate.check(Tick("EURUSD", back_ns, 1.1002, 1.1003), back_ns).is_accepted
    assert at(63) is Status.OK
    assert at(4 * NS_PER_DAY / NS_PER_SECOND) is Status.OK
    assert heard == [
        ("waiting", 0),
        ("fresh", 60_000),
        ("stale", 61_000),
        ("fresh", 0),
        ("closed", (4 * 86_400 - 63) * 1_000),
    ]
