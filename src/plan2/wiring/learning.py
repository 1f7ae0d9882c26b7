"""Wires the learning loop to the market that is served: bus, log, candidates, lanes, training.

Notes of closed bars wait in a bounded mailbox and are taken one by one by a component of its own,
off the tick path. A replay is watched only: it must decide as it did, whatever came of it.
"""

import asyncio
from collections.abc import Mapping

import msgspec
import numpy as np

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.jobs.service import SYSTEM
from plan2.foundation.bus import Bus, Mailbox, Overflow
from plan2.foundation.config.schema import Learning as LearningConfig
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import ModelMismatch, TerminalUnavailable
from plan2.foundation.events.base import Event
from plan2.foundation.events.learning import FeatureDriftMeasured, ForecastSampled
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.health import Health, Status
from plan2.foundation.hub import Component
from plan2.foundation.ids import derived_id
from plan2.foundation.log import logger
from plan2.foundation.scheduler import Job
from plan2.foundation.values import Tick
from plan2.intelligence.decision.policy import edge_of, verdict_of
from plan2.intelligence.decision.record import Reason
from plan2.intelligence.learning.acting import WATCHED, Actor
from plan2.intelligence.learning.evidence import LoopEvidence
from plan2.intelligence.learning.listening import BarListener, Told
from plan2.intelligence.learning.loop import UNMATCHED_MAX, LearningLoop, LoopPlan
from plan2.intelligence.learning.retraining import RetrainingRules
from plan2.intelligence.learning.skew import EngineStates
from plan2.intelligence.models.ensemble import IDENTITY, Ensemble
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.lifecycle import Alias, Candidate
from plan2.intelligence.training.job import NAME as TRAIN
from plan2.intelligence.training.job import usual_wish
from plan2.intelligence.training.labels import LabelRules, Tape
from plan2.wiring.assembly import Floor
from plan2.wiring.candidates import Candidates
from plan2.wiring.feature_drift import DriftJob
from plan2.wiring.installation import Installation
from plan2.wiring.learning_log import restored_events, stream_of
from plan2.wiring.learning_states import StateKeeper
from plan2.wiring.markets import REPLAY, Market
from plan2.wiring.skew import SkewJob, states_folder

BACKLOG_MAX = 2_000
"""Closed bars that may wait; beyond that the oldest are lost, and the outcomes with them."""
BACKLOG_COMFORT = 200
SEED = 1
NO_TICKS = Tape(np.empty(0, np.int64), np.empty(0), np.empty(0))


class Learning:
    """The learning loop of the served market; its facts go into the main tenant's log."""

    def __init__(self, installation: Installation, market: Market, appender: Appender) -> None:
        self._installation = installation
        self._market = market
        self._appender = appender
        self._told: Mailbox[Told] = Mailbox(BACKLOG_MAX, Overflow.DROP_OLDEST)
        self._dropped = 0
        self._training: asyncio.Task[None] | None = None
        self.skew = SkewJob(installation.loaded, market, self._record)
        self.drift = DriftJob(installation.loaded, market, self._drifted)
        self.evidence = LoopEvidence(lambda: self.skew.mismatches)

    @property
    def config(self) -> LearningConfig:
        """The settings of now."""
        return self._installation.effective(MAIN_TENANT)[0].learning

    @property
    def is_watching_only(self) -> bool:
        """Whether nothing may follow from what is learnt."""
        return self._market.mode == REPLAY

    @property
    def skew_mismatches(self) -> int:
        """See `LearningState`."""
        return self.skew.mismatches

    def state_of(self, candidate_id: str) -> str:
        """See `LearningState`."""
        found = self._candidates.desk.candidate(candidate_id)
        return found.state.value if found is not None else ""

    def refusal_of(self, candidate_id: str) -> str:
        """See `LearningState`."""
        return self.actor.refused.get(candidate_id, "")

    def backlog(self) -> bool:
        """Whether a market that can wait should."""
        return len(self._told) > BACKLOG_COMFORT

    async def attach(self, candidates: Candidates, floor: Floor, bus: Bus) -> None:
        """Build the loop, read what earlier runs learnt, and listen; the bus is not sealed yet."""
        self._candidates, self._floor = candidates, floor
        self._installation.learning = self
        self.loop = LearningLoop(self._plan())
        self.loop.compile()
        self.evidence.loop = self.loop
        self.actor = Actor(
            self.loop, candidates.desk, self._record, self._retrain, lambda: self.skew.mismatches
        )
        folder = states_folder(self._market.home, self._market.account_id)
        self._states = StateKeeper(EngineStates(folder), floor.pipeline)
        candidates.stage.watched_by(self._states.look)
        if not self.is_watching_only:
            candidates.stage.heed(self.loop.ledger.size_factor)
            await self._restore()
            self._apply()
        BarListener(floor.lanes, self._told.put).listen(bus)

    def components(self) -> tuple[Component, ...]:
        """The one that takes notes."""
        return (
            Component(name="learning", level=4, run=self.run, stop=self.stop, check=self.check),
        )

    def jobs(self) -> list[Job]:
        """What is done again and again."""
        hour, minute = self.config.skew_at.split(":")
        return [Job("measure_features", self._measure_features, f"{int(minute)} {int(hour)} * * *")]

    async def run(self) -> None:
        """Take notes as they come, and act on what follows, until cancelled."""
        while True:
            for told in await self._told.take(1):
                self._take(told)
            if not self.is_watching_only:
                await self._follow_candidates()
                await self.actor.act()
                self._apply()
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """End a training that runs for us; the next start asks again."""
        if self._training is not None:
            self._training.cancel()
            await asyncio.gather(self._training, return_exceptions=True)

    def check(self) -> Health:
        """Signals that are active, outcomes that were not joined, moves that were refused."""
        words = [
            f"{symbol}: {', '.join(sorted(watch.active))}"
            for symbol, watch in self.loop.ledger.watches.items()
            if watch.active
        ]
        unmatched = self.loop.unmatched
        if unmatched is not None and unmatched > UNMATCHED_MAX:
            words.append(f"{unmatched:.1%} of outcomes were not joined in time")
        if self.skew.mismatches:
            words.append(f"{self.skew.mismatches} served vectors differ from their replay")
        status = Status.DEGRADED if words else Status.OK
        waiting = sum(watch.waiting for watch in self.loop.outcomes.values())
        return Health(status, "; ".join(words), {"waiting": float(waiting)})

    # --- between bars -----------------------------------------------------------------------

    def _take(self, told: Told) -> None:
        if self._told.dropped > self._dropped:
            self._dropped = self._told.dropped
            self.loop.lose("learning fell behind the market")
        self._states.on_bar(told.ticks[-1])
        self.loop.take(told.note())

    async def _follow_candidates(self) -> None:
        """Seat new challengers, and let go of those that are watched no more."""
        watched = [each for each in self._candidates.desk.candidates() if each.state in WATCHED]
        self.loop.shadows.keep({each.candidate_id for each in watched})
        for candidate in watched:
            if candidate.candidate_id not in self.loop.shadows.candidate_ids:
                self.loop.shadows.put(candidate.candidate_id, await self._beside(candidate))

    async def _beside(self, candidate: Candidate) -> list[Ensemble]:
        """Its models; none when they cannot be served, which is told once."""
        try:
            return await self._candidates.stage.beside(candidate)
        except ModelMismatch as error:
            name = candidate.candidate_id
            logger("learning").error("not_servable", candidate=name, reason=str(error))
            return []

    def _apply(self) -> None:
        """Put live calibrations, size factors and the width of the novelty veto in force."""
        ledger, desk = self.loop.ledger, self._candidates.desk
        for symbol, lane in self._floor.lanes.items():
            holder = desk.holder(symbol, Alias.CHAMPION)
            is_its_own = holder is not None and ledger.champions.get(symbol) == holder.candidate_id
            line = ledger.line(symbol) if is_its_own else IDENTITY
            if lane.ensemble is not None and lane.ensemble.line != line:
                lane.ensemble.calibrate(line)
            lane.situations.is_widened = ledger.widens_novelty(symbol)
        self._candidates.stage.judge(desk.book)

    # --- what the loop is given --------------------------------------------------------------

    def _plan(self) -> LoopPlan:
        settings = self._installation.effective(MAIN_TENANT)[0]
        config = settings.learning
        return LoopPlan(
            instruments=self._market.instruments,
            rules=LabelRules(
                horizon_s=settings.models.horizon_minutes * 60,
                bar_period_s=settings.market.bar_period_s,
            ),
            champion_of=self._champion_of,
            metrics=self._metrics_of,
            worth=self._worth,
            record=self._record,
            retraining=RetrainingRules(
                every_days=config.retrain_every_days,
                labels_new=config.retrain_labels,
                pause_hours=config.retrain_pause_hours,
            ),
            refits=config.refit_calibration and not self.is_watching_only,
            seed=SEED,
        )

    def _champion_of(self, symbol: str) -> str:
        holder = self._candidates.desk.holder(symbol, Alias.CHAMPION)
        return holder.candidate_id if holder is not None else ""

    def _metrics_of(self, candidate_id: str) -> Mapping[str, float]:
        found: Candidate | None = self._candidates.desk.candidate(candidate_id)
        return found.metrics if found is not None else {}

    def _worth(self, tick: Tick, forecast: Forecast) -> str:
        """Whether the main account's rules would act on a forecast, as `decide` does."""
        if forecast.abstained:
            return forecast.abstained
        instrument = self._market.instruments[tick.symbol]
        rate = self._floor.account.rates.rate(instrument.quote)
        if not rate > 0.0:
            return Reason.NO_RATE.value
        config = self._installation.effective(MAIN_TENANT)[0].decision
        reason = verdict_of(edge_of(tick, forecast, instrument, rate, config))
        return "" if reason is Reason.EXPECTED_VALUE else reason.value

    async def _measure_features(self) -> None:
        """Skew, then drift: one child at a time beside the market."""
        await self.skew.measure()
        desk = self._candidates.desk
        holders = {symbol: desk.holder(symbol, Alias.CHAMPION) for symbol in self._market.symbols}
        await self.drift.measure({s: each for s, each in holders.items() if each is not None})

    def _drifted(self, found: FeatureDriftMeasured) -> None:
        """Take a measurement up, unless another champion has come to serve meanwhile."""
        if self._champion_of(found.symbol) != found.candidate_id:
            return
        if self.is_watching_only:
            self._record(found)
        else:
            self.loop.measured(found)

    def _record(self, event: Event) -> None:
        """Into the log under an id made of the content: once, however often it is said."""
        symbol = str(getattr(event, "symbol", "all"))
        stream = stream_of(self._market.mode, symbol)
        event_id = derived_id(type(event).__name__, stream, repr(event))
        self._appender.put(NewEvent(stream_id=stream, event=event, event_id=event_id))

    # --- restart ------------------------------------------------------------------------------

    async def _restore(self) -> None:
        """Fold what earlier runs stored, and go on waiting for what was not resolved."""
        store, market = self._installation.database.store, self._market
        now_ns = market.clock.now_ns()
        events = await restored_events(store, market.mode, now_ns)
        waiting = self.loop.restore(events)
        for symbol, samples in waiting.items():
            if samples:
                self.loop.rebuild(symbol, samples, await self._ticks_since(symbol, samples))

    async def _ticks_since(self, symbol: str, samples: list[ForecastSampled]) -> Tape:
        start_ns = min(each.ts_ns for each in samples)
        end_ns = self._market.clock.now_ns() + 1
        try:
            block = await self._market.terminal.history(symbol, start_ns, end_ns)
        except TerminalUnavailable as error:
            logger("learning").warning("no_history", symbol=symbol, reason=str(error))
            return NO_TICKS
        return Tape(block.ts_ns, block.bid, block.ask)

    # --- training -------------------------------------------------------------------------------

    def _retrain(self, cause: str) -> bool:
        """Start a training as a job; false while one runs or when nobody may."""
        is_running = self._training is not None and not self._training.done()
        if is_running or not self.config.retrain or self.is_watching_only:
            return False
        logger("learning").info("retraining", cause=cause)
        self._training = asyncio.create_task(self._train())
        return True

    async def _train(self) -> None:
        """What comes out is a candidate; the intake takes it up. A failure leaves all as it is."""
        wish = usual_wish(self._market.symbols, self._installation.loaded.settings)
        jobs = self._installation.long_work
        try:
            asked = await jobs.start(MAIN_TENANT, TRAIN, msgspec.to_builtins(wish), SYSTEM)
        except RequestRefused as refused:
            logger("learning").error("retraining_refused", reason=refused.message)
            return
        ended = await jobs.wait(MAIN_TENANT, asked.job_id)
        if ended.failure is not None:
            logger("learning").error("retraining_failed", reason=ended.failure.message)
