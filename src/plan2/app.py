"""The composition root of `plan2 serve`: the only place that reads the whole configuration.

`serve` is the order of things: database, market, books, models, then everything that runs.
`Process` names the concrete classes, `_components` says what is supervised. The trading part of the
wiring is in `assembly.py`, what people see in `front.py`.
"""

import asyncio
import gc
from collections.abc import Callable

import msgspec
import numpy as np

import plan2
from plan2.connectivity.gateway.server import bind
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.feed_watch import FeedWatch
from plan2.dataflow.quarantine import QuarantineWriter
from plan2.dataflow.recorder import Recorder
from plan2.foundation import log
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import JournalLost, Plan2Error
from plan2.foundation.events.base import Event
from plan2.foundation.events.market import MarketDataReceived
from plan2.foundation.events.system import SystemStarted, SystemStopped
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.health import HealthBoard
from plan2.foundation.hub import Component, Hub
from plan2.foundation.ids import RandomIds
from plan2.foundation.latency import Latency
from plan2.foundation.loop import LoopLag, until_stopped
from plan2.foundation.metrics import Metrics
from plan2.foundation.scheduler import Scheduler
from plan2.foundation.storage import open_database
from plan2.intelligence.trading.kill_file import FILE_NAME
from plan2.intelligence.warm_state import WarmState
from plan2.wiring.address import Address
from plan2.wiring.announcing import Observations, told_at_start
from plan2.wiring.assembly import Floor, Means, floor_on
from plan2.wiring.calendar_watch import CalendarWatch
from plan2.wiring.candidates import Candidates
from plan2.wiring.chores import Chores
from plan2.wiring.doorway import Doorway
from plan2.wiring.first_start import FirstStart
from plan2.wiring.flows import Flows
from plan2.wiring.hosting import HostPlan, host
from plan2.wiring.installation import Installation, open_installation
from plan2.wiring.learning import Learning
from plan2.wiring.live_comparison import ComparisonJob
from plan2.wiring.market_run import MarketRun
from plan2.wiring.markets import REPLAY, SIMULATED, Gate, ReplayWindow
from plan2.wiring.opening import OpenedMarket, open_market
from plan2.wiring.situations import equip
from plan2.wiring.tenant_run import TenantRun

Say = Callable[[str], None]

APPENDER_COMFORT = 20_000
"""Events waiting for the database beyond which a replay at full speed makes a pause."""
FLUSH_S = 15.0
"""How long a stop waits for the database."""


class ServeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve: the configuration, and a replay instead of the configured market."""

    loaded: Loaded
    replay: ReplayWindow | None = None


async def serve(request: ServeRequest, say: Say) -> None:
    """Run until SIGINT or SIGTERM; every step is told to `say`, the address last.

    Raises:
        Plan2Error: something that a person has to put right; nothing is left running.
    """
    settings = request.loaded.settings
    run_id = RandomIds().next_id("run")
    log.configure(settings.log, LiveClock(), run_id)
    bind(settings.server.host, settings.server.port).close()
    folder = data_dir(settings)
    folder.mkdir(parents=True, exist_ok=True)
    say(f"Data folder: {folder}")
    gate = Gate()
    async with (
        open_database(settings, say) as database,
        open_market(
            request.replay, settings, gate, Doorway(database, settings.server), say
        ) as opened,
    ):
        installation = await open_installation(request.loaded, database, opened.market.home)
        process = Process(installation, opened, gate, run_id, say)
        try:
            await process.prepare()
            await process.start()
            await until_stopped()
        finally:
            say("Stopping …")
            await process.stop()


class Process:
    """Everything of one run above the database."""

    def __init__(
        self,
        installation: Installation,
        opened: OpenedMarket,
        gate: Gate,
        run_id: str,
        say: Say,
    ) -> None:
        self.loaded, self.settings = installation.loaded, installation.loaded.settings
        self.installation, self.database = installation, installation.database
        self.opened, self.market = opened, opened.market
        self.run_id, self.say = run_id, say
        self.folder = data_dir(self.settings)
        self.bus = Bus()
        self.latency = Latency()
        self.lag = LoopLag(on_beat=self.latency.fold)
        seal = installation.sealing(MAIN_TENANT).seal
        self.main = TenantRun(MAIN_TENANT, self.folder, self.database, seal, say)
        installation.write_through(self.main.appender)
        self.board = HealthBoard(LiveClock(), self.main.bus, self.lag.p99_ms)
        self.metrics = Metrics(self.latency)
        self.kept = WarmState(self.market.home / "state" / self.market.account_id)
        self.scheduler = Scheduler(LiveClock())
        self.hub = Hub(self.board, self.halt, np.random.default_rng())
        self.local = LocalAccess(self.folder, MAIN_TENANT)
        self.gate = gate
        self.has_started = False

    # --- before the first component runs --------------------------------------------------

    async def prepare(self) -> None:
        """History and models, books, features, page: all that a first tick needs."""
        self.say(self.market.label)
        await self.installation.long_work.recover(MAIN_TENANT)
        if self.market.mode == SIMULATED:
            first = FirstStart(self.market, self.settings, self.installation.long_work, self.say)
            await first.prepare()
        self.learning = Learning(self.installation, self.market, self.main.appender)
        self.candidates = Candidates(
            self.installation, self.market, self.main.appender, self.learning.evidence
        )
        await self.candidates.open()
        self.floor = self._build_floor()
        await self.candidates.attach(self.floor)
        terms = self.installation.flow_terms(MAIN_TENANT)
        self.main.take(self.floor.account, self.market, (self.folder / FILE_NAME,), terms)
        await self.main.recover()
        self.market_run = MarketRun(
            self.market, self.floor, self.main, self.kept, self.gate, self.say
        )
        await self.market_run.warm_up()
        await self.learning.attach(self.candidates, self.floor, self.bus)
        gates = {symbol: lane.quality for symbol, lane in self.floor.lanes.items()}
        stale_after_ms = self.settings.market.stale_after_ms
        self.feeds = FeedWatch(gates, self.bus, self.market.clock, stale_after_ms)
        await self._host()
        self.chores = Chores(
            floor=self.floor,
            runs=self.runs,
            database=self.database,
            kept=self.kept,
            quarantine=QuarantineWriter(self.market.home),
            clock=LiveClock(),
        )
        Observations(self.floor.pipeline, self.main.appender).listen(self.bus)
        self.recorder = Recorder(
            TickArchive(self.market.home / "archive"), on_trouble=self.on_recorder_trouble
        )
        if self.market.mode != REPLAY:
            self.bus.subscribe(MarketDataReceived, self.recorder.on_market_data)
        self.main.appender.on_stored(lambda stored: self.metrics.event_appends.add(stored.type))
        self.bus.seal()
        self.main.bus.seal()

    def _build_floor(self) -> Floor:
        means = Means(
            tenant_id=MAIN_TENANT,
            bus=self.main.bus,
            market_bus=self.bus,
            latency=self.latency,
            journal=self.main.journal,
            sink=self.main.sink,
            on_fault=lambda fault: self.halt(str(fault)),
        )
        settings, config_hash = self.installation.effective(MAIN_TENANT)
        loaded = msgspec.structs.replace(self.loaded, settings=settings, config_hash=config_hash)
        floor = floor_on(self.market, loaded, means)
        if self.market.mode != REPLAY:  # a replayed past must not know what came after it
            equip(floor.lanes, self.market.home)
        return floor

    async def _host(self) -> None:
        """People, desks, streams and the page; the buses must not be sealed yet."""
        hosted = await host(
            HostPlan(
                run_id=self.run_id,
                installation=self.installation,
                opened=self.opened,
                main=self.main,
                floor=self.floor,
                bus=self.bus,
                board=self.board,
                metrics=self.metrics,
                latency=self.latency,
                lag=self.lag,
                local=self.local,
                say=self.say,
            )
        )
        self.runs, self.venue = hosted.runs, hosted.venue
        self.contracts = hosted.contracts
        self.gate.waits_for = lambda: (
            self.runs.backlog() >= APPENDER_COMFORT or self.learning.backlog()
        )
        self.address = Address(
            hosted.front, self.opened.doorway, self.local, self.say, self.installation.at
        )

    # --- running --------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every component; the last one prints the address."""
        for component in self._components():
            self.hub.add(component)
        for job in (
            *self.chores.jobs(),
            *self.contracts.jobs(),
            *CalendarWatch(self.floor, self.settings, self.market).jobs(),
            *self.installation.jobs(),
            *self.candidates.jobs(),
            *self.learning.jobs(),
            *ComparisonJob(self.loaded, self.market.clock, self._flows).jobs(),
        ):
            self.scheduler.add(job)
        await self.hub.start()
        self.has_started = True
        self.note(
            SystemStarted(
                ts_ns=LiveClock().now_ns(),
                run_id=self.run_id,
                version=plan2.__version__,
                mode=self.market.mode,
                config_hash=self.loaded.config_hash,
            )
        )
        for new in told_at_start(self.settings, self.market.home):
            self.main.appender.put(new)
        gc.freeze()  # what stays for good is never looked through again: that took 0.1 s of a tick

    def _flows(self) -> list[Flows]:
        """Those of every tenant that is open now, the main one's first."""
        return [run.flows for run in self.runs.all()]

    def _components(self) -> list[Component]:
        return [
            Component(name="loop_lag", level=1, run=self.lag.run, check=self.lag.check),
            Component(
                name="scheduler",
                level=1,
                start=self.scheduler.start,
                stop=self.scheduler.stop,
                check=self.scheduler.check,
            ),
            Component(name="recorder", level=3, start=self.recorder.start, stop=self.recorder.stop),
            Component(
                name="market",
                level=4,
                start=lambda: self.market_run.start(self.venue),
                run=lambda: self.market_run.follow(self.venue),
                stop=self._stop_market,
                needs=("event_store",),
                critical=True,
            ),
            *self.candidates.components(),
            *self.learning.components(),
            Component(name="feeds", level=3, run=self.feeds.run, check=self.feeds.check),
            Component(
                name="gateway",
                level=5,
                run=self.address.run,
                stop=self.address.stop,
                needs=("views",),
            ),
            Component(
                name="tenants",
                level=5,
                run=self.runs.run,
                stop=self.runs.stop,
                check=self.runs.check,
                needs=("market",),
            ),
            *self.main.components(),
            *self.installation.components(),
            *self.opened.components(self.halt),
        ]

    async def _stop_market(self) -> None:
        await self.market_run.stop()
        await self.chores.keep_warm_state()

    # --- jobs, faults, end ----------------------------------------------------------------

    def halt(self, reason: str) -> None:
        """Stop every tenant from opening positions; only people resume."""
        for run in self.runs.all():
            run.halt(reason)

    def on_recorder_trouble(self, error: Plan2Error) -> None:
        """Ticks could not be archived; trading does not depend on it."""
        log.logger("app").error("ticks_not_recorded", reason=str(error))

    def note(self, event: Event, stream: str = "system") -> None:
        """Write down a fact about the process."""
        event_id = RandomIds().next_id("event")
        self.main.appender.put(NewEvent(stream_id=stream, event=event, event_id=event_id))

    async def stop(self) -> None:
        """Stop the market, store what is acknowledged, then stop everything in reverse order."""
        if self.has_started:
            await self._stop_market()
            stopped = SystemStopped(
                ts_ns=LiveClock().now_ns(), run_id=self.run_id, reason="asked to stop"
            )
            self.note(stopped)
            await self.installation.close()
            await self._flush()
            await self.installation.governance.close()
        await self.installation.long_work.interrupt()
        for name in await self.hub.stop():
            self.say(f"{name} did not stop in time")

    async def _flush(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_S):
                await self.main.appender.flush()
        except (TimeoutError, JournalLost) as error:
            self.say(
                f"{len(self.main.appender)} events could not be stored ({error}); those of orders "
                "are in the order journal and are stored at the next start."
            )
