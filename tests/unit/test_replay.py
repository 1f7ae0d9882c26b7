"""The player: order, pace, pause, gate, stop; time is a fake wall that sleeping moves."""

import asyncio
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from plan2.dataflow.replay import SLICE_NS, Pacing, Player, Wall
from plan2.dataflow.sources import MergedTicks, RecordedSource, merge
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError, InvariantBroken
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MS, NS_PER_SECOND, Tick, TickBlock

START_NS = 1_000 * NS_PER_HOUR


class FakeWall:
    """Real time as the player sees it: sleeping and working move it, nothing else."""

    def __init__(self) -> None:
        self.ns = 0
        self.naps: list[float] = []

    def now_ns(self) -> int:
        """The wall's time."""
        return self.ns

    async def sleep(self, seconds: float) -> None:
        """Move the wall by a nap, and give the loop its turn."""
        self.naps.append(seconds)
        self.ns += int(seconds * NS_PER_SECOND)
        await asyncio.sleep(0)

    @property
    def wall(self) -> Wall:
        """What the player takes."""
        return Wall(self.now_ns, self.sleep)


def block(symbol: str, *offsets_ns: int) -> TickBlock:
    """Ticks at these offsets from the start; the bid counts them from 1."""
    ts = np.array(offsets_ns, np.int64) + START_NS
    bid = np.arange(len(offsets_ns)) + 1.0
    return TickBlock(symbol, ts, bid, bid + 1.0)


def recording(*blocks: TickBlock, chunk_ns: int = NS_PER_HOUR) -> RecordedSource:
    """A source that reads from these blocks."""
    stored = {one.symbol: one for one in blocks}

    def read(symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        one = stored[symbol]
        first, last = np.searchsorted(one.ts_ns, (start_ns, end_ns))
        return one.slice(int(first), int(last))

    end_ns = START_NS + 48 * NS_PER_HOUR
    return RecordedSource(tuple(stored), read, START_NS, end_ns, chunk_ns)


def player(
    source: RecordedSource,
    speed: float | None = None,
    gate: Callable[[], bool] = lambda: True,
    idle_skip_s: float = 900.0,
) -> tuple[Player, FakeWall, SimulatedClock]:
    """A player on a fake wall."""
    wall, clock = FakeWall(), SimulatedClock(0)
    pacing = Pacing(speed=speed, idle_skip_s=idle_skip_s)
    return Player(source, clock, pacing, gate, wall.wall), wall, clock


def seconds(*values: float) -> list[int]:
    """Nanoseconds."""
    return [int(value * NS_PER_SECOND) for value in values]


async def test_plays_everything_in_order_with_the_clock_at_each_tick() -> None:
    """Ties go by the symbol's place, then by sequence; the clock stands at the tick."""
    played, _, clock = player(recording(block("B", *seconds(1, 2, 2)), block("A", *seconds(0, 2))))
    heard: list[tuple[str, float, int]] = []
    ends: list[bool] = []

    def deliver(tick: Tick) -> None:
        assert clock.now_ns() == tick.ts_ns
        heard.append((tick.symbol, tick.bid, tick.seq))

    await played.run(deliver, START_NS, lambda: ends.append(True))
    assert heard == [("A", 1, 0), ("B", 1, 0), ("B", 2, 0), ("B", 3, 1), ("A", 2, 0)]
    assert ends == [True]
    assert (played.progress.state, played.progress.ticks) == ("finished", 5)


async def test_starts_where_it_is_told() -> None:
    """Ticks before the start are not played, one at the start is; its number stays the same."""
    played, _, _ = player(recording(block("A", *seconds(1, 2, 2, 3))))
    heard: list[tuple[float, int]] = []
    await played.run(lambda tick: heard.append((tick.bid, tick.seq)), START_NS + seconds(2)[0])
    assert heard == [(2, 0), (3, 1), (4, 0)]


async def test_speed_is_market_time_per_real_time() -> None:
    """At 10 ×, ticks 20 s apart come 2 s apart."""
    played, wall, _ = player(recording(block("A", *seconds(0, 20, 40))), speed=10.0)
    at: list[float] = []
    await played.run(lambda _: at.append(wall.ns / NS_PER_SECOND), START_NS)
    assert at == pytest.approx([0, 2, 4], abs=0.001)


async def test_full_speed_never_waits() -> None:
    """Without a speed the player only gives the loop its turns."""
    played, wall, _ = player(recording(block("A", *seconds(0, 3600, 7200))))
    await played.run(lambda _: None, START_NS)
    assert set(wall.naps) == {0}


async def test_idle_time_is_skipped() -> None:
    """A weekend without ticks passes at once, an hour without is waited for when asked."""
    ticks = block("A", *seconds(0, 3600))
    for idle_skip_s, waited in ((900.0, 0.0), (7200.0, 360.0)):
        played, wall, _ = player(recording(ticks), speed=10.0, idle_skip_s=idle_skip_s)
        await played.run(lambda _: None, START_NS)
        assert wall.ns / NS_PER_SECOND == pytest.approx(waited, abs=0.01)


async def test_lost_time_is_not_made_up_in_a_burst() -> None:
    """After a stall of ten seconds the pace goes on from there instead of hurrying."""
    played, wall, _ = player(recording(block("A", *seconds(*range(20)))), speed=1.0)
    at: list[float] = []

    def deliver(tick: Tick) -> None:
        at.append(wall.ns / NS_PER_SECOND)
        if tick.bid == 3:
            wall.ns += 10 * NS_PER_SECOND

    await played.run(deliver, START_NS)
    gaps = np.diff(at)
    assert gaps[2] == pytest.approx(10, abs=0.01)
    assert gaps[3:] == pytest.approx(1, abs=0.06)


async def test_slices_leave_the_loop_alive() -> None:
    """With 1 ms of work per tick the loop gets its turn every five ticks at full speed."""
    played, wall, _ = player(recording(block("A", *range(100))))
    turns_at: list[int] = []
    count = 0

    def deliver(_: Tick) -> None:
        nonlocal count
        count += 1
        wall.ns += 1 * NS_PER_MS

    original = wall.sleep

    async def counted(pause_s: float) -> None:
        turns_at.append(count)
        await original(pause_s)

    played._wall = Wall(wall.now_ns, counted)
    played._pace._wall = played._wall
    await played.run(deliver, START_NS)
    assert count == 100
    assert max(np.diff(turns_at)) == SLICE_NS // NS_PER_MS


async def test_pause_and_resume() -> None:
    """Nothing is heard while paused, also when paused before the start; then all of it."""
    played, _, _ = player(recording(block("A", *range(10))))
    heard: list[float] = []

    def deliver(tick: Tick) -> None:
        heard.append(tick.bid)
        if tick.bid == 4:
            played.pause()

    played.pause()
    running = asyncio.create_task(played.run(deliver, START_NS))
    await spin()
    assert heard == []
    assert played.progress.state == "paused"
    played.resume()
    await spin()
    assert heard == [1, 2, 3, 4]
    played.resume()
    await running
    assert heard == list(range(1, 11))


async def test_stop_in_the_middle_of_a_tick() -> None:
    """The tick that stops the player is the last one; the end of the data is not announced."""
    played, _, _ = player(recording(block("A", *range(10))))
    heard: list[float] = []
    ends: list[bool] = []

    def deliver(tick: Tick) -> None:
        heard.append(tick.bid)
        if tick.bid == 4:
            played.stop()

    await played.run(deliver, START_NS, lambda: ends.append(True))
    assert heard == [1, 2, 3, 4]
    assert ends == []
    assert played.progress.state == "stopped"


async def test_stop_while_paused_and_before_the_start() -> None:
    """A paused player can be stopped; one stopped before it began plays nothing."""
    played, _, _ = player(recording(block("A", *range(10))))
    played.pause()
    running = asyncio.create_task(played.run(pytest.fail, START_NS))
    await spin()
    played.stop()
    await running
    assert (played.progress.state, played.progress.ticks) == ("stopped", 0)
    early, _, _ = player(recording(block("A", *range(10))))
    early.stop()
    await early.run(pytest.fail, START_NS)
    assert (early.progress.state, early.progress.ticks) == ("stopped", 0)


async def test_a_closed_gate_stops_within_64_ticks() -> None:
    """With a gate that closes at a backlog of 100, the backlog never exceeds 164."""
    backlog = 0
    highest = 0
    played, wall, _ = player(recording(block("A", *range(2000))), gate=lambda: backlog < 100)

    def deliver(_: Tick) -> None:
        nonlocal backlog, highest
        backlog += 1
        highest = max(highest, backlog)

    original = wall.sleep

    async def drained(pause_s: float) -> None:
        nonlocal backlog
        if pause_s > 0:
            backlog = max(0, backlog - 30)
        await original(pause_s)

    played._wall = Wall(wall.now_ns, drained)
    await played.run(deliver, START_NS)
    assert played.progress.ticks == 2000
    assert 100 <= highest <= 164


async def test_speed_can_change_while_playing() -> None:
    """From 1 × to 100 × in the middle: the first gaps take 10 s, the later ones 0.1 s."""
    played, wall, _ = player(recording(block("A", *seconds(0, 10, 20, 30, 40))), speed=1.0)
    at: list[float] = []

    def deliver(tick: Tick) -> None:
        at.append(wall.ns / NS_PER_SECOND)
        if tick.bid == 3:
            played.set_speed(100.0)

    await played.run(deliver, START_NS)
    assert np.diff(at) == pytest.approx([10, 10, 0.1, 0.1], abs=0.06)
    with pytest.raises(InvariantBroken):
        played.set_speed(0.0)


async def test_what_the_listener_raises_ends_the_replay() -> None:
    """A fault downstream is not swallowed."""
    played, _, _ = player(recording(block("A", 0, 1)))

    def deliver(_: Tick) -> None:
        raise InvariantBroken("downstream")

    with pytest.raises(InvariantBroken, match="downstream"):
        await played.run(deliver, START_NS)
    with pytest.raises(InvariantBroken, match="once"):
        await played.run(deliver, START_NS)


async def test_empty_blocks_are_turns_for_the_loop() -> None:
    """A source that is at work can be stopped between its empty blocks."""

    class Endless(RecordedSource):
        def blocks(self, start_ns: int) -> Iterator[MergedTicks]:
            while True:
                yield merge([block("A")])

    source = Endless(("A",), lambda *_: block("A"), START_NS, START_NS + 1)
    played, _, _ = player(source)
    running = asyncio.create_task(played.run(pytest.fail, START_NS))
    await spin()
    assert not running.done()
    played.stop()
    await running
    assert (played.progress.state, played.progress.ticks) == ("stopped", 0)


def test_a_recording_needs_a_span() -> None:
    """An end before the start is the user's mistake and says so."""
    with pytest.raises(InputError, match="end after it starts"):
        RecordedSource(("A",), lambda *_: block("A"), 5, 5)


async def spin() -> None:
    """Let every other task run for a while."""
    for _ in range(50):
        await asyncio.sleep(0)
