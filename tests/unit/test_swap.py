"""Other models take over a running market between two ticks."""

import asyncio
import shutil
import time

import msgspec
import numpy as np
import pytest
from candidate_fixtures import EXPIRY, NOW_NS
from model_fixtures import flip_last_byte, small_report
from virtual_time import run_virtual

from plan2.bench.path import Course, quiet_runner
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ModelMismatch
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, Tick
from plan2.intelligence.models.candidate_files import candidate_id_of, draft_of
from plan2.intelligence.models.lifecycle import Alias, Candidate, State
from plan2.intelligence.models.moves import Book
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.standing import SOUND, UNPROVEN
from plan2.intelligence.swap import PATIENCE_S, QUIET_S, LaneStage, quiet_moment
from plan2.intelligence.training.train import register_report

SYMBOL = "EURUSD"
SWAPS = 20
BETWEEN = 150
"""Ticks between two swaps."""
CPU_LIMIT_NS = 10_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the models are."""
    return tmp_path_factory.mktemp("swap") / "models"


@pytest.fixture(scope="module")
def course(folder):
    """Two champions of the same features, a day to warm up with, and some hours to play."""
    registry = Registry(folder)
    model_ids = register_report(registry, small_report(("xgboost", "lstm")))
    (other,) = small_report(("xgboost",), seed=2).models
    (lstm,) = [model_id for model_id in model_ids if model_id.startswith("lstm")]
    registry.drafts.put(draft_of([registry.show(registry.register(other)), registry.show(lstm)]))
    start_ns = FIRST_INSTANT_NS - NS_PER_DAY - 6 * NS_PER_HOUR
    block = SyntheticMarket(7, (SYMBOL,), start_ns).generate(FIRST_INSTANT_NS)[SYMBOL]
    cut = int(np.searchsorted(block.ts_ns, FIRST_INSTANT_NS - 6 * NS_PER_HOUR))
    live = block.slice(cut, len(block))
    rows = zip(live.ts_ns.tolist(), live.bid.tolist(), live.ask.tolist(), strict=True)
    ticks = [Tick(SYMBOL, *row, number) for number, row in enumerate(rows)]
    return Course(block.slice(0, cut), ticks, registry, instruments((SYMBOL,), 30.0)[SYMBOL])


def candidate(model_ids, **changes) -> Candidate:
    """A champion made of these models."""
    base = Candidate(
        candidate_id=candidate_id_of(model_ids),
        symbols=(SYMBOL,),
        model_ids=tuple(model_ids),
        schema_id="",
        state=State.CHAMPION,
        created_ns=NOW_NS,
        since_ns=NOW_NS,
        verdict="",
        flags=(),
        metrics={},
    )
    return msgspec.structs.replace(base, **changes)


def two(course) -> tuple[Candidate, Candidate]:
    """Who serves first, and who takes over."""
    first = candidate(course.registry.champions()[SYMBOL].model_ids)
    (draft,) = course.registry.drafts.list()
    return first, candidate(draft.model_ids)


def book(champion: Candidate | None, last_good: Candidate | None = None) -> Book:
    """Who holds what."""
    held = {Alias.CHAMPION: champion, Alias.LAST_GOOD: last_good}
    known = [each for each in held.values() if each is not None]
    return Book(
        {each.candidate_id: each for each in known},
        {(SYMBOL, alias): each.candidate_id for alias, each in held.items() if each is not None},
    )


class Running:
    """A warm market with a stage; openings of models are counted."""

    def __init__(self, course: Course) -> None:
        self.bus = Bus()
        self.decisions: list[DecisionMade] = []
        self.bus.subscribe(DecisionMade, self.decisions.append)
        self.runner = quiet_runner(course, Settings(), self.bus)
        self.lane = self.runner.floor.lanes[SYMBOL]
        self.openings = 0
        self.clock = SimulatedClock(NOW_NS)
        self.stage = LaneStage(
            self.runner.floor.lanes, course.registry, self._quiet, lambda: EXPIRY, self.clock
        )

    async def _quiet(self) -> None:
        self.openings += 1
        await asyncio.sleep(0)


async def test_twenty_swaps_lose_no_tick_and_delay_no_decision(course):
    """Each tick is decided with at most 10 ms of CPU, and each decision names who forecast."""
    running = Running(course)
    sides = two(course)
    spent_ns: list[int] = []
    served: list[str] = []

    async def play(first: int) -> None:
        for tick in course.live[first : first + BETWEEN]:
            before = time.thread_time_ns()
            running.runner.on_tick(tick)
            spent_ns.append(time.thread_time_ns() - before)
            served.append(candidate_id_of(running.lane.ensemble.model_ids))
            await asyncio.sleep(0)

    async def swap(new: Candidate, old: Candidate) -> None:
        await running.stage.prepare(new)
        await running.stage.show(book(new, old))

    for number in range(SWAPS):
        new, old = sides[(number + 1) % 2], sides[number % 2]
        await asyncio.gather(play(number * BETWEEN), swap(new, old))

    pipeline = running.runner.floor.pipeline
    assert running.stage.swaps == SWAPS
    assert pipeline.ticks == SWAPS * BETWEEN
    assert max(spent_ns) <= CPU_LIMIT_NS
    assert running.openings == 2  # the second one's models; the first ones stayed in memory
    assert set(served) == {each.candidate_id for each in sides}
    named = {
        event.record["candidate_id"] for event in running.decisions if event.record["forecast"]
    }
    assert named <= set(served)
    assert named


async def test_models_that_take_over_remember_the_bars_before_them(course):
    """As if they had walked over them themselves; a gap has emptied both memories."""
    running = Running(course)
    _, second = two(course)
    for tick in course.live[:400]:
        running.runner.on_tick(tick)
    await running.stage.show(book(second))
    warm = running.lane.ensemble.state_bytes()

    rows = running.lane.trail.rows()
    assert len(rows) > 100
    assert any(warm)
    running.lane.ensemble.reset()
    for row in rows:
        for member in running.lane.ensemble.members:
            member.commit(row, row)
    assert running.lane.ensemble.state_bytes() == warm


async def test_a_rollback_takes_no_second(course):
    """Nothing is loaded: the last good one stayed in memory, also over a restart."""
    running = Running(course)
    first, second = two(course)
    await running.stage.show(book(second, first))
    openings = running.openings
    started = time.perf_counter()
    await running.stage.prepare(first)
    await running.stage.show(book(first))

    assert time.perf_counter() - started < 1.0
    assert running.openings == openings
    assert candidate_id_of(running.lane.ensemble.model_ids) == first.candidate_id
    restarted = Running(course)
    await restarted.stage.show(book(first, second))
    openings = restarted.openings
    await restarted.stage.prepare(second)
    assert restarted.openings == openings


async def test_without_a_champion_nobody_forecasts(course):
    """And the account says so."""
    running = Running(course)
    await running.stage.show(book(None))
    running.runner.on_tick(course.live[0])

    assert running.lane.ensemble is None
    assert running.decisions[-1].reason == "no_forecast"


async def test_a_changed_file_is_refused_and_the_old_one_serves_on(course, folder, tmp_path):
    """One byte is enough (ML-053)."""
    shutil.copytree(folder, tmp_path / "models")
    (draft,) = course.registry.drafts.list()
    flip_last_byte(tmp_path / "models" / draft.model_ids[-1] / "model.onnx")
    changed = msgspec.structs.replace(course, registry=Registry(tmp_path / "models"))
    running = Running(changed)
    second = candidate(draft.model_ids)
    before = running.lane.ensemble

    with pytest.raises(ModelMismatch, match="SHA-256"):
        await running.stage.prepare(second)
    await running.stage.show(book(second))
    assert running.lane.ensemble is before
    assert not running.lane.standing.is_proven  # what the new champion has proven is not theirs
    assert running.lane.standing.candidate_id == candidate_id_of(before.model_ids)


async def test_the_standing_follows_the_clock(course):
    """Half the size from 30 days on (ML-079); unproven until validated."""
    running = Running(course)
    first, _ = two(course)
    await running.stage.show(book(first))
    assert running.lane.standing.size_factor == 1.0
    assert running.lane.standing.is_proven
    running.clock.advance_to(NOW_NS + 30 * NS_PER_DAY)
    await running.stage.show(book(msgspec.structs.replace(first, flags=(UNPROVEN,))))

    assert running.lane.standing.size_factor == 0.5
    assert not running.lane.standing.is_proven
    assert "30 days old" in running.lane.standing.words
    await running.stage.show(book(None))
    assert running.lane.standing is SOUND


def test_a_quiet_moment_is_waited_for_but_not_for_ever():
    """Ticks that never end are interrupted after a while."""
    counts = iter(range(1_000_000))
    still, _, waited_s = run_virtual_timed(lambda: quiet_moment(lambda: 7))
    assert still is None
    assert waited_s == pytest.approx(QUIET_S)
    _, _, waited_s = run_virtual_timed(lambda: quiet_moment(lambda: next(counts)))
    assert waited_s == pytest.approx(PATIENCE_S, abs=QUIET_S)


def run_virtual_timed(work):
    """Result and virtual seconds of a coroutine."""

    async def timed():
        loop = asyncio.get_running_loop()
        started = loop.time()
        result = await work()
        return result, None, loop.time() - started

    return run_virtual(timed())
