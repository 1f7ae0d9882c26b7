"""The composition root of `plan2 serve`: the only place that reads the whole configuration.

`serve` is the order of things: database, market, books, models, then everything that runs.
`Process` names the concrete classes, `_components` says what is supervised. The trading part of the
wiring is in `assembly.py`, what people see in `front.py`.
"""

import asyncio
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
from plan2.foundation.errors import JournalLost, Plan2Error, TerminalUnavailable, Unrecoverable
from plan2.foundation.events.base import Event
from plan2.foundation.events.market import MarketDataReceived
from plan2.foundation.events.system import SystemStarted, SystemStopped
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.health import HealthBoard
from plan2.foundation.hub import Component, Hub
from plan2.foundation.ids import RandomIds
from plan2.foundation.latency import Latency
from plan2.foundation.loop import LoopLag, until_stopped
from plan2.foundation.metrics import Metrics
from plan2.foundation.scheduler import Scheduler
from plan2.foundation.storage import Database, open_database
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.journal import FileJournal
from plan2.intelligence.trading.stored import StoreSink
from plan2.intelligence.warm_state import WarmState
from plan2.interface.views.following import ViewFollowers
from plan2.interface.views.projections import all_views
from plan2.wiring.address import Address
from plan2.wiring.announcing import Observations, told_at_start
from plan2.wiring.assembly import Floor, Means, floor_on
from plan2.wiring.chores import Chores
from plan2.wiring.doorway import Doorway
from plan2.wiring.first_start import prepare_simulated
from plan2.wiring.front import FrontParts, FrontPlan, build_front
from plan2.wiring.markets import REPLAY, SIMULATED, Gate, ReplayWindow
from plan2.wiring.opening import OpenedMarket, open_market
from plan2.wiring.recovery import arm_first_time, recover_books, settle, warm_up
from plan2.wiring.safety import Safety

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
        process = Process(request.loaded, database, opened, gate, run_id, say)
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
        loaded: Loaded,
        database: Database,
        opened: OpenedMarket,
        gate: Gate,
        run_id: str,
        say: Say,
    ) -> None:
        self.loaded, self.settings = loaded, loaded.settings
        self.database, self.opened, self.market = database, opened, opened.market
        self.run_id, self.say = run_id, say
        self.bus = Bus()
        self.latency = Latency()
        self.lag = LoopLag(on_beat=self.latency.fold)
        self.board = HealthBoard(LiveClock(), self.bus, self.lag.p99_ms)
        self.metrics = Metrics(self.latency)
        self.appender = Appender(database.store, MAIN_TENANT, on_refused=self.on_refused)
        self.journal = FileJournal(data_dir(self.settings) / "journal")
        self.kept = WarmState(self.market.home / "state" / self.market.account_id)
        self.scheduler = Scheduler(LiveClock())
        self.hub = Hub(self.board, self.halt, np.random.default_rng())
        self.local = LocalAccess(data_dir(self.settings), MAIN_TENANT)
        self.gate = gate
        gate.waits_for = lambda: len(self.appender) >= APPENDER_COMFORT
        self.folded = 0
        self.has_started = False

    # --- before the first component runs --------------------------------------------------

    async def prepare(self) -> None:
        """History and models, books, features, page: all that a first tick needs."""
        self.say(self.market.label)
        if self.market.mode == SIMULATED:
            await prepare_simulated(self.market, self.loaded, self.say)
        self.floor = self._build_floor()
        self.safety = Safety(self.floor, self.market, data_dir(self.settings), self.say)
        store = self.database.store
        self.folded = await recover_books(
            self.floor, self.journal, store, MAIN_TENANT, self.safety.sagas
        )
        self.say("Warming up the features …")
        await warm_up(self.floor, self.market, self.kept, self.say)
        gates = {symbol: lane.quality for symbol, lane in self.floor.lanes.items()}
        stale_after_ms = self.settings.market.stale_after_ms
        self.feeds = FeedWatch(gates, self.bus, self.market.clock, stale_after_ms)
        self.chores = Chores(
            floor=self.floor,
            database=self.database,
            kept=self.kept,
            quarantine=QuarantineWriter(self.market.home),
            clock=LiveClock(),
        )
        self.metrics.listen(self.bus)
        self.safety.listen(self.bus)
        Observations(self.floor.pipeline, self.appender).listen(self.bus)
        self.recorder = Recorder(
            TickArchive(self.market.home / "archive"), on_trouble=self.on_recorder_trouble
        )
        if self.market.mode != REPLAY:
            self.bus.subscribe(MarketDataReceived, self.recorder.on_market_data)
        self.views = ViewFollowers(store, MAIN_TENANT, all_views())
        self.front = await self._build_front()
        self.address = Address(self.front, self.opened.doorway, self.local, self.say)
        self.appender.on_stored(self.views.on_stored)
        self.appender.on_stored(self.front.interface.hub.on_stored)
        self.appender.on_stored(lambda stored: self.metrics.event_appends.add(stored.type))
        self.bus.seal()

    def _build_floor(self) -> Floor:
        means = Means(
            tenant_id=MAIN_TENANT,
            bus=self.bus,
            latency=self.latency,
            journal=self.journal,
            sink=StoreSink(self.appender),
            on_fault=lambda fault: self.halt(str(fault)),
        )
        return floor_on(self.market, self.loaded, means)

    async def _build_front(self) -> FrontParts:
        return await build_front(
            FrontPlan(
                server=self.settings.server,
                run_id=self.run_id,
                database=self.database,
                market=self.market,
                door=self.opened.door,
                control=self.safety.control,
                local=self.local,
                floor=self.floor,
                bus=self.bus,
                board=self.board,
                metrics=self.metrics,
                latency=self.latency,
                record_sign_in=lambda _, event: self.note(event, f"user:{event.user_id}"),
            )
        )

    # --- running --------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every component; the last one prints the address."""
        for component in self._components():
            self.hub.add(component)
        for job in self.chores.jobs():
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
            self.appender.put(new)

    def _components(self) -> list[Component]:
        return [
            Component(name="loop_lag", level=1, run=self.lag.run, check=self.lag.check),
            Component(
                name="event_store",
                level=1,
                run=self.appender.run,
                stop=self._close_journal,
                critical=True,
            ),
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
                start=self._start_market,
                run=self._follow_market,
                stop=self._stop_market,
                needs=("event_store",),
                critical=True,
            ),
            Component(name="feeds", level=3, run=self.feeds.run, check=self.feeds.check),
            Component(name="views", level=5, start=self.views.start, run=self.views.run),
            Component(name="stream", level=5, run=self.front.interface.hub.run),
            Component(
                name="gateway",
                level=5,
                run=self.address.run,
                stop=self.address.stop,
                needs=("views",),
            ),
            *self.safety.components(),
            *self.opened.components(self.halt),
        ]

    async def _start_market(self) -> None:
        account, safety = self.floor.account, self.safety
        await self.market.terminal.start(self.floor.pipeline)
        try:
            found = await settle(self.floor, self.market, self.folded, safety.reconciler)
        except TerminalUnavailable as error:
            if self.market.is_paper:
                raise
            self.say(f"{error} Trading waits until the books agree with the broker's.")
        else:
            if found.agrees and not safety.kill_file.locks():
                arm_first_time(self.floor, self.market, self.folded)
        await safety.kill_file.hold(safety.control)
        self.say(
            f"Account {self.market.account_id}: {self.folded} events, "
            f"{len(account.positions.open)} open positions, trading {account.state.word}"
        )
        self.gate.is_open = True

    async def _follow_market(self) -> None:
        if not await self.market.wait_end():
            return
        if self.market.finished is not None:
            self.market.finished.touch()
        self.say(f"The market ended after {self.floor.pipeline.ticks:,} ticks.")
        self.say(f"Decisions digest: {self.floor.keeper.digest}")

    async def _stop_market(self) -> None:
        self.gate.is_open = False
        await self.market.terminal.stop()
        await self.chores.keep_warm_state()

    async def _close_journal(self) -> None:
        self.journal.close()

    # --- jobs, faults, end ----------------------------------------------------------------

    def halt(self, reason: str) -> None:
        """Stop opening positions; only a person resumes."""
        log.logger("app").error("trading_halted", reason=reason)
        account, now_ns = self.floor.account, self.market.clock.now_ns()
        try:
            account.set_state(TradingState.HALTED, now_ns, "system", reason)
        except Unrecoverable:
            account.switching.force_halt(now_ns, reason)  # not written down, but it must hold
        self.say(f"TRADING HALTED: {reason}")

    def on_recorder_trouble(self, error: Plan2Error) -> None:
        """Ticks could not be archived; trading does not depend on it."""
        log.logger("app").error("ticks_not_recorded", reason=str(error))

    def on_refused(self, refused: NewEvent, error: Plan2Error) -> None:
        """The event store would not take an event: it is not lost from the journal, and told."""
        log.logger("app").error("event_refused", stream=refused.stream_id, error=str(error))

    def note(self, event: Event, stream: str = "system") -> None:
        """Write down a fact about the process."""
        event_id = RandomIds().next_id("event")
        self.appender.put(NewEvent(stream_id=stream, event=event, event_id=event_id))

    async def stop(self) -> None:
        """Stop the market, store what is acknowledged, then stop everything in reverse order."""
        if self.has_started:
            await self._stop_market()
            stopped = SystemStopped(
                ts_ns=LiveClock().now_ns(), run_id=self.run_id, reason="asked to stop"
            )
            self.note(stopped)
            await self._flush()
        for name in await self.hub.stop():
            self.say(f"{name} did not stop in time")

    async def _flush(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_S):
                await self.appender.flush()
        except (TimeoutError, JournalLost) as error:
            self.say(
                f"{len(self.appender)} events could not be stored ({error}); those of orders are "
                "in the order journal and are stored at the next start."
            )
