"""The health board: states, announcements, and what the process waits for."""

from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.system import ServiceHealthChanged
from plan2.foundation.health import ComponentHealth, Health, HealthBoard, Status


class Desk:
    """A board with a clock to turn and the announcements it made."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(5_000)
        self.announced: list[ServiceHealthChanged] = []
        bus = Bus()
        bus.subscribe(ServiceHealthChanged, self.announced.append)
        self.board = HealthBoard(self.clock, bus, lambda: 1.5)


def test_a_part_starts_unknown_to_nobody() -> None:
    """An added part is shown at once, as starting, since now."""
    desk = Desk()
    desk.board.add("feed", 3)

    assert desk.board.snapshot() == [
        ComponentHealth("feed", 3, Status.STARTING, "", since_us=5, metrics={})
    ]
    assert desk.announced == []


def test_a_change_of_status_is_announced_once_and_dated() -> None:
    """A new detail with the same status updates the row quietly."""
    desk = Desk()
    desk.board.add("feed", 3)
    desk.clock.advance_to(9_000)
    desk.board.report("feed", Health(Status.DEGRADED, "slow", {"lag_ms": 900.0}))
    desk.clock.advance_to(12_000)
    desk.board.report("feed", Health(Status.DEGRADED, "slower", {"lag_ms": 990.0}))

    assert desk.announced == [
        ServiceHealthChanged(
            ts_ns=9_000,
            service_name="feed",
            status="degraded",
            detail="slow",
            metrics={"lag_ms": 900.0},
        )
    ]
    assert desk.board.snapshot() == [
        ComponentHealth("feed", 3, Status.DEGRADED, "slower", since_us=9, metrics={"lag_ms": 990.0})
    ]


def test_the_process_waits_for_required_parts_only() -> None:
    """Names without details, so that nothing secret can be read without signing in."""
    desk = Desk()
    desk.board.add("store", 1, required=True)
    desk.board.add("telegram", 5)
    assert desk.board.waiting_for() == ("store",)

    desk.board.report("store", Health(Status.DEGRADED, "password=x"))

    assert desk.board.waiting_for() == ()


def test_the_whole_is_as_well_as_its_parts() -> None:
    """A required part decides over down and starting; any other only degrades."""
    desk = Desk()
    desk.board.add("store", 1, required=True)
    desk.board.add("telegram", 5)
    seen = [desk.board.overall()]
    for name, status in (
        ("store", Status.OK),
        ("telegram", Status.OK),
        ("telegram", Status.DOWN),
        ("telegram", Status.STOPPED),
        ("store", Status.DEGRADED),
        ("store", Status.DOWN),
    ):
        desk.board.report(name, Health(status))
        seen.append(desk.board.overall())

    assert [status.value for status in seen] == [
        "starting",
        "degraded",
        "ok",
        "degraded",
        "ok",
        "degraded",
        "down",
    ]


def test_numbers_for_the_metric() -> None:
    """1 for ok, a half for degraded, 0 for anything else."""
    desk = Desk()
    for name, status in (("a", Status.OK), ("b", Status.DEGRADED), ("c", Status.DOWN)):
        desk.board.add(name, 1)
        desk.board.report(name, Health(status))

    assert desk.board.component_up() == {("a",): 1.0, ("b",): 0.5, ("c",): 0.0}
    assert desk.board.loop_lag_ms_p99() == 1.5
