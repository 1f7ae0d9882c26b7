"""The hub: order of start and stop, restarts with pauses, halting; in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from virtual_time import run_virtual

from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InvariantBroken, JournalLost
from plan2.foundation.events.system import ServiceHealthChanged
from plan2.foundation.health import Health, HealthBoard, Status
from plan2.foundation.hub import Component, Hub, Patience

PATIENCE = Patience(attempts_max=3, pause_first_s=1.0, pause_max_s=8.0, healthy_after_s=30.0)


class Desk:
    """A hub with a diary of what happened to its components, and the reasons for halts."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.halts: list[str] = []
        self.bus = Bus()
        self.board = HealthBoard(SimulatedClock(), self.bus, lambda: 0.0)
        self.hub = Hub(self.board, self.halts.append, np.random.default_rng(7), PATIENCE)

    def note(self, text: str) -> Callable[[], Awaitable[None]]:
        """A step that writes into the diary."""

        async def step() -> None:
            self.diary.append(text)

        return step

    def part(self, name: str, level: int, *needs: str) -> Component:
        """A component that only writes into the diary."""
        return Component(
            name=name,
            level=level,
            needs=needs,
            start=self.note(f"start {name}"),
            stop=self.note(f"stop {name}"),
        )


def failing(times: int, error: Exception, seen: list[float]) -> Callable[[], Awaitable[None]]:
    """A run that fails so many times, noting when it began, and then goes on for ever."""

    async def run() -> None:
        seen.append(asyncio.get_running_loop().time())
        if len(seen) <= times:
            raise error
        await asyncio.Event().wait()

    return run


def test_parts_start_by_need_and_level_and_stop_in_reverse() -> None:
    """Needs outrank levels, levels outrank the order of addition."""
    desk = Desk()
    for part in (
        desk.part("web", 5),
        desk.part("feed", 3, "store"),
        desk.part("clock", 1, "feed"),
        desk.part("store", 1),
        desk.part("log", 1),
    ):
        desk.hub.add(part)

    async def main() -> list[str]:
        await desk.hub.start()
        return await desk.hub.stop()

    order = ["store", "log", "feed", "clock", "web"]
    assert run_virtual(main()) == []
    assert desk.diary == [f"start {name}" for name in order] + [
        f"stop {name}" for name in reversed(order)
    ]


@pytest.mark.parametrize("need", ["absent", "web"])
def test_impossible_needs_are_a_fault_of_the_wiring(need: str) -> None:
    """A need that does not exist, or of itself, stops the start before anything runs."""
    desk = Desk()
    desk.hub.add(desk.part("web", 5, need))

    with pytest.raises(InvariantBroken, match="web"):
        run_virtual(desk.hub.start())

    assert desk.diary == []


def test_a_crashed_part_is_stopped_started_and_run_again() -> None:
    """After the first failure a pause of half to one second, then all is well."""
    desk = Desk()
    seen: list[float] = []
    part = desk.part("feed", 3)
    desk.hub.add(
        Component(
            name="feed",
            level=3,
            start=part.start,
            stop=part.stop,
            run=failing(1, OSError("cable"), seen),
        )
    )

    async def main() -> Status:
        await desk.hub.start()
        await asyncio.sleep(10)
        status = desk.board.status_of("feed")
        await desk.hub.stop()
        return status

    assert run_virtual(main()) is Status.OK
    assert desk.diary == ["start feed", "stop feed", "start feed", "stop feed"]
    assert 0.5 <= seen[1] - seen[0] <= 1.0
    assert desk.halts == []


def test_pauses_double_up_to_the_longest_and_jitter_is_seeded() -> None:
    """Each pause lies between half of its step and the whole; two runs pause alike."""

    def pauses() -> list[float]:
        desk = Desk()
        seen: list[float] = []
        desk.hub.add(Component(name="feed", level=3, run=failing(7, OSError("cable"), seen)))

        async def main() -> None:
            await desk.hub.start()
            await asyncio.sleep(100)
            await desk.hub.stop()

        run_virtual(main())
        return np.diff(seen).tolist()

    first = pauses()

    assert len(first) == 7
    for pause, step in zip(first, [1, 2, 4, 8, 8, 8, 8], strict=True):
        assert step / 2 <= pause <= step
    assert pauses() == first


def test_a_critical_part_that_stays_down_halts_once_and_may_come_back() -> None:
    """DOWN after the third failure in a row, one halt, attempts go on, OK when it works again."""
    desk = Desk()
    seen: list[float] = []
    states: list[tuple[str, str]] = []
    desk.bus.subscribe(ServiceHealthChanged, lambda e: states.append((e.status, e.detail)))
    desk.hub.add(
        Component(name="store", level=1, critical=True, run=failing(5, OSError("token=abc"), seen))
    )

    async def main() -> None:
        await desk.hub.start()
        await asyncio.sleep(100)
        await desk.hub.stop()

    run_virtual(main())

    down = [detail for status, detail in states if status == "down"]
    assert desk.halts == ["store is down: OSError: token=***"]
    assert set(down) == {"OSError: token=***"}
    assert [status for status, _ in states][-2:] == ["ok", "stopped"]


def test_a_part_that_is_not_critical_never_halts() -> None:
    """Telegram may be down all day."""
    desk = Desk()
    desk.hub.add(Component(name="telegram", level=5, run=failing(99, OSError("net"), [])))

    async def main() -> Status:
        await desk.hub.start()
        await asyncio.sleep(100)
        status = desk.board.status_of("telegram")
        await desk.hub.stop()
        return status

    assert run_virtual(main()) is not Status.OK
    assert desk.halts == []


def test_a_fault_of_ours_halts_at_once_and_is_not_retried() -> None:
    """`Unrecoverable` from any part: one run, one halt."""
    desk = Desk()
    seen: list[float] = []
    desk.hub.add(Component(name="journal", level=4, run=failing(9, JournalLost("full"), seen)))

    async def main() -> Status:
        await desk.hub.start()
        await asyncio.sleep(100)
        status = desk.board.status_of("journal")
        await desk.hub.stop()
        return status

    assert run_virtual(main()) is Status.DOWN
    assert len(seen) == 1
    assert desk.halts == ["journal is down: JournalLost: full"]


def test_a_long_healthy_run_forgives_earlier_failures() -> None:
    """Failures every 40 s never add up to three in a row."""
    desk = Desk()

    async def run() -> None:
        await asyncio.sleep(40)
        raise OSError("cable")

    desk.hub.add(Component(name="feed", level=3, critical=True, run=run))

    async def main() -> None:
        await desk.hub.start()
        await asyncio.sleep(1_000)
        await desk.hub.stop()

    run_virtual(main())

    assert desk.halts == []


def test_a_critical_part_that_cannot_start_stops_the_start() -> None:
    """The error reaches the caller; what was begun is stopped, the failed part included."""
    desk = Desk()

    async def refuse() -> None:
        raise OSError("port taken")

    desk.hub.add(desk.part("store", 1))
    desk.hub.add(
        Component(name="web", level=5, critical=True, start=refuse, stop=desk.note("stop web"))
    )
    desk.hub.add(desk.part("late", 5))

    async def main() -> None:
        try:
            await desk.hub.start()
        finally:
            await desk.hub.stop()

    with pytest.raises(OSError, match="port taken"):
        run_virtual(main())

    assert desk.diary == ["start store", "stop web", "stop store"]


def test_what_needs_a_part_waits_for_it() -> None:
    """A part that is not critical fails twice; its dependent starts as soon as it is up."""
    desk = Desk()
    tries: list[float] = []

    async def third_time_lucky() -> None:
        tries.append(0.0)
        if len(tries) < 3:
            raise OSError("not yet")

    desk.hub.add(Component(name="cache", level=1, start=third_time_lucky))
    desk.hub.add(desk.part("warmth", 3, "cache"))

    async def main() -> tuple[Status, list[str]]:
        await desk.hub.start()
        before = list(desk.diary)
        await asyncio.sleep(30)
        status = desk.board.status_of("warmth")
        await desk.hub.stop()
        return status, before

    assert run_virtual(main()) == (Status.OK, [])
    assert "start warmth" in desk.diary


def test_a_part_that_does_not_stop_is_left_behind_and_named() -> None:
    """The others still get their share of the deadline; nothing takes longer than 30 s."""
    desk = Desk()

    async def never() -> None:
        await asyncio.Event().wait()

    desk.hub.add(desk.part("store", 1))
    desk.hub.add(Component(name="stuck", level=3, stop=never))
    desk.hub.add(desk.part("web", 5))

    async def main() -> tuple[list[str], float]:
        await desk.hub.start()
        failed = await desk.hub.stop()
        return failed, asyncio.get_running_loop().time()

    failed, took_s = run_virtual(main())

    assert failed == ["stuck"]
    assert took_s <= 30.0
    assert desk.diary[-2:] == ["stop web", "stop store"]


def test_checks_are_polled_while_their_part_is_up() -> None:
    """A check degrades and heals its part; one that raises counts as down, and can heal too."""
    desk = Desk()
    answers: list[Health | Exception] = [
        Health(Status.OK),
        Health(Status.DEGRADED, "slow"),
        ValueError("broken"),
        Health(Status.OK),
    ]
    seen: list[str] = []
    desk.bus.subscribe(ServiceHealthChanged, lambda e: seen.append(e.status))

    def check() -> Health:
        answer = answers.pop(0) if answers else Health(Status.OK)
        if isinstance(answer, Exception):
            raise answer
        return answer

    desk.hub.add(Component(name="feed", level=3, check=check))

    async def main() -> None:
        await desk.hub.start()
        await asyncio.sleep(10)
        await desk.hub.stop()

    run_virtual(main())

    assert seen == ["ok", "degraded", "down", "ok", "stopped"]


def test_a_business_check_needs_no_component() -> None:
    """What was added to the board alone is polled too."""
    desk = Desk()
    desk.board.add("books", 4, required=True, check=lambda: Health(Status.OK, "reconciled"))

    desk.hub.poll()

    assert desk.board.waiting_for() == ()


def test_a_failing_listener_of_health_halts() -> None:
    """A handler that raises is a fault of ours; the hub itself goes on."""
    desk = Desk()

    def fail(_: ServiceHealthChanged) -> None:
        raise ValueError("broken listener")

    desk.bus.subscribe(ServiceHealthChanged, fail)
    desk.hub.add(desk.part("store", 1))

    async def main() -> None:
        await desk.hub.start()
        await desk.hub.stop()

    run_virtual(main())

    assert desk.halts
    assert "broken listener" in desk.halts[0]
    assert desk.diary == ["start store", "stop store"]


def test_a_run_that_ends_is_finished_not_failed() -> None:
    """A replay reaches its end: stopped, no restart, still stopped in order later."""
    desk = Desk()
    desk.hub.add(Component(name="replay", level=3, run=desk.note("ran"), stop=desk.note("stop")))

    async def main() -> Status:
        await desk.hub.start()
        await asyncio.sleep(60)
        status = desk.board.status_of("replay")
        await desk.hub.stop()
        return status

    assert run_virtual(main()) is Status.STOPPED
    assert desk.diary == ["ran", "stop"]
