"""Other models take over a running market between two ticks."""

import asyncio
import itertools
import shutil
import time
from collections.abc import Callable

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
from plan2.foundation.events.base import Event
from plan2.foundation.events.market import BarClosed, MarketDataReceived
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, Tick
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.decision.replayer import RecordReplayer
from plan2.intelligence.events import ForecastMade
from plan2.intelligence.learning.listening import BarListener
from plan2.intelligence.models.canary import is_turn
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
STRETCH_NS = 7_200 * NS_PER_SECOND
"""The horizon of the small models."""


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
        self.forecasts: list[ForecastMade] = []
        self.hear: dict[type[Event], Callable[[Event], None]] = {}
        self.lends = True
        self.bus.subscribe(DecisionMade, self.decisions.append)
        self.bus.subscribe(ForecastMade, self.forecasts.append)
        for kind in (MarketDataReceived, BarClosed, ForecastMade):
            self.bus.subscribe(kind, self._heard)
        self.runner = quiet_runner(course, Settings(), self.bus)
        self.lane = self.runner.floor.lanes[SYMBOL]
        self.openings = 0
        self.clock = SimulatedClock(NOW_NS)
        self.stage = LaneStage(
            self.runner.floor.lanes,
            course.registry,
            self._quiet,
            lambda: EXPIRY,
            self.clock,
            lambda: self.lends,
        )

    def _heard(self, event: Event) -> None:
        self.hear.get(type(event), lambda _: None)(event)

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
    await running.stage.prepare(first)
    await running.stage.show(book(first))
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


def with_turn_at(second: Candidate, ts_ns: int) -> Candidate:
    """The second one as a canary whose turn it is at an instant; the name decides that."""
    stretch = ts_ns // STRETCH_NS
    names = (f"canary-{k}" for k in range(1_000))
    name = next(each for each in names if is_turn(each, SYMBOL, stretch))
    return msgspec.structs.replace(second, candidate_id=name, state=State.CANARY)


def with_challenger(champion: Candidate, challenger: Candidate) -> Book:
    """A champion, and somebody beside it."""
    return Book(
        {each.candidate_id: each for each in (champion, challenger)},
        {
            (SYMBOL, Alias.CHAMPION): champion.candidate_id,
            (SYMBOL, Alias.CHALLENGER): challenger.candidate_id,
        },
    )


async def test_a_canary_decides_its_turns_and_nothing_else(course):
    """Forecasts are its own in its stretches; learning hears the champion at every bar all along.

    Beside it runs the same market without a canary, which says what the champion would have said.
    """
    first, second = two(course)
    canary = with_turn_at(second, course.live[0].ts_ns)
    end_ns = (course.live[0].ts_ns // STRETCH_NS + 1) * STRETCH_NS + 60 * NS_PER_SECOND
    running, plain = Running(course), Running(course)
    heard = {run: [] for run in (running, plain)}
    for run, notes in heard.items():
        listener = BarListener(run.runner.floor.lanes, notes.append)
        for kind, hear in (
            (MarketDataReceived, listener.on_tick),
            (BarClosed, listener.on_bar),
            (ForecastMade, listener.on_forecast),
        ):
            run.hear[kind] = hear
    await running.stage.show(with_challenger(first, canary))
    by: dict[bool, set[str]] = {True: set(), False: set()}
    for tick in itertools.takewhile(lambda each: each.ts_ns < end_ns, course.live):
        running.runner.on_tick(tick)
        plain.runner.on_tick(tick)
        is_on = is_turn(canary.candidate_id, SYMBOL, tick.ts_ns // STRETCH_NS)
        votes = running.forecasts[-1].forecast.votes
        by[is_on].add(candidate_id_of([vote.model_id for vote in votes]))

    assert by[True] == {candidate_id_of(second.model_ids)}
    assert by[False] == {first.candidate_id}
    said = [told.note().forecast for told in heard[running]]
    assert said == [told.note().forecast for told in heard[plain]]
    assert len(said) > 5
    replayer = RecordReplayer(course.registry, {SYMBOL: course.instrument})
    taken = [
        msgspec.convert(event.record, DecisionRecord)
        for event in running.decisions
        if event.record["candidate_id"] == candidate_id_of(second.model_ids)
    ]
    assert taken
    for record in taken:
        assert (await replayer.replay(record)).differences == ()


async def test_a_canary_comes_and_goes_with_its_state(course):
    """Nobody but a canary has turns; promoted it serves with its memory, and nothing is loaded."""
    running = Running(course)
    first, second = two(course)
    for tick in course.live[:200]:
        running.runner.on_tick(tick)
    shadow = msgspec.structs.replace(second, state=State.SHADOW)
    await running.stage.show(with_challenger(first, shadow))
    assert running.lane.canary is None
    canary = msgspec.structs.replace(second, state=State.CANARY)
    await running.stage.show(with_challenger(first, canary))
    assert running.lane.canary is not None
    assert running.lane.canary.standing.candidate_id == canary.candidate_id
    ensemble, openings = running.lane.canary.ensemble, running.openings
    await running.stage.show(with_challenger(first, canary))
    assert running.lane.canary.ensemble is ensemble
    warm = ensemble.state_bytes()
    await running.stage.show(book(second, first))
    assert running.lane.canary is None
    assert running.lane.ensemble is ensemble
    assert ensemble.state_bytes() == warm
    assert running.openings == openings


async def test_canaries_can_be_forbidden(course):
    """`learning.canaries_trade` takes the turns away from the next look on."""
    running = Running(course)
    first, second = two(course)
    canary = msgspec.structs.replace(second, state=State.CANARY)
    await running.stage.show(with_challenger(first, canary))
    assert running.lane.canary is not None
    running.lends = False
    await running.stage.show(with_challenger(first, canary))
    assert running.lane.canary is None


def test_a_canary_has_one_stretch_in_ten_at_all_hours():
    """Exactly one in each ten; over 6,000 days each of the twelve stretches of a day gets a tenth.

    The count of a stretch is binomial about: 600 with σ = 23; five σ are 116.
    """
    turns = np.array([is_turn("c", SYMBOL, k) for k in range(72_000)])
    assert (turns.reshape(-1, 10).sum(axis=1) == 1).all()
    assert (np.abs(turns.reshape(-1, 12).sum(axis=0) - 600) < 116).all()
    other = np.array([is_turn("d", SYMBOL, k) for k in range(72_000)])
    assert (turns & other).sum() < 1_000  # 720 expected when two are drawn apart
