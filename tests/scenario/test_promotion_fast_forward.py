"""A challenger's way up on a fast-forwarded market: shadow, canary that trades, champion, rollback.

Everything is real except the database: ticks run through the pipeline, the learning loop labels
what was forecast, its judgements move candidates by the rules and gates of the life cycle, and the
lanes change who forecasts. The market has planted drift; the champion was trained where there was
none. Weeks pass in seconds.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from model_fixtures import request

from plan2.bench.path import Course, quiet_runner
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.foundation.events.market import BarClosed, MarketDataReceived
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, Tick, TickBlock
from plan2.intelligence.decision.policy import edge_of, verdict_of
from plan2.intelligence.decision.record import Reason
from plan2.intelligence.events import ForecastMade
from plan2.intelligence.learning.acting import WATCHED, Actor
from plan2.intelligence.learning.evidence import LoopEvidence
from plan2.intelligence.learning.listening import BarListener, Told
from plan2.intelligence.learning.loop import LearningLoop, LoopPlan
from plan2.intelligence.learning.retraining import RetrainingRules
from plan2.intelligence.models.candidate_files import candidate_id_of
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.gates import findings
from plan2.intelligence.models.lifecycle import Alias, Candidate, Move, State
from plan2.intelligence.models.moves import Book, Plan, plan_move, plan_rollback
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.standing import Expiry
from plan2.intelligence.swap import LaneStage
from plan2.intelligence.training.labels import LabelRules
from plan2.intelligence.training.report import metrics_of
from plan2.intelligence.training.train import train

pytestmark = pytest.mark.slow
pytest.importorskip("torch")

SYMBOL = "EURUSD"
HORIZON_MINUTES = 60
MONDAY_NS = 1_704_067_200 * NS_PER_SECOND  # 2024-01-01
TICK_S = 30
TRAIN_DAYS, WARM_DAYS, LIVE_DAYS = 12, 2, 24
ACT_EVERY = 10
"""Closed bars between two looks of whoever acts; the product looks after each."""
STRENGTH = 3.0
EXPIRY = Expiry(days=365, suspend_days=730)


def drifting(seed: int, first_day: int, days: int, strength: float) -> TickBlock:
    """A tick every half a minute, 0.6 % a day; a hidden drift keeps its side for hours.

    `strength`: the drift of an hour in its standard deviations, 0 = a random walk.
    """
    rng = np.random.default_rng(seed)
    count = days * 86_400 // TICK_S
    per_hour = 3_600 // TICK_S
    sigma = 0.006 / np.sqrt(86_400 / TICK_S)
    flips = rng.random(count) < 1 / (4 * per_hour)
    side = np.where(np.cumsum(flips) % 2, 1.0, -1.0)
    drift = strength * sigma * np.sqrt(per_hour) / per_hour
    mid = 1.1 * np.exp(np.cumsum(rng.normal(0.0, sigma, count) + drift * side))
    ts_ns = MONDAY_NS + first_day * NS_PER_DAY + np.arange(count) * TICK_S * NS_PER_SECOND
    bid = np.round(mid, 5)
    return TickBlock(SYMBOL, ts_ns.astype(np.int64), bid, bid + 2e-5)


class Memory:
    """The life cycle without a database: the real plans, gates and lanes."""

    def __init__(self, stage: LaneStage, evidence: LoopEvidence, *known: Candidate) -> None:
        self.stage, self.evidence = stage, evidence
        self.moves: list[Move] = []
        (champion,) = [each for each in known if each.state is State.CHAMPION]
        self.book = Book(
            {each.candidate_id: each for each in known},
            {(SYMBOL, Alias.CHAMPION): champion.candidate_id},
        )

    def candidates(self) -> Sequence[Candidate]:
        """All of them."""
        return list(self.book.candidates.values())

    def candidate(self, candidate_id: str) -> Candidate | None:
        """One of them."""
        return self.book.candidates.get(candidate_id)

    def holder(self, symbol: str, alias: Alias) -> Candidate | None:
        """Who holds an alias."""
        return self.candidate(self.book.holders.get((symbol, alias), ""))

    async def move(self, move: Move) -> Candidate:
        """By the gates, all but the one on this machine's speed."""
        moved = self.book.candidates[move.candidate_id]
        watched = self.evidence.of(move.candidate_id)
        unmet = [
            each.sentence
            for each in findings(moved, move.to, watched)
            if not each.is_met and each.name != "latency"
        ]
        if unmet:
            raise InputError("; ".join(unmet))
        await self.carry_out(plan_move(self.book, moved, move.to))
        self.moves.append(move)
        return self.book.candidates[move.candidate_id]

    async def carry_out(self, plan: Plan) -> None:
        """Change states and aliases together, then the lanes."""
        known = dict(self.book.candidates)
        for change in plan.changes:
            before = known[change.candidate_id]
            known[change.candidate_id] = msgspec.structs.replace(before, state=change.to)
        holders = {**self.book.holders, **plan.seats}
        self.book = Book(known, {seat: name for seat, name in holders.items() if name})
        await self.stage.show(self.book)


class Fast:
    """A warm market, its learning loop, and whoever acts on it."""

    def __init__(self, course: Course, challenger: Candidate, champion: Candidate) -> None:
        self.bus, self.told, self.record = Bus(), [], []
        self.bars = 0
        self.said: set[str] = set()
        self.listener: BarListener | None = None
        for kind in (MarketDataReceived, BarClosed, ForecastMade):
            self.bus.subscribe(kind, self._hear)
        self.runner = quiet_runner(course, Settings(), self.bus)
        lanes = self.runner.floor.lanes
        self.listener = BarListener(lanes, self.told.append)
        clock = SimulatedClock(course.live[0].ts_ns)
        self.stage = LaneStage(lanes, course.registry, _at_once, lambda: EXPIRY, clock)
        self.evidence = LoopEvidence(lambda: 0)
        self.lifecycle = Memory(self.stage, self.evidence, challenger, champion)
        self.loop = LearningLoop(self._plan(course))
        self.evidence.loop = self.loop
        self.actor = Actor(self.loop, self.lifecycle, self.record.append, lambda _cause: False)

    def _hear(self, event: object) -> None:
        if self.listener is None:
            return
        hear = {
            MarketDataReceived: self.listener.on_tick,
            BarClosed: self.listener.on_bar,
            ForecastMade: self.listener.on_forecast,
        }
        hear[type(event)](event)
        if isinstance(event, ForecastMade) and event.forecast.votes:
            self.said.add(candidate_id_of([vote.model_id for vote in event.forecast.votes]))

    def _plan(self, course: Course) -> LoopPlan:
        return LoopPlan(
            instruments={SYMBOL: course.instrument},
            rules=LabelRules(horizon_s=HORIZON_MINUTES * 60),
            champion_of=lambda symbol: _id_of(self.lifecycle.holder(symbol, Alias.CHAMPION)),
            metrics=lambda name: self.lifecycle.book.candidates[name].metrics,
            worth=lambda tick, forecast: _worth(tick, forecast, course.instrument),
            record=self.record.append,
            retraining=RetrainingRules(),
        )

    async def play(self, ticks: Sequence[Tick], until: State | None = None) -> int:
        """Ticks until the challenger is there, or all of them; how many were played."""
        name = next(iter(self.lifecycle.book.candidates.values())).candidate_id
        for number, tick in enumerate(ticks):
            self.runner.on_tick(tick)
            if not self.told:
                continue
            self._learn()
            self.bars += 1
            if self.bars % ACT_EVERY:
                continue
            await self._follow()
            await self.actor.act()
            if until is not None and self.lifecycle.book.candidates[name].state is until:
                return number + 1
        return len(ticks)

    def _learn(self) -> None:
        told: list[Told] = list(self.told)
        self.told.clear()
        for each in told:
            self.loop.take(each.note())

    async def _follow(self) -> None:
        watched = [each for each in self.lifecycle.candidates() if each.state in WATCHED]
        self.loop.shadows.keep({each.candidate_id for each in watched})
        for each in watched:
            if each.candidate_id not in self.loop.shadows.candidate_ids:
                self.loop.shadows.put(each.candidate_id, await self.stage.beside(each))

    def speakers(self) -> set[str]:
        """Whose forecasts accounts were given so far, and forget it."""
        found, self.said = self.said, set()
        return found


async def _at_once() -> None:
    """No moment has to be waited for."""


def _worth(tick: Tick, forecast: Forecast, instrument: Instrument) -> str:
    """As the product asks: whoever knows nothing does not act, and loses nothing by it."""
    reason = verdict_of(edge_of(tick, forecast, instrument, 1.0, Settings().decision))
    return "" if reason is Reason.EXPECTED_VALUE else reason.value


def _id_of(candidate: Candidate | None) -> str:
    return candidate.candidate_id if candidate is not None else ""


def trained(registry: Registry, seed: int, strength: float, state: State) -> Candidate:
    """A candidate of one tree model, trained on twelve days before the market begins."""
    block = drifting(seed, -TRAIN_DAYS - WARM_DAYS, TRAIN_DAYS, strength)
    asked = request((SYMBOL,), families=("xgboost",), horizon_minutes=HORIZON_MINUTES)
    report = train(asked, {SYMBOL: [block]}, lambda *_: None)
    model_ids = tuple(registry.register(model) for model in report.models)
    if state is State.CHAMPION:
        registry.promote((SYMBOL,), model_ids, 0)
    return Candidate(
        candidate_id=candidate_id_of(model_ids), symbols=(SYMBOL,), model_ids=model_ids,
        schema_id=asked.plan().schema_id, state=state, created_ns=MONDAY_NS, since_ns=0,
        verdict=report.verdict, flags=(), metrics=metrics_of(report.ensemble),
    )  # fmt: skip


async def test_a_challenger_is_promoted_and_rolled_back(tmp_path) -> None:
    """Two weeks in the shadow, turns as a canary, proof, champion; then back within a second."""
    registry = Registry(tmp_path / "models")
    challenger = trained(registry, 1, STRENGTH, State.VALIDATED)
    champion = trained(registry, 2, 0.0, State.CHAMPION)
    block = drifting(3, -WARM_DAYS, WARM_DAYS + LIVE_DAYS, STRENGTH)
    cut = WARM_DAYS * 86_400 // TICK_S
    live = block.slice(cut, len(block))
    rows = zip(live.ts_ns.tolist(), live.bid.tolist(), live.ask.tolist(), strict=True)
    ticks = [Tick(SYMBOL, *row, number) for number, row in enumerate(rows)]
    instrument = instruments((SYMBOL,), 30.0)[SYMBOL]
    fast = Fast(Course(block.slice(0, cut), ticks, registry, instrument), challenger, champion)

    at = await fast.play(ticks, State.CANARY)
    days = (ticks[at - 1].ts_ns - ticks[0].ts_ns) / NS_PER_DAY
    assert 14 <= days < 21
    assert fast.speakers() == {champion.candidate_id}
    lane = fast.runner.floor.lanes[SYMBOL]
    assert lane.canary is not None

    at += await fast.play(ticks[at:], State.CHAMPION)
    assert fast.lifecycle.holder(SYMBOL, Alias.CHAMPION).candidate_id == challenger.candidate_id
    assert lane.canary is None
    assert candidate_id_of(lane.ensemble.model_ids) == challenger.candidate_id
    assert [move.to for move in fast.lifecycle.moves] == [
        State.SHADOW,
        State.CANARY,
        State.CHAMPION,
    ]
    figures = dict(each.split("=") for each in fast.lifecycle.moves[-1].evidence)
    assert float(figures["e_value"]) >= 20.0

    fast.speakers()
    await fast.play(ticks[at : at + 2 * 86_400 // TICK_S])
    assert fast.speakers() == {challenger.candidate_id}
    await fast.lifecycle.carry_out(plan_rollback(fast.lifecycle.book, SYMBOL))
    assert candidate_id_of(lane.ensemble.model_ids) == champion.candidate_id
    await fast.play(ticks[at + 2 * 86_400 // TICK_S :][: 86_400 // TICK_S])
    assert fast.speakers() == {champion.candidate_id}
