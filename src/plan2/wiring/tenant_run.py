"""Everything of one tenant at run time: its log and journal, account, watches, views and desk.

The main tenant and every other one are built from this very class; only where their account's
terminal comes from differs. Nothing here is shared between tenants but what `Shared` names: the
market, its forecasts, the latency histogram.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

import plan2
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.jobs.service import Jobs
from plan2.foundation import log
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import Plan2Error, TerminalUnavailable, Unrecoverable
from plan2.foundation.eventstore.appender import Appender, Seal
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.health import HealthBoard
from plan2.foundation.hub import Component
from plan2.foundation.ids import RandomIds
from plan2.foundation.latency import Latency
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.intelligence.pipeline import Seat
from plan2.intelligence.risk.state import TradingState, rank_of
from plan2.intelligence.risk.switch import Scope, Where
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.journal import SEGMENT_BYTES, FileJournal
from plan2.intelligence.trading.stored import StoreSink
from plan2.intelligence.trading.switching import Change
from plan2.interface.alert_rows import AlertsSource
from plan2.interface.alerts.service import AlertService
from plan2.interface.api.command_desk import Commands
from plan2.interface.api.desk import Desk
from plan2.interface.api.health_report import HealthReport
from plan2.interface.api.order_requests import May, OrderRequests
from plan2.interface.api.ports import RunInfo, TradingSwitches
from plan2.interface.books import AccountBooks
from plan2.interface.job_items import JobsSource
from plan2.interface.live import LiveView, MarketView
from plan2.interface.order_desk import AccountOrderDesk
from plan2.interface.streaming.hub import HubInfo, StreamHub, Timing
from plan2.interface.streaming.sources import MoreRows
from plan2.interface.views.following import ViewFollowers
from plan2.interface.views.projections import all_views
from plan2.interface.views.queries import PostgresViews
from plan2.wiring.alerting import Alerting, LookingAt
from plan2.wiring.assembly import terms_of
from plan2.wiring.assisting import Assisting
from plan2.wiring.flows import Flows, FlowsPlan, FlowTerms
from plan2.wiring.markets import Market
from plan2.wiring.recovery import arm_first_time, recover_books
from plan2.wiring.safety import Safety

Say = Callable[[str], None]
EVERYBODY: Final = Where(Scope.GLOBAL)


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What all tenants of a process have in common.

    `listen` hears of what happens to a tenant, whose account is in the currency that is named.
    """

    run_id: str
    ui_hash: str
    attribution: tuple[str, ...]
    database: Database
    market_view: MarketView
    latency: Latency
    is_live: Callable[[Session], bool]
    everywhere: TradingSwitches
    may: May
    four_eyes: Callable[[TenantId], bool]
    jobs: Jobs
    listen: Callable[[TenantId, str, Bus, Appender], None]
    alerting: Alerting
    assisting: Assisting
    looking_at: LookingAt


class TenantRun:
    """One tenant of this process.

    Args:
        tenant_id: whose. folder: where its journal lies. database: the open one.
        seal: seals personal fields of its events. say: tells a person.
        segment_bytes: how large the journal's files are.

    Attributes:
        bus: announces what happens to this tenant alone.
        appender: the way into its log.
    """

    def __init__(
        self,
        tenant_id: TenantId,
        folder: Path,
        database: Database,
        seal: Seal,
        say: Say,
        *,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self.tenant_id = tenant_id
        self.folder = folder
        self.say = say
        self.bus = Bus()
        self.appender = Appender(database.store, tenant_id, on_refused=self._on_refused, seal=seal)
        self.journal = FileJournal(folder / "journal", segment_bytes)
        self.sink = StoreSink(self.appender)
        self.folded = 0
        self._database = database

    def take(
        self,
        account: TradingAccount,
        market: Market,
        kill_files: tuple[Path, ...],
        flow_terms: FlowTerms,
    ) -> None:
        """Take over the account that this tenant trades, and watch over it."""
        self.account, self.market = account, market
        self.flows = Flows(
            FlowsPlan(
                tenant_id=self.tenant_id,
                folder=self.folder,
                database=self._database,
                appender=self.appender,
                account=account,
                market=market,
                terms=flow_terms,
            )
        )
        self.safety = Safety(account, market, kill_files, self.say, self.halt)
        self.safety.listen(self.bus)
        self.views = ViewFollowers(self._database.store, self.tenant_id, all_views())
        self.appender.on_stored(self.views.on_stored)

    async def recover(self) -> None:
        """Drain the journal of an earlier run and fold the books."""
        self.folded = await recover_books(
            self.account, self.journal, self._database.store, self.tenant_id, self.safety.sagas
        )
        await self.flows.open()

    async def show(self, shared: Shared, board: HealthBoard, seed_events: int) -> None:
        """Build the desk and the stream, and give them their history."""
        books = AccountBooks(self.account)
        live = LiveView(shared.market_view, books)
        live.subscribe(self.bus)
        report = HealthReport(board, shared.latency, lambda: len(self.hub.clients))
        epoch = RandomIds().next_id("epoch")
        self.hub = StreamHub(
            live,
            report.make,
            shared.is_live,
            HubInfo(self.tenant_id, shared.ui_hash, epoch),
            Timing(LiveClock()),
            MoreRows(
                jobs=JobsSource(lambda: shared.jobs.under_way(self.tenant_id)),
                alerts=AlertsSource(lambda: self.alerts.desk.waiting),
            ),
        )
        self.alerts = await self._alerts(shared, board)
        shades, now_ns = self.account.guard.news, self.market.clock.now_ns()
        await shared.assisting.restore(self.tenant_id, shades, now_ns)
        self.hub.subscribe(self.bus)
        shared.listen(self.tenant_id, self.account.identity.currency, self.bus, self.appender)
        self.desk = Desk(
            info=self._info(shared),
            live=live,
            books=books,
            views=PostgresViews(shared.database.uow, self.tenant_id),
            control=self.safety.control,
            commands=Commands(
                self.safety.control,
                books,
                shared.everywhere,
                lambda: shared.four_eyes(self.tenant_id),
            ),
            orders=OrderRequests(AccountOrderDesk(self.account, self.market.clock), shared.may),
            report=report,
        )
        stored = await shared.database.store.read_all(
            self.tenant_id, limit=seed_events, newest_first=True
        )
        for event in reversed(stored):
            self.hub.on_stored(event)
        self.appender.on_stored(self.hub.on_stored)

    def components(self) -> tuple[Component, ...]:
        """What the hub runs and checks of this tenant, and in whose name."""
        parts = (
            Component(
                name="event_store",
                level=1,
                run=self.appender.run,
                stop=self._close_journal,
                critical=True,
            ),
            Component(name="views", level=5, start=self.views.start, run=self.views.run),
            Component(name="stream", level=5, run=self.hub.run),
            Component(name="alerts", level=5, run=self.alerts.run, check=self.alerts.check),
            *self.safety.components(),
            *self.flows.components(),
        )
        return tuple(dataclasses.replace(part, tenant_id=self.tenant_id) for part in parts)

    async def settle(self) -> None:
        """Ask the broker about everything, once its terminal is started; then arm if it may be.

        While the books differ no new risk is taken. The reconciler goes on comparing, so a
        difference that the broker's late records explain heals by itself and one that lasts halts.

        Raises:
            TerminalUnavailable: a paper account's broker could not be asked.
        """
        try:
            found = await self.safety.reconciler.settle(self.folded)
        except TerminalUnavailable as error:
            if self.market.is_paper:
                raise
            self.say(f"{error} Trading waits until the books agree with the broker's.")
        else:
            if found.agrees and not self.safety.locks():
                arm_first_time(self.account, self.market, self.folded)
        await self.safety.hold()
        await self.flows.begin()

    def adopt(self, settings: Settings, config_hash: str) -> None:
        """Let the account go by other settings from now on."""
        rules, owner = terms_of(self.account.identity, settings, config_hash)
        self.account.adopt(rules, owner, settings.management)

    @property
    def seat(self) -> Seat:
        """The account's place at the pipeline; a fault halts this account alone."""
        return Seat(self.account, lambda fault: self.halt(str(fault)))

    def reduce_only(self, reason: str) -> None:
        """Let only exits through until a person arms it again; nothing when it is stricter."""
        if rank_of(self.account.state) < rank_of(TradingState.REDUCE_ONLY):
            now_ns = self.market.clock.now_ns()
            self.account.set_state(TradingState.REDUCE_ONLY, now_ns, "system", reason)
            self.say(f"ONLY EXITS: {reason}")

    def heed(self, main: TradingAccount) -> None:
        """Take over what was switched off for every account before this one was open."""
        ours = self.account.guard.switches.at(EVERYBODY)
        for switch in main.guard.switches.all():
            if switch.where == EVERYBODY and rank_of(switch.state) > rank_of(ours):
                now_ns, reason = self.market.clock.now_ns(), switch.reason
                self.account.set_state(switch.state, now_ns, switch.actor, reason, EVERYBODY)

    def halt(self, reason: str) -> None:
        """Stop opening positions; only a person resumes."""
        log.logger("tenant").error("trading_halted", tenant_id=self.tenant_id, reason=reason)
        now_ns = self.market.clock.now_ns()
        try:
            self.account.set_state(TradingState.HALTED, now_ns, "system", reason)
        except Unrecoverable:
            # Not written down, but it must hold.
            self.account.switching.force_halt(now_ns, reason)
        self.say(f"TRADING HALTED: {reason}")

    @property
    def is_flat(self) -> bool:
        """Whether no kill is under way: the terminal has shown nothing open since the last one."""
        return not self.account.kills.live

    def wind_down(self, reason: str) -> None:
        """Kill the account, foreign positions too: nobody will look after anything any more."""
        now_ns = self.market.clock.now_ns()
        change = Change(
            state=TradingState.HALTED, ts_ns=now_ns, actor="system", reason=f"kill: {reason}"
        )
        if change.where in self.account.kills.live:
            return  # an earlier run of this process has begun it
        try:
            self.account.kills.begin(change, closes_foreign=True)
        except Unrecoverable as error:
            self.account.switching.force_halt(now_ns, reason)
            log.logger("tenant").error(
                "tenant_not_wound_down", tenant_id=self.tenant_id, reason=str(error)
            )

    async def _alerts(self, shared: Shared, board: HealthBoard) -> AlertService:
        """The tenant's alerts, with what earlier runs left of them."""
        sources = shared.looking_at.sources(self.account, board)
        alerts = shared.alerting.service(self.tenant_id, sources, self.hub.on_alert)
        await alerts.load()
        self.appender.on_stored(alerts.on_stored)
        return alerts

    def _info(self, shared: Shared) -> RunInfo:
        identity = self.account.identity
        return RunInfo(
            version=plan2.__version__,
            mode=self.market.mode,
            run_id=shared.run_id,
            tenant_id=self.tenant_id,
            account_id=identity.account_id,
            currency=identity.currency,
            ui_hash=shared.ui_hash,
            started_us=LiveClock().now_ns() // 1000,
            attribution=shared.attribution,
        )

    def _on_refused(self, refused: NewEvent, error: Plan2Error) -> None:
        """The event store would not take an event: it is not lost from the journal, and told."""
        self.journal.hold()
        log.logger("tenant").error(
            "event_refused",
            tenant_id=self.tenant_id,
            stream=refused.stream_id,
            error=str(error),
        )

    async def _close_journal(self) -> None:
        self.journal.close()
